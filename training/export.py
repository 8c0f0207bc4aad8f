"""Makes a weights file of a checkpoint: averaged weights, calibrated sigma, and what they are."""

from __future__ import annotations

import dataclasses
import math
import subprocess
from collections.abc import Sequence
from pathlib import Path

import torch
import yaml

from endo_depth_ros.depth.network import DepthNetwork
from endo_depth_ros.depth.network_estimator import DepthAndSigma
from endo_depth_ros.depth.relief import NO_DOUBT, ReliefDoubt
from endo_depth_ros.depth.weights import WeightsRecord, load_weights, save_weights
from endo_depth_ros.settings import SettingsError
from training.checkpoints import read_network
from training.fit_recipe import FitRecipe
from training.held_out import score_renderings, score_table
from training.scores import average, scale_sigma, sigma_factor, sparsification_gain

LICENCE = "Apache-2.0"
# Share of errors that a calibrated standard deviation covers: that of a Laplace distribution is 0.76, of a normal 0.68.
COVERED = 0.72
CALIBRATION_VIEWS = 40


def export(
    checkpoint: Path, data: Path, output: Path, device: str, others: Sequence[Path] = (), doubt: ReliefDoubt = NO_DOUBT
) -> str:
    """Write the weights file and return the table of its scores on the sequences under `data`.

    others: weights files whose tensors are averaged with those of the checkpoint, all alike. doubt: what is known of
    the network's errors on real tissue; sigma's factor is fitted without it, the scores are with it.

    Raises SettingsError, CheckpointError, DataError, WeightsError, OSError.
    """
    if doubt.complaint():
        raise SettingsError(f"relief doubt: {doubt.complaint()}")
    network, recipe = read_network(checkpoint)
    average_with(network, [load_weights(path).network for path in others])
    size = (recipe.data.width, recipe.data.height)
    raw = score_renderings(DepthAndSigma(network, 1.0, NO_DOUBT), data, *size, CALIBRATION_VIEWS, device)
    factor = sigma_factor(raw, COVERED)
    scores = score_renderings(DepthAndSigma(network, factor, doubt), data, *size, CALIBRATION_VIEWS, device)
    metrics = {name: value for name, value in dataclasses.asdict(average(scores)).items() if math.isfinite(value)}
    record = WeightsRecord(
        network=network.config,
        input_width=size[0],
        input_height=size[1],
        sigma_factor=factor,
        relief_doubt=doubt,
        scale_sigma=scale_sigma(scores),
        recipe=describe(recipe, others),
        commit=current_commit(),
        metrics={**metrics, "sparsification_gain": sparsification_gain(scores)},
        licence=LICENCE,
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    save_weights(output, network.cpu(), record)
    return score_table(scores)


def describe(recipe: FitRecipe, others: Sequence[Path]) -> str:
    """The recipe as YAML; a comment says whose tensors are in the mean beside those that it made."""
    averaged = "".join(f"# averaged with {path.name}\n" for path in others)
    return averaged + yaml.safe_dump(dataclasses.asdict(recipe), sort_keys=False)


@torch.no_grad()
def average_with(network: DepthNetwork, others: Sequence[DepthNetwork]) -> None:
    """Make the network's tensors the mean of its own and the others' (model soups, Wortsman et al., ICML 2022).

    That is a good network only where all come from one training, or one went on from another.
    """
    states = [network.state_dict(), *(other.state_dict() for other in others)]
    for name, own in states[0].items():
        if own.is_floating_point():
            own.copy_(torch.stack([state[name] for state in states]).mean(dim=0))


def current_commit() -> str:
    """The commit of the code, with a mark where the working tree differs from it."""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=40"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return described.stdout.strip()
