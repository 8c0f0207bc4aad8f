"""What the network sees and says, as a picture for people."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from endo_depth_ros.imaging.colormap import colorize_depth
from training.dataset import Sample

ROWS = 6
MAX_RELATIVE_ERROR = 0.25


def validation_grid(batch: Sample, log_depth: Tensor, log_b: Tensor) -> NDArray[np.uint8]:
    """A row for each of the first images: image, truth, depth, error and sigma up to 25 %; uint8 [H, W, 3]."""
    return np.vstack([_row(batch, log_depth, log_b, index) for index in range(min(ROWS, len(batch.image)))])


def _row(batch: Sample, log_depth: Tensor, log_b: Tensor, index: int) -> NDArray[np.uint8]:
    maps = (batch.log_depth, log_depth, log_b)
    truth, predicted, log_scale_of_error = (values[index].float().cpu().numpy() for values in maps)
    valid, inside = batch.valid[index].cpu().numpy(), batch.inside[index].cpu().numpy()
    image = batch.image[index].cpu().numpy().transpose(1, 2, 0)
    if not valid.any():
        return np.hstack([image, *[np.zeros_like(image)] * 4])
    near, far = np.exp(np.quantile(truth[valid], [0.01, 0.99]) + np.array([-0.1, 0.1]))
    scaled = predicted + np.median(truth[valid]) - np.median(predicted[valid])
    pictures = [
        colorize_depth(np.where(valid, np.exp(truth), np.nan).astype(np.float32), near, far),
        colorize_depth(np.where(inside, np.exp(scaled), np.nan).astype(np.float32), near, far),
        _heat(np.abs(scaled - truth), valid),
        _heat(math.sqrt(2) * np.exp(log_scale_of_error), inside),
    ]
    return np.hstack([image, *pictures])


def _heat(values: NDArray[np.floating], shown: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Relative errors in colours, black where not shown."""
    level = (np.clip(values / MAX_RELATIVE_ERROR, 0, 1) * 255).astype(np.uint8)
    return np.where(shown[..., None], cv2.applyColorMap(level, cv2.COLORMAP_INFERNO)[..., ::-1], 0).astype(np.uint8)
