"""Named protocols: what published evaluations count, how they align and crop, and the figures they published."""

from __future__ import annotations

import dataclasses
import math
import re
import types
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np
import yaml
from numpy.typing import NDArray

from endo_depth_ros.evaluation.depth_alignment import ALIGNMENTS
from endo_depth_ros.evaluation.depth_metrics import DepthErrors, DepthProtocol
from endo_depth_ros.evaluation.temporal import PixelConvention
from endo_depth_ros.registry import UnknownNameError

# Metres in a protocol's unit; relative depth has none.
UNITS = {"m": 1.0, "cm": 0.01, "mm": 0.001, "relative": 1.0}
BUILT_IN = "default", "scared_af", "scared_endodav", "hamlyn", "servct", "endoslam", "c3vd", "simcol3d"
PIXELS = "truth", "prediction"
# Published figures that are no field of DepthErrors.
OTHER_FIGURES = ("tae", "snippet_ate", "snippet_ate_2", "trajectory_ate")


class ProtocolError(ValueError):
    """A protocol can't be used; the text says which, why and what to do."""


@dataclass(frozen=True)
class Crop:
    """A window of images and truth, before anything is predicted, in pixels of the data set's own size.

    sequences: regular expression that a sequence's whole name matches, so that it is cropped.
    """

    x: int
    y: int
    width: int
    height: int
    sequences: str = ".*"

    def window(self, height: int, width: int) -> tuple[slice, slice]:
        """Rows and columns of the window in an image [height, width]. Raises ProtocolError where it leaves it."""
        if self.x + self.width > width or self.y + self.height > height:
            raise ProtocolError(
                f"the crop {self.width}x{self.height} at ({self.x}, {self.y}) leaves the {width}x{height} image; "
                "give images of the data set's own size"
            )
        return slice(self.y, self.y + self.height), slice(self.x, self.x + self.width)


@dataclass(frozen=True)
class Temporal:
    """How temporal alignment error is taken: of depth aligned by `alignment`, pixels carried by `convention`."""

    alignment: str
    convention: str


@dataclass(frozen=True)
class Published:
    """One published result under this protocol, in its unit; NaN where it was not reported.

    source: where the figure stands. note: what a reader must know to compare, or ''.
    """

    method: str
    source: str
    figures: Mapping[str, float]
    note: str = ""


@dataclass(frozen=True)
class Protocol:
    """A published way of evaluating.

    unit: of all lengths in it and in its figures. dataset: its name in endo_depth_ros.datasets, or '' for any.
    min_depth, max_depth, clip, clip_raw, relative_offset: see DepthProtocol. alignment: the one that its figures were
    made with; also_report: others to stand beside it. pixels: errors are taken in the pixels of the truth, as published
    evaluations do, or of the prediction, which is what users of depth_node get. crops: the first whose `sequences`
    matches a name. sequences: regular expression of the test sequences. headline: figures of its table, in order.
    temporal, snippet_length: how TAE and windowed trajectory errors are taken, or None. warning: what makes its figures
    doubtful.
    """

    name: str
    title: str
    source: str
    unit: str = "mm"
    dataset: str = ""
    min_depth: float = 0.0
    max_depth: float = math.inf
    clip: tuple[float, float] | None = None
    clip_raw: tuple[float, float] | None = None
    relative_offset: float = 0.0
    alignment: str = "image_median"
    also_report: tuple[str, ...] = ()
    pixels: str = "truth"
    crops: tuple[Crop, ...] = ()
    sequences: str = ".*"
    headline: tuple[str, ...] = ("abs_rel", "sq_rel", "rmse", "rmse_log", "delta1")
    temporal: Temporal | None = None
    snippet_length: int | None = None
    warning: str = ""
    published: tuple[Published, ...] = ()

    @property
    def counting(self) -> DepthProtocol:
        """What evaluate_depth counts, for depth in the protocol's unit."""
        return DepthProtocol(self.min_depth, self.max_depth, self.clip, self.clip_raw, self.relative_offset)

    @property
    def alignments(self) -> tuple[str, ...]:
        """The protocol's own alignment first, then those beside it."""
        return (self.alignment, *(name for name in self.also_report if name != self.alignment))

    def in_unit(self, depth_m: NDArray[np.floating]) -> NDArray[np.floating]:
        """Depth in metres as float64 in the protocol's unit."""
        return np.asarray(depth_m, np.float64) / UNITS[self.unit]

    def crop_of(self, sequence: str) -> Crop | None:
        """The crop of a sequence, None for the whole image."""
        return next((crop for crop in self.crops if re.fullmatch(crop.sequences, sequence)), None)

    def tests(self, sequence: str) -> bool:
        """Whether the sequence belongs to the protocol's test set."""
        return re.fullmatch(self.sequences, sequence) is not None


