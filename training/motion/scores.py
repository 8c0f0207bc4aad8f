"""How wrong motions are: of a network, of none, by how fast the picture moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from scipy.spatial.transform import Rotation
from torch import Tensor

from endo_depth_ros.pose.lie import Array, log_se3
from endo_depth_ros.pose.motion_network import FINE, MotionAnswer
from endo_depth_ros.pose.rigid_fit import move, project
from training.motion.losses import Truth
from training.motion.samples import MotionSample

# Errors have longer tails than a normal distribution, so sigma is fitted where it matters: this share of them, and the
# same quantile of chi-square with 3 degrees of freedom.
CALIBRATED_SHARE, CALIBRATED_CHI2 = 0.8, 4.642
EDGES = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.4)  # of the picture's motion, widths


@dataclass(frozen=True)
class MotionScore:
    """One pair. Angles in degrees; lengths in median depths; motions of the picture in widths, median.

    direction_deg: between the true and the found translation, NaN where the true one is shorter than 2 %. pixel: how
    far off the motion puts points, as motion of the picture. nees_turn, nees_shift: squared errors in units of the
    covariance, 3 on average is right.
    """

    motion: float
    turn_deg: float
    shift: float
    turn_error_deg: float
    shift_error: float
    direction_deg: float
    pixel_error: float
    nees_turn: float
    nees_shift: float


def score_motions(sample: MotionSample, answer: MotionAnswer) -> list[MotionScore]:
    """Of each pair of a batch whose motion is known."""
    truth = Truth.of(sample)
    grid, counts = truth.grid(truth.true_log, FINE), truth.counts(FINE)
    places = grid.places.flatten(0, 1)
    there = project(move(truth.T, grid.points), sample.K)
    found = project(move(answer.fine[-1].T, grid.points), sample.K)
    width = sample.images.shape[-1]
    motion, error = _median((there - places).norm(dim=-1), counts), _median((found - there).norm(dim=-1), counts)
    pairs = zip(truth.T, answer.fine[-1].T, answer.fine[-1].information, motion / width, error / width, strict=True)
    known = sample.posed & counts.any(1)
    return [score_motion(*pair) for pair, counted in zip(pairs, known.tolist(), strict=True) if counted]


def score_motion(T_true: Tensor, T: Tensor, information: Tensor, motion: Tensor, error: Tensor) -> MotionScore:
    """Of one pair."""
    true, found = (each.detach().cpu().double().numpy() for each in (T_true, T))
    difference = found @ np.linalg.inv(true)
    covariance = np.linalg.inv(information.detach().cpu().double().numpy())
    twist = log_se3(difference)
    t, s = true[:3, 3], found[:3, 3]
    cosine = t @ s / max(float(np.linalg.norm(t) * np.linalg.norm(s)), 1e-12)
    long_enough = np.linalg.norm(t) > 0.02
    return MotionScore(
        motion=float(motion),
        turn_deg=_degrees(true),
        shift=float(np.linalg.norm(t)),
        turn_error_deg=_degrees(difference),
        shift_error=float(np.linalg.norm(s - t)),
        direction_deg=float(np.degrees(np.arccos(np.clip(cosine, -1, 1)))) if long_enough else float("nan"),
        pixel_error=float(error),
        nees_turn=_squared(twist[:3], covariance[:3, :3]),
        nees_shift=_squared(twist[3:], covariance[3:, 3:]),
    )


def sigma_factors(scores: Sequence[MotionScore]) -> tuple[float, float]:
    """Factors on the standard deviations of rotation and translation that bound four errors in five as they should."""
    turn = np.quantile([score.nees_turn for score in scores], CALIBRATED_SHARE)
    shift = np.quantile([score.nees_shift for score in scores], CALIBRATED_SHARE)
    return float(np.sqrt(turn / CALIBRATED_CHI2)), float(np.sqrt(shift / CALIBRATED_CHI2))


def motion_table(scores: Sequence[MotionScore]) -> str:
    """Medians by how fast the picture moves, beside those of a camera that stands still; Markdown."""
    lines = [
        "| motion of the picture, widths | pairs | rotation °, truth | error | translation, truth | error | "
        "direction ° | picture off, widths | without |",
        "|---" * 9 + "|",
    ]
    for low, high in pairwise(EDGES):
        some = [score for score in scores if low <= score.motion < high]
        if some:
            names = ("turn_deg", "turn_error_deg", "shift", "shift_error", "direction_deg", "pixel_error", "motion")
            cells = [f"{np.nanmedian([getattr(score, name) for score in some]):.3g}" for name in names]
            lines.append(f"| {low:g}-{high:g} | {len(some)} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _median(values: Tensor, counted: Tensor) -> Tensor:
    return torch.where(counted, values, torch.nan).nanmedian(1).values


def _degrees(T: Array) -> float:
    return float(np.degrees(Rotation.from_matrix(T[:3, :3]).magnitude()))


def _squared(error: Array, covariance: Array) -> float:
    return float(error @ np.linalg.solve(covariance, error))
