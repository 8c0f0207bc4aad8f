"""Weights of a motion network: a file of endo_depth_ros/weights_file.py whose record says what the network is."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from endo_depth_ros.pose.motion_network import SIZE_MULTIPLE, MotionNetwork, MotionNetworkConfig
from endo_depth_ros.weights_file import (
    WeightsKind,
    expect,
    expect_between,
    expect_training,
    fields_of,
    is_whole,
    load_network,
    naming,
    write_weights_file,
)

KIND = WeightsKind(
    schema="endo_depth_ros.motion.1",
    architecture="all cells with all, rigid fit, fine searches",
    normalisation="rgb: mean 0 and deviation 1 of each image and channel inside, 0 outside; inside: 0 or 1",
    export="python -m training export-pose CHECKPOINT",
)
SHIPPED_MOTION_WEIGHTS = Path(__file__).parents[1] / "weights" / "endo_motion_small.safetensors"


@dataclass(frozen=True)
class MotionWeightsRecord:
    """What is said about the weights beside the tensors.

    input_width, input_height: of the images. turn_factor, shift_factor: calibration on held-out scenes, multiply the
    standard deviations of rotation and translation. recipe and commit: how and with which code they were trained.
    metrics: name to figure. licence: SPDX, of the weights.
    """

    network: MotionNetworkConfig
    input_width: int
    input_height: int
    turn_factor: float
    shift_factor: float
    recipe: str
    commit: str
    metrics: dict[str, float]
    licence: str


@dataclass(frozen=True)
class LoadedMotionWeights:
    """A network with its weights, in inference mode, and their record."""

    network: MotionNetwork
    record: MotionWeightsRecord


def save_motion_weights(path: Path, network: MotionNetwork, record: MotionWeightsRecord) -> None:
    """Write the file, whole or not at all. Raises WeightsError for what loading would refuse, OSError."""
    with naming(path):
        check_record(record)
        write_weights_file(path, KIND, network.state_dict(), asdict(record))


def load_motion_weights(path: Path) -> LoadedMotionWeights:
    """The network of a file, on the CPU, after checking everything in it. Raises WeightsError."""
    return LoadedMotionWeights(*load_network(path, KIND, read_record, lambda record: MotionNetwork(record.network)))


def read_record(values: Any) -> MotionWeightsRecord:
    """The record of its values in a file's metadata. Raises WeightsError."""
    values = fields_of(MotionWeightsRecord, values, "record")
    network = fields_of(MotionNetworkConfig, values["network"], "record.network")
    channels = network["channels"]
    network["channels"] = tuple(channels) if isinstance(channels, list) else channels
    record = MotionWeightsRecord(**{**values, "network": MotionNetworkConfig(**network)})
    check_record(record)
    return record


def check_record(record: MotionWeightsRecord) -> None:
    """Raise WeightsError for values that no training gives."""
    network, channels = record.network, record.network.channels
    three = isinstance(channels, tuple) and len(channels) == 3 and all(is_whole(c, 1, 1024) for c in channels)
    expect(three, "network.channels", channels, "three whole numbers from 1 to 1024")
    for name, most in (("hidden", 1024), ("radius", 16), ("searches", 8)):
        value = getattr(network, name)
        expect(is_whole(value, 1, most), f"network.{name}", value, f"a whole number from 1 to {most}")
    for name in ("input_width", "input_height"):
        size = getattr(record, name)
        is_size = is_whole(size, SIZE_MULTIPLE, 4096) and size % SIZE_MULTIPLE == 0
        expect(is_size, name, size, f"a multiple of {SIZE_MULTIPLE} up to 4096")
    for name in ("turn_factor", "shift_factor"):
        expect_between(name, getattr(record, name), 0.01, 1000)
    expect_training(record.recipe, record.commit, record.licence, record.metrics)
