"""Pairs from videos whose motion nobody knows: the depth network's geometry, the images themselves as judges."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset
from tqdm import tqdm

from endo_depth_ros.bags.camera_yaml import read_camera
from endo_depth_ros.bags.factory import open_source
from endo_depth_ros.bags.image_folder import list_images
from endo_depth_ros.bags.source import FrameSource, SourceError
from endo_depth_ros.contracts import Frame, Verdict
from endo_depth_ros.depth.pipeline import DepthPipeline
from endo_depth_ros.depth.settings import DepthSettings
from endo_depth_ros.geometry.camera import CameraError
from training.dataset import DataError, SampleKey
from training.motion.augmentation import Brightness, apply_brightness
from training.motion.samples import MotionSample

CAMERA_FILE = "camera.yaml"
LEAST_FRAMES = 2
# Frames of a video that a pair may be apart.
LARGEST_STEP = 8
BRIGHTNESS = 0.1

log = logging.getLogger(__name__)
Stored = dict[str, NDArray[Any]]


def prepare_videos(folder: Path, cache: Path, size: tuple[int, int]) -> list[Path]:
    """Files with images and depth of all videos under a folder; what is in the cache is not computed again.

    folder: of videos, bags or folders of images, or such a folder itself; camera.yaml in it, or in a folder of images,
    is the calibration. size: width and height of what is stored. Raises DataError where there is nothing to train on.
    """
    cache.mkdir(parents=True, exist_ok=True)
    prepared = []
    for path in find_videos(folder):
        stored = cache / f"{path.name}.{size[0]}x{size[1]}.npz"
        if not stored.exists():
            frames = predict_depth(open_video(path), size)
            if len(frames["images"]) < LEAST_FRAMES:
                log.warning("passed over: %s has fewer than %d good frames", path, LEAST_FRAMES)
                continue
            partial = stored.with_name(f".{stored.name}.part.npz")
            np.savez(partial, **frames)  # type: ignore[arg-type]  # numpy takes a keyword for one of its own
            partial.replace(stored)
        prepared.append(stored)
    if not prepared:
        raise DataError(f"{folder} holds no video, bag or folder of images with at least {LEAST_FRAMES} good frames")
    return prepared


def find_videos(folder: Path) -> list[Path]:
    """What `open_source` may open, in order of name. Raises DataError where there is no such folder."""
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder; give one of videos, bags or folders of images")
    if list_images(folder):
        return [folder]
    return sorted(path for path in folder.iterdir() if path.name != CAMERA_FILE and not path.name.startswith("."))


def open_video(path: Path) -> FrameSource:
    """The frames of a video with the calibration beside or in it. Raises DataError."""
    beside = path.parent / CAMERA_FILE
    try:
        own = path.is_dir() and (path / CAMERA_FILE).exists()
        return open_source(path, read_camera(beside) if beside.exists() and not own else None)
    except (SourceError, CameraError) as error:
        raise DataError(str(error)) from error


def predict_depth(source: FrameSource, size: tuple[int, int]) -> Stored:
    """Images [N, H, W, 3], log depth [N, H, W] with NaN, K [N, 3, 3] and numbers [N] of the frames that are good."""
    pipeline = DepthPipeline(DepthSettings())
    images, depths, cameras, numbers = [], [], [], []
    for number, each in enumerate(tqdm(source, total=source.frame_count, desc=source.name, disable=None)):
        if each.image is None or each.camera is None:
            log.warning("%s: frame %d passed over: %s", source.name, number, each.error or each.camera_error)
            continue
        estimate = pipeline.process(Frame(each.stamp_ns, each.frame_id, each.image, each.camera))
        if estimate.status.verdict is not Verdict.OK:
            continue
        depth = np.where(np.isfinite(estimate.depth), estimate.depth, np.float32(np.nan))
        images.append(cv2.resize(estimate.frame.image, size, interpolation=cv2.INTER_AREA))
        depths.append(np.log(cv2.resize(depth, size, interpolation=cv2.INTER_NEAREST)).astype(np.float16))
        cameras.append(estimate.frame.camera.resized(*size).K)
        numbers.append(number)
    kept = {"images": images, "log_depth": depths, "K": cameras, "numbers": numbers}
    return {name: np.array(values) for name, values in kept.items()}


class VideoPairs(Dataset[MotionSample]):
    """Pairs of neighbouring frames: the same key gives the same pair."""

    def __init__(self, prepared: list[Path], seed: int, rank: int) -> None:
        """prepared: files of `prepare_videos`."""
        self._videos = [dict(np.load(path)) for path in prepared]
        self._seed, self._rank = seed, rank

    def __getitem__(self, key: SampleKey) -> MotionSample:
        """The pair."""
        rng = np.random.default_rng([self._seed, self._rank, key.batch, key.slot, 3])
        video = self._videos[int(rng.integers(len(self._videos)))]
        count = len(video["images"])
        first = int(rng.integers(count - 1))
        reach = min(count - 1, first + LARGEST_STEP)
        # Frames that were left out between two others make them further apart.
        while reach > first + 1 and video["numbers"][reach] - video["numbers"][first] > LARGEST_STEP:
            reach -= 1
        return make_video_sample(video, [first, int(rng.integers(first + 1, reach + 1))], rng)


def make_video_sample(video: Stored, pair: list[int], rng: np.random.Generator) -> MotionSample:
    """Tensors of two frames, mirrored half of the time, the second one as bright as it may become."""
    images, log_depth = video["images"][pair], video["log_depth"][pair].astype(np.float32)
    K = video["K"][pair[0]].astype(np.float32)
    if rng.random() < 0.5:
        images, log_depth = images[:, :, ::-1].copy(), log_depth[:, :, ::-1].copy()
        K[0, 2] = images.shape[2] - 1 - K[0, 2]
    brightness = Brightness(float(np.exp(rng.normal(0, BRIGHTNESS))), float(rng.normal(0, BRIGHTNESS / 4)))
    images[1] = apply_brightness(images[1], brightness)
    known = np.isfinite(log_depth)
    log_depth = np.where(known, log_depth, np.float32(0))
    return MotionSample(
        images=torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))),
        inside=torch.from_numpy(known),
        log_depth=torch.from_numpy(log_depth),
        known=torch.from_numpy(known),
        given_log_depth=torch.from_numpy(log_depth.copy()),
        rigid=torch.ones(known.shape, dtype=torch.bool),
        K=torch.from_numpy(K),
        T_first_second=torch.eye(4),
        posed=torch.tensor(False),
        brightness=torch.tensor([brightness.gain, brightness.offset], dtype=torch.float32),
        damaged=torch.tensor(0),
    )


class MixedPairs(Dataset[MotionSample]):
    """Pairs from videos in the first slots of each batch, rendered ones in the others."""

    def __init__(self, videos: VideoPairs, rendered: Dataset[MotionSample], video_pairs: int) -> None:
        self._videos, self._rendered, self._video_pairs = videos, rendered, video_pairs

    def __getitem__(self, key: SampleKey) -> MotionSample:
        """The pair of a key."""
        chosen: Dataset[MotionSample] = self._videos if key.slot < self._video_pairs else self._rendered
        return chosen[key]