def load_protocol(name_or_path: str) -> Protocol:
    """A protocol of this package by name, or one's own by the path of its .yaml. Raises ProtocolError."""
    if name_or_path in BUILT_IN:
        text = (files("endo_depth_ros.evaluation") / "protocols" / f"{name_or_path}.yaml").read_text()
        return parse_protocol(text, name_or_path)
    path = Path(name_or_path)
    if path.suffix != ".yaml":
        raise ProtocolError(
            f"there is no protocol '{name_or_path}'; choose {', '.join(BUILT_IN)}, or give a .yaml file"
        )
    try:
        return parse_protocol(path.read_text(), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ProtocolError(f"{path}: not a readable file ({error}); check the path") from error


def parse_protocol(text: str, where: str) -> Protocol:
    """The protocol in a YAML document; `where` stands before every complaint. Raises ProtocolError."""
    try:
        document = yaml.safe_load(text)
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise ProtocolError(f"{where}: not a YAML document ({' '.join(str(error).split())}); correct it") from error
    try:
        protocol: Protocol = _build(Protocol, document, "the protocol")
        _check(protocol)
    except ProtocolError as error:
        raise ProtocolError(f"{where}: {error}") from error
    return protocol


def _check(protocol: Protocol) -> None:
    if protocol.unit not in UNITS:
        raise ProtocolError(f"unit is '{protocol.unit}'; choose one of: {', '.join(UNITS)}")
    if not 0 <= protocol.min_depth < protocol.max_depth:
        raise ProtocolError(f"min_depth {protocol.min_depth} and max_depth {protocol.max_depth} leave no depth between")
    if protocol.pixels not in PIXELS:
        raise ProtocolError(f"pixels is '{protocol.pixels}'; choose one of: {', '.join(PIXELS)}")
    for name in ("clip", "clip_raw"):
        limits = getattr(protocol, name)
        if limits is not None and not 0 <= limits[0] < limits[1]:
            raise ProtocolError(f"{name} {list(limits)} leaves no depth between; give [near, far]")
    used = [*protocol.alignments, *([protocol.temporal.alignment] if protocol.temporal else [])]
    for name in used:
        try:
            ALIGNMENTS.get(name)
        except UnknownNameError as error:
            raise ProtocolError(str(error)) from error
    if protocol.temporal and protocol.temporal.convention not in [one.value for one in PixelConvention]:
        known = ", ".join(one.value for one in PixelConvention)
        raise ProtocolError(f"temporal.convention is '{protocol.temporal.convention}'; choose one of: {known}")
    for expression in (protocol.sequences, *(crop.sequences for crop in protocol.crops)):
        _check_expression(expression)
    figures = {*(field.name for field in dataclasses.fields(DepthErrors)), *OTHER_FIGURES}
    named = [*protocol.headline, *(name for result in protocol.published for name in result.figures)]
    unknown = [name for name in named if name not in figures]
    if unknown:
        raise ProtocolError(f"there is no figure '{unknown[0]}'; known: {', '.join(sorted(figures))}")


def _check_expression(expression: str) -> None:
    try:
        re.compile(expression)
    except re.error as error:
        raise ProtocolError(f"'{expression}' is no regular expression ({error}); correct it") from error


def _build(cls: Any, document: Any, what: str) -> Any:
    """An instance of a dataclass from a mapping, checked key by key and type by type."""
    if not isinstance(document, dict):
        raise ProtocolError(f"{what} is {_kind(document)}; write a mapping of its keys")
    fields = {field.name: field for field in dataclasses.fields(cls)}
    unknown = [str(key) for key in document if key not in fields]
    if unknown:
        raise ProtocolError(f"{what} has no key '{unknown[0]}'; known: {', '.join(fields)}")
    missing = [n for n, f in fields.items() if f.default is dataclasses.MISSING and n not in document]
    if missing:
        raise ProtocolError(f"{what} lacks the key '{missing[0]}'; add it")
    hints = get_type_hints(cls)
    return cls(**{key: _convert(hints[key], value, f"{what}'s {key}") for key, value in document.items()})


def _convert(hint: Any, value: Any, what: str) -> Any:
    """The value as the type that a field declares. Raises ProtocolError for another."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        inner = next(argument for argument in arguments if argument is not type(None))
        return None if value is None else _convert(inner, value, what)
    if dataclasses.is_dataclass(hint):
        return _build(hint, value, what)
    if origin is tuple:
        return _convert_list(arguments, value, what)
    if origin is Mapping:
        if not isinstance(value, dict):
            raise ProtocolError(f"{what} is {_kind(value)}; write a mapping of names to numbers")
        return {str(key): _convert(arguments[1], number, f"{what}.{key}") for key, number in value.items()}
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not hint:
        raise ProtocolError(f"{what} is {_kind(value)}; write a {hint.__name__}")
    return value


def _convert_list(arguments: tuple[Any, ...], value: Any, what: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise ProtocolError(f"{what} is {_kind(value)}; write a list")
    if arguments[-1] is Ellipsis:
        return tuple(_convert(arguments[0], each, f"{what}[{index}]") for index, each in enumerate(value))
    if len(value) != len(arguments):
        raise ProtocolError(f"{what} has {len(value)} entries; write {len(arguments)}")
    return tuple(
        _convert(hint, each, f"{what}[{index}]")
        for index, (hint, each) in enumerate(zip(arguments, value, strict=True))
    )


def _kind(value: Any) -> str:
    return "empty" if value is None else f"{value!r} ({type(value).__name__})"
