"""How a motion network does on held-out pairs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader

from endo_depth_ros.geometry.camera import PINHOLE
from endo_depth_ros.pose.motion_network import MotionNetwork
from training.data_module import VALIDATION_BATCH
from training.dataset import find_sequences
from training.motion.augmentation import PairAugmentation
from training.motion.samples import HeldOutPairs, MotionSample
from training.motion.scores import MotionScore, motion_table, score_motions

# A clear lens, no change of brightness but the sensor's own, and depth as wrong as a network's.
CLEAR = PairAugmentation(blurred=0, hidden_patches=0, obstructions=0, colours=0, brightness=0, still=0, roll=False)


@torch.inference_mode()
def score_pairs(
    network: MotionNetwork, data: Path, size: tuple[int, int], pairs: int, device: str
) -> list[MotionScore]:
    """Scores of so many pairs from the sequences under `data`. size: width and height. Raises DataError."""
    network = network.to(device).eval()
    samples = HeldOutPairs(find_sequences(data, PINHOLE), CLEAR, size, pairs)
    scores = []
    for batch in DataLoader(samples, batch_size=VALIDATION_BATCH):
        sample = MotionSample(*(values.to(device) for values in batch))
        answer = network(sample.images.float() / 255, sample.inside, sample.given_log_depth[:, 0], sample.K)
        scores += score_motions(sample, answer)
    return scores


def describe(scores: list[MotionScore], factors: tuple[float, float]) -> str:
    """The table by motion of the picture, and how honest the covariance is with these factors."""
    turn = np.array([score.nees_turn for score in scores]) / factors[0] ** 2
    shift = np.array([score.nees_shift for score in scores]) / factors[1] ** 2
    # 3.53 and 8.02: quantiles of chi-square with 3 degrees of freedom, of the shares within 1 and 2 sigma of one.
    within = [f"{np.mean(nees < limit):.2f}" for nees in (turn, shift) for limit in (3.53, 8.02)]
    return (
        f"{motion_table(scores)}\n\nwithin 1 sigma (0.68 is right) and 2 sigma (0.95): "
        f"rotation {within[0]} and {within[1]}, translation {within[2]} and {within[3]}"
    )
