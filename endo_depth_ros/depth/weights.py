"""Weights of a depth network in one safetensors file with a record of what they are; nothing is ever unpickled."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from endo_depth_ros.depth.network import SIZE_MULTIPLE, DepthNetwork, NetworkConfig

SCHEMA = "endo_depth_ros.depth.1"
ARCHITECTURE = "efficientnet-lite0 pyramid, learned upsampling"
NORMALISATION = "rgb: (255 x - 127) / 128 inside, 0 outside; inside: 0 or 1; rays: x/z, y/z"
# How zip files (torch.save since 1.6) and pickles of protocol 2 and newer begin.
PICKLE_STARTS = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
GET_OTHERS = "get the file again, or export it anew from its checkpoint"
LONGEST_LIST = 3


class WeightsError(ValueError):
    """The file can't be used; the text names it and says why and what to do."""


@dataclass(frozen=True)
class WeightsRecord:
    """What is said about the weights beside the tensors.

    sigma_factor: calibration on held-out scenes, multiplies the network's standard deviation. recipe and commit: how
    and with which code they were trained. metrics: name to figure. licence: SPDX, of the weights.
    """

    network: NetworkConfig
    input_width: int
    input_height: int
    sigma_factor: float
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
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    metadata = {
        "schema": SCHEMA,
        "architecture": ARCHITECTURE,
        "normalisation": NORMALISATION,
        "record": json.dumps(asdict(record)),
    }
    try:
        check_record(record)
        check_finite(tensors)
    except WeightsError as error:
        raise WeightsError(f"{path}: {error}") from error
    temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        save_file(tensors, temporary, metadata)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def load_weights(path: Path) -> LoadedWeights:
    """The network of a file, on the CPU, after checking everything in it. Raises WeightsError."""
    try:
        check_kind(path)
        with safe_open(path, framework="pt") as file:
            record = read_record(file.metadata() or {})
            names = file.keys()
            # Copies: a file that is overwritten later would otherwise take the process with it.
            tensors = {name: file.get_tensor(name).clone() for name in names}
        with torch.device("meta"):
            network = DepthNetwork(record.network)
        check_names_and_shapes(network.state_dict(), tensors)
        check_finite(tensors)
    except WeightsError as error:
        raise WeightsError(f"{path}: {error}") from error
    except SafetensorError as error:
        raise WeightsError(f"{path}: not a whole safetensors file ({error}); {GET_OTHERS}") from error
    except OSError as error:
        raise WeightsError(f"{path}: can't be read ({error.strerror or error})") from error
    network.load_state_dict(tensors, assign=True)
    return LoadedWeights(network.eval(), record)


def check_kind(path: Path) -> None:
    """Raise WeightsError for files that are no safetensors at first sight, OSError for those that can't be read."""
    with path.open("rb") as file:
        start = file.read(9)
    if not start:
        raise WeightsError(f"the file is empty; {GET_OTHERS}")
    if start.startswith(PICKLE_STARTS):
        raise WeightsError(
            "a PyTorch checkpoint or other pickle, which could run code and is never loaded; "
            "make weights of it: python -m training export CHECKPOINT"
        )
    if len(start) < 9 or start[8:] != b"{":
        raise WeightsError(f"not a safetensors file; {GET_OTHERS}")


def read_record(metadata: Mapping[str, str]) -> WeightsRecord:
    """The record in a file's metadata. Raises WeightsError."""
    for key, known in (("schema", SCHEMA), ("architecture", ARCHITECTURE), ("normalisation", NORMALISATION)):
        found = metadata.get(key)
        if found is None:
            raise WeightsError(f"its metadata has no '{key}': not weights of endo_depth_ros")
        if found != known:
            raise WeightsError(f"its {key} is '{found}' but this version of endo_depth_ros reads '{known}' only")
    try:
        values = json.loads(metadata.get("record", ""))
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"its metadata has no readable 'record' ({error}); {GET_OTHERS}") from error
    values = _fields_of(WeightsRecord, values, "record")
    network = _fields_of(NetworkConfig, values["network"], "record.network")
    channels = network["decoder_channels"]
    network["decoder_channels"] = tuple(channels) if isinstance(channels, list) else channels
    record = WeightsRecord(**{**values, "network": NetworkConfig(**network)})
    check_record(record)
    return record


