"""Checkpoints of a training: the newest to go on from, the averaged network of one."""

from __future__ import annotations

import logging
import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch

from endo_depth_ros.depth.network import DepthNetwork, NetworkConfig
from training.fit_recipe import FitRecipe
from training.recipe import make_recipe

PREFIX = "network."

log = logging.getLogger(__name__)


class CheckpointError(RuntimeError):
    """There is no checkpoint, or it can't be used; the text says which and why."""


def newest_checkpoint(folder: Path) -> Path:
    """The checkpoint with the most steps that can be read. Raises CheckpointError."""
    for path in sorted(folder.glob("[0-9]*.ckpt"), reverse=True):
        try:
            load_checkpoint(path)
        except CheckpointError as error:
            log.warning("passed over %s", error)
            continue
        return path
    raise CheckpointError(f"{folder} holds no readable checkpoint; start without --resume")


def read_network(path: Path) -> tuple[DepthNetwork, FitRecipe]:
    """The averaged network of a checkpoint, in float32, and the recipe that made it. Raises CheckpointError."""
    content = load_checkpoint(path)
    try:
        network = DepthNetwork(NetworkConfig())
        network.load_state_dict({name.removeprefix(PREFIX): value for name, value in content["state_dict"].items()})
        return network.eval(), make_recipe(content["hyper_parameters"]["recipe"], FitRecipe)
    except (RuntimeError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{path}: not of this version of the network ({error})") from error


def load_checkpoint(path: Path) -> dict[str, Any]:
    """What fit wrote; nothing in it is run. Raises CheckpointError."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError, zipfile.BadZipFile) as error:
        reason = str(error).strip().split("\n")[0]
        raise CheckpointError(f"{path}: not a readable checkpoint ({reason})") from error
    if not isinstance(content, dict) or "hyper_parameters" not in content:
        raise CheckpointError(f"{path}: not a checkpoint of `python -m training fit`")
    return content
