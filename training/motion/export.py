"""Makes a weights file of a checkpoint of the motion network, and scores one."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import yaml

from endo_depth_ros.pose.motion_network import MotionNetwork, MotionNetworkConfig
from endo_depth_ros.pose.motion_weights import MotionWeightsRecord, load_motion_weights, save_motion_weights
from training.checkpoints import PREFIX, CheckpointError, load_checkpoint
from training.export import LICENCE, current_commit
from training.motion.held_out import describe, score_pairs
from training.motion.recipe import MotionRecipe
from training.motion.scores import sigma_factors
from training.recipe import make_recipe


def export_motion_network(checkpoint: Path, data: Path, output: Path, pairs: int, device: str) -> str:
    """Write the weights file and return the table of its scores on the sequences under `data`.

    Raises CheckpointError, DataError, WeightsError, OSError.
    """
    network, recipe = read_motion_network(checkpoint)
    size = (recipe.data.width, recipe.data.height)
    scores = score_pairs(network, data, size, pairs, device)
    factors = sigma_factors(scores)
    medians = {name: float(np.nanmedian([getattr(score, name) for score in scores])) for name in MEDIANS}
    record = MotionWeightsRecord(
        network=network.config,
        input_width=size[0],
        input_height=size[1],
        turn_factor=factors[0],
        shift_factor=factors[1],
        recipe=yaml.safe_dump(dataclasses.asdict(recipe), sort_keys=False),
        commit=current_commit(),
        metrics=medians,
        licence=LICENCE,
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    save_motion_weights(output, network.cpu(), record)
    return describe(scores, factors)


MEDIANS = ("motion", "turn_error_deg", "shift_error", "direction_deg", "pixel_error")


def evaluate_motion_network(weights: Path, data: Path, pairs: int, device: str) -> str:
    """The table of a weights file's scores on the sequences under `data`. Raises WeightsError, DataError."""
    loaded = load_motion_weights(weights)
    record = loaded.record
    scores = score_pairs(loaded.network, data, (record.input_width, record.input_height), pairs, device)
    return describe(scores, (record.turn_factor, record.shift_factor))


def read_motion_network(path: Path) -> tuple[MotionNetwork, MotionRecipe]:
    """The averaged network of a checkpoint, in float32, and the recipe that made it. Raises CheckpointError."""
    content = load_checkpoint(path)
    try:
        network = MotionNetwork(MotionNetworkConfig())
        network.load_state_dict({name.removeprefix(PREFIX): value for name, value in content["state_dict"].items()})
        return network.eval(), make_recipe(content["hyper_parameters"]["recipe"], MotionRecipe)
    except (RuntimeError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{path}: not of this version of the motion network ({error})") from error