def check_record(record: WeightsRecord) -> None:
    """Raise WeightsError for values that no training gives."""
    network = record.network
    channels = network.decoder_channels
    _expect(
        isinstance(channels, tuple) and len(channels) == 5 and all(_is_whole(c, 1, 1024) for c in channels),
        "network.decoder_channels",
        channels,
        "five whole numbers from 1 to 1024",
    )
    _expect_between("network.canonical_focal_px", network.canonical_focal_px, 1, 100_000)
    _expect_between("network.max_depth_m", network.max_depth_m, 1e-6, 1000)
    _expect_between("network.min_depth_m", network.min_depth_m, 1e-6, network.max_depth_m)
    _expect_between("network.initial_depth_m", network.initial_depth_m, network.min_depth_m, network.max_depth_m)
    _expect_between("network.max_log_b", network.max_log_b, -20, 20)
    _expect_between("network.min_log_b", network.min_log_b, -20, network.max_log_b)
    _expect_between("network.initial_log_b", network.initial_log_b, network.min_log_b, network.max_log_b)
    for name in ("input_width", "input_height"):
        size = getattr(record, name)
        is_size = _is_whole(size, SIZE_MULTIPLE, 4096) and size % SIZE_MULTIPLE == 0
        _expect(is_size, name, size, f"a multiple of {SIZE_MULTIPLE} up to 4096")
    _expect_between("sigma_factor", record.sigma_factor, 0.01, 100)
    for name in ("recipe", "commit", "licence"):
        text = getattr(record, name)
        _expect(isinstance(text, str) and text != "", name, text, "a text")
    numbers = isinstance(record.metrics, dict) and all(_is_number(figure) for figure in record.metrics.values())
    _expect(numbers, "metrics", record.metrics, "names and finite numbers")


def check_names_and_shapes(expected: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> None:
    """Raise WeightsError unless the tensors are those of the network."""
    missing = [name for name in expected if name not in tensors]
    extra = [name for name in tensors if name not in expected]
    unlike = [
        f"{name} is {_describe(tensors[name])}, not {_describe(expected[name])}"
        for name in expected
        if name in tensors and _describe(tensors[name]) != _describe(expected[name])
    ]
    complaints = [
        f"{what} {_shortened(names)}"
        for what, names in (("lacks", missing), ("has unknown", extra), ("has misfits:", unlike))
        if names
    ]
    if complaints:
        raise WeightsError(f"the tensors are not those of the network: it {'; '.join(complaints)}; {GET_OTHERS}")


def check_finite(tensors: Mapping[str, Tensor]) -> None:
    """Raise WeightsError when a tensor holds NaN or infinity."""
    broken = [name for name, tensor in tensors.items() if not bool(torch.isfinite(tensor).all())]
    if broken:
        raise WeightsError(f"NaN or infinity in {_shortened(broken)}; the training diverged, export another checkpoint")


def _fields_of(cls: type, values: Any, where: str) -> dict[str, Any]:
    names = {field.name for field in fields(cls)}
    if not isinstance(values, dict) or set(values) != names:
        found = sorted(values) if isinstance(values, dict) else values
        raise WeightsError(f"its metadata '{where}' should hold {sorted(names)} but holds {found}; {GET_OTHERS}")
    return dict(values)


def _expect(holds: bool, name: str, value: object, expected: str) -> None:
    if not holds:
        raise WeightsError(f"its metadata says {name} = {value!r}, which should be {expected}; {GET_OTHERS}")


def _expect_between(name: str, value: object, low: float, high: float) -> None:
    within = isinstance(value, int | float) and _is_number(value) and low <= value <= high
    _expect(within, name, value, f"a number from {low:g} to {high:g}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_whole(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _describe(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {list(tensor.shape)}"


def _shortened(names: list[str]) -> str:
    more = f" and {len(names) - LONGEST_LIST} more" if len(names) > LONGEST_LIST else ""
    return ", ".join(names[:LONGEST_LIST]) + more
