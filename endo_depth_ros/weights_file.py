"""Weights in one safetensors file with a record of what they are; nothing is ever unpickled."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

# How zip files (torch.save since 1.6) and pickles of protocol 2 and newer begin.
PICKLE_STARTS = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
GET_OTHERS = "get the file again, or export it anew from its checkpoint"
LONGEST_LIST = 3

Record = TypeVar("Record")
Network = TypeVar("Network", bound=nn.Module)


class WeightsError(ValueError):
    """The file can't be used; the text names it and says why and what to do."""


@dataclass(frozen=True)
class WeightsKind:
    """Which network's weights a file holds; its metadata says the same, word by word.

    export: the command that makes such a file.
    """

    schema: str
    architecture: str
    normalisation: str
    export: str


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let every WeightsError within say which file it is about."""
    try:
        yield
    except WeightsError as error:
        raise WeightsError(f"{path}: {error}") from error


def load_network(
    path: Path, kind: WeightsKind, read_record: Callable[[Any], Record], make: Callable[[Record], Network]
) -> tuple[Network, Record]:
    """The network of a file with its weights, in inference mode on the CPU, and its record. Raises WeightsError.

    read_record: checks the record's values, raising WeightsError. make: the network that a record describes.
    """
    try:
        with naming(path):
            tensors, values = read_weights_file(path, kind)
            record = read_record(values)
            with torch.device("meta"):
                network = make(record)
            check_names_and_shapes(network.state_dict(), tensors)
    except OSError as error:
        raise WeightsError(f"{path}: can't be read ({error.strerror or error})") from error
    network.load_state_dict(tensors, assign=True)
    return network.eval(), record


def write_weights_file(path: Path, kind: WeightsKind, tensors: Mapping[str, Tensor], record: dict[str, Any]) -> None:
    """Write the file, whole or not at all. Raises WeightsError for NaN and infinity, OSError."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    check_finite(tensors)
    metadata = {
        "schema": kind.schema,
        "architecture": kind.architecture,
        "normalisation": kind.normalisation,
        "record": json.dumps(record),
    }
    temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        save_file(tensors, temporary, metadata)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def read_weights_file(path: Path, kind: WeightsKind) -> tuple[dict[str, Tensor], Any]:
    """Tensors, all finite, and the record as it was written. Raises WeightsError without the file's name, OSError."""
    check_kind(path, kind)
    try:
        with safe_open(path, framework="pt") as file:
            record = read_metadata(file.metadata() or {}, kind)
            names = file.keys()
            # Copies: a file that is overwritten later would otherwise take the process with it.
            tensors = {name: file.get_tensor(name).clone() for name in names}
    except SafetensorError as error:
        raise WeightsError(f"not a whole safetensors file ({error}); {GET_OTHERS}") from error
    check_finite(tensors)
    return tensors, record


def check_kind(path: Path, kind: WeightsKind) -> None:
    """Raise WeightsError for files that are no safetensors at first sight, OSError for those that can't be read."""
    with path.open("rb") as file:
        start = file.read(9)
    if not start:
        raise WeightsError(f"the file is empty; {GET_OTHERS}")
    if start.startswith(PICKLE_STARTS):
        raise WeightsError(
            "a PyTorch checkpoint or other pickle, which could run code and is never loaded; "
            f"make weights of it: {kind.export}"
        )
    if len(start) < 9 or start[8:] != b"{":
        raise WeightsError(f"not a safetensors file; {GET_OTHERS}")


def read_metadata(metadata: Mapping[str, str], kind: WeightsKind) -> Any:
    """The record in a file's metadata, as JSON has it. Raises WeightsError."""
    for key in ("schema", "architecture", "normalisation"):
        found, known = metadata.get(key), getattr(kind, key)
        if found is None:
            raise WeightsError(f"its metadata has no '{key}': not weights of endo_depth_ros")
        if found != known:
            raise WeightsError(f"its {key} is '{found}' but this version of endo_depth_ros reads '{known}' only")
    try:
        return json.loads(metadata.get("record", ""))
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"its metadata has no readable 'record' ({error}); {GET_OTHERS}") from error


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


def fields_of(cls: type, values: Any, where: str) -> dict[str, Any]:
    """The values of a record that was a dataclass, exactly its fields. Raises WeightsError."""
    names = {field.name for field in fields(cls)}
    if not isinstance(values, dict) or set(values) != names:
        found = sorted(values) if isinstance(values, dict) else values
        raise WeightsError(f"its metadata '{where}' should hold {sorted(names)} but holds {found}; {GET_OTHERS}")
    return dict(values)


def expect(holds: bool, name: str, value: object, expected: str) -> None:
    """Raise WeightsError for a value of the record that no training gives."""
    if not holds:
        raise WeightsError(f"its metadata says {name} = {value!r}, which should be {expected}; {GET_OTHERS}")


def expect_between(name: str, value: object, low: float, high: float) -> None:
    """Raise WeightsError for what is no number from low to high."""
    within = isinstance(value, int | float) and is_number(value) and low <= value <= high
    expect(within, name, value, f"a number from {low:g} to {high:g}")


def expect_training(recipe: object, commit: object, licence: object, metrics: object) -> None:
    """Raise WeightsError where a record doesn't say how the weights came about."""
    for name, text in (("recipe", recipe), ("commit", commit), ("licence", licence)):
        expect(isinstance(text, str) and text != "", name, text, "a text")
    numbers = isinstance(metrics, dict) and all(is_number(figure) for figure in metrics.values())
    expect(numbers, "metrics", metrics, "names and finite numbers")


def is_number(value: object) -> bool:
    """Whether it is a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= sys.float_info.max  # whole numbers of JSON may be larger


def is_whole(value: object, low: int, high: int) -> bool:
    """Whether it is a whole number from low to high."""
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _describe(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {list(tensor.shape)}"


def _shortened(names: list[str]) -> str:
    more = f" and {len(names) - LONGEST_LIST} more" if len(names) > LONGEST_LIST else ""
    return ", ".join(names[:LONGEST_LIST]) + more
