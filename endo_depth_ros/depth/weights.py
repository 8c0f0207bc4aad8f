"""Weights of a depth network: a file of endo_depth_ros/weights_file.py whose record says what the network is."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from endo_depth_ros.depth.network import SIZE_MULTIPLE, DepthNetwork, NetworkConfig
from endo_depth_ros.depth.relief import ReliefDoubt
from endo_depth_ros.weights_file import (
    GET_OTHERS,
    WeightsError,
    WeightsKind,
    expect,
    expect_between,
    expect_training,
    fields_of,
    is_number,
    is_whole,
    load_network,
    naming,
    write_weights_file,
)

__all__ = ["LoadedWeights", "WeightsError", "WeightsRecord", "load_weights", "save_weights"]

KIND = WeightsKind(
    schema="endo_depth_ros.depth.4",
    architecture="efficientnet-lite0 pyramid, context, shading cues, learned upsampling",
    normalisation="rgb: (255 x - 127) / 128 inside, 0 outside; inside: 0 or 1; x, y: stereographic; shading cues",
    export="python -m training export CHECKPOINT",
)


@dataclass(frozen=True)
class WeightsRecord:
    """What is said about the weights beside the tensors.

    sigma_factor: calibration on held-out scenes, multiplies the network's standard deviation. relief_doubt: what is
    wrong beyond that in narrow views of real tissue. scale_sigma: relative standard deviation, on held-out scenes, of
    an image's depth as a whole, in metres. recipe and commit: how and with which code they were trained. metrics: name
    to figure. licence: SPDX, of the weights.
    """

    network: NetworkConfig
    input_width: int
    input_height: int
    sigma_factor: float
    relief_doubt: ReliefDoubt
    scale_sigma: float
    recipe: str
    commit: str
    metrics: dict[str, float]
    licence: str


@dataclass(frozen=True)
class LoadedWeights:
    """A network with its weights, in inference mode, and their record."""

    network: DepthNetwork
    record: WeightsRecord


def save_weights(path: Path, network: DepthNetwork, record: WeightsRecord) -> None:
    """Write the file, whole or not at all. Raises WeightsError for what `load_weights` would refuse, OSError."""
    with naming(path):
        check_record(record)
        write_weights_file(path, KIND, network.state_dict(), asdict(record))


def load_weights(path: Path) -> LoadedWeights:
    """The network of a file, on the CPU, after checking everything in it. Raises WeightsError."""
    return LoadedWeights(*load_network(path, KIND, read_record, lambda record: DepthNetwork(record.network)))


def read_record(values: Any) -> WeightsRecord:
    """The record of its values in a file's metadata. Raises WeightsError."""
    values = fields_of(WeightsRecord, values, "record")
    network = fields_of(NetworkConfig, values["network"], "record.network")
    channels = network["decoder_channels"]
    network["decoder_channels"] = tuple(channels) if isinstance(channels, list) else channels
    doubt = ReliefDoubt(**fields_of(ReliefDoubt, values["relief_doubt"], "record.relief_doubt"))
    record = WeightsRecord(**{**values, "network": NetworkConfig(**network), "relief_doubt": doubt})
    check_record(record)
    return record


def check_record(record: WeightsRecord) -> None:
    """Raise WeightsError for values that no training gives."""
    network = record.network
    channels = network.decoder_channels
    expect(
        isinstance(channels, tuple) and len(channels) == 5 and all(is_whole(c, 1, 1024) for c in channels),
        "network.decoder_channels",
        channels,
        "five whole numbers from 1 to 1024",
    )
    expect_between("network.canonical_focal_px", network.canonical_focal_px, 1, 100_000)
    expect_between("network.max_depth_m", network.max_depth_m, 1e-6, 1000)
    expect_between("network.min_depth_m", network.min_depth_m, 1e-6, network.max_depth_m)
    expect_between("network.initial_depth_m", network.initial_depth_m, network.min_depth_m, network.max_depth_m)
    expect_between("network.max_log_b", network.max_log_b, -20, 20)
    expect_between("network.min_log_b", network.min_log_b, -20, network.max_log_b)
    expect_between("network.initial_log_b", network.initial_log_b, network.min_log_b, network.max_log_b)
    for name in ("input_width", "input_height"):
        size = getattr(record, name)
        is_size = is_whole(size, SIZE_MULTIPLE, 4096) and size % SIZE_MULTIPLE == 0
        expect(is_size, name, size, f"a multiple of {SIZE_MULTIPLE} up to 4096")
    expect_between("sigma_factor", record.sigma_factor, 0.01, 100)
    doubt = record.relief_doubt
    for name, value in asdict(doubt).items():
        expect(is_number(value), f"relief_doubt.{name}", value, "a finite number")
    if doubt.complaint():
        raise WeightsError(f"its metadata's relief_doubt can't be meant: {doubt.complaint()}; {GET_OTHERS}")
    expect_between("scale_sigma", record.scale_sigma, 0, 100)
    expect_training(record.recipe, record.commit, record.licence, record.metrics)
