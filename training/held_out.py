"""Scores of a network on held-out renderings, and how they read as a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import DataLoader
from tqdm import tqdm

from endo_depth_ros.depth.network_estimator import DepthAndSigma
from endo_depth_ros.geometry.camera import STEREOGRAPHIC
from training.dataset import Sample, ValidationSamples, find_sequences
from training.scores import ImageScore, Score, average, by_family, coverage_by_decile, score_batch, sparsification_gain

BATCH = 8
HEADER = "family            images  AbsRel  delta1  metric  1 scale  flicker  1 sigma  2 sigma"


def score_renderings(
    network: DepthAndSigma, folder: Path, width: int, height: int, views: int, device: str
) -> list[ImageScore]:
    """Scores of the sequences under a folder, at most `views` views of each, in images of width x height pixels.

    Raises DataError where the folder has no sequences.
    """
    sequences = find_sequences(folder, STEREOGRAPHIC)
    samples = ValidationSamples(sequences, width, height, views)
    network = network.to(device).eval()
    scores: list[ImageScore] = []
    loader = DataLoader(samples, batch_size=BATCH)
    for batch in tqdm(loader, desc="held-out views", unit="batch", disable=None):
        scores += score_batch(batch, *predict(network, batch, device), sequences.families)
    return scores


@torch.inference_mode()
def predict(network: DepthAndSigma, batch: Sample, device: str) -> tuple[Tensor, Tensor]:
    """Log depth and log b of a batch, [B, H, W] each."""
    depth, sigma = network(batch.image.to(device).float() / 255, batch.inside.to(device), batch.K.to(device))
    return depth.log(), (sigma / depth / math.sqrt(2)).log()


def score_table(scores: Sequence[ImageScore]) -> str:
    """A line for each family and for all; then the coverage of sigma by decile, and its order."""
    lines = [HEADER]
    lines += [_line(family, score) for family, score in by_family(scores).items()]
    lines.append(_line("all", average(scores)))
    deciles = " ".join(f"{share:.2f}" for share in coverage_by_decile(scores))
    lines.append(f"within 1 sigma, by tenths of the pixels from small sigma to large: {deciles}")
    lines.append(f"AUSE is {sparsification_gain(scores):.0%} better than random order")
    return "\n".join(lines)


def _line(name: str, score: Score) -> str:
    return (
        f"{name:<16s} {score.images:7d}  {score.abs_rel:6.4f}  {score.delta1:6.4f}  {score.metric_abs_rel:6.4f}"
        f"   {score.one_scale_abs_rel:6.4f}   {score.flicker:6.4f}   {score.within_1:6.3f}   {score.within_2:6.3f}"
    )
