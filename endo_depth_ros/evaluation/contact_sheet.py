"""One picture of a handful of frames: colour, depth, truth, relative error, with colour bars."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.imaging.colormap import colorize_depth

Picture = NDArray[np.uint8]
TILE_WIDTH = 320
ERROR_END = 0.3
SIGMA_END = 0.6
_TITLE, _GAP, _BAR, _BAR_LABELS = 26, 4, 16, 64
_INK = (235, 235, 235)
_HATCH_RGB, _HATCH_PERIOD = (90, 90, 90), 8


class ContactSheetError(ValueError):
    """The frames can't be laid out; the text says why and what to do."""


@dataclass(frozen=True, eq=False)
class SheetRow:
    """One frame of a sheet.

    image: RGB uint8 [H, W, 3]; depth, truth, sigma: float [H, W] in one unit, NaN where there is none.
    """

    label: str
    image: Picture
    depth: NDArray[np.floating]
    truth: NDArray[np.floating] | None = None
    sigma: NDArray[np.floating] | None = None


@dataclass(frozen=True)
class DepthUnit:
    """How depth is printed: `per_depth` units make one unit of the maps."""

    name: str = "mm"
    per_depth: float = 1000.0


@dataclass(frozen=True)
class _Column:
    """A column of tiles: how a row is drawn in it, and the ramp and labels of its colour bar."""

    title: str
    draw: Callable[[SheetRow], Picture]
    ramp: Picture | None = None
    labels: tuple[str, ...] = ()


MILLIMETRES = DepthUnit()


def contact_sheet(rows: Sequence[SheetRow], unit: DepthUnit = MILLIMETRES, depth_title: str = "depth") -> Picture:
    """RGB uint8 picture with one row per frame; columns for truth, error and sigma where any row has them.

    Depth and truth share the colours of the central 96 % of all depths shown. Invalid pixels are hatched.
    Raises ContactSheetError without rows, and for maps that are not of their image's size.
    """
    _check(rows)
    columns = _columns(rows, unit, depth_title)
    lines = [np.hstack([_titled(column, TILE_WIDTH) for column in columns])]
    for row in rows:
        tiles = [_framed(column.draw(row), column) for column in columns]
        lines.append(np.hstack(tiles))
        _write(lines[-1], row.label, (8, 20))
    height = sum(len(line) for line in lines[1:])
    sheet = np.vstack(lines)
    x = 0
    for column in columns:
        x += TILE_WIDTH + _GAP
        if column.ramp is not None:
            _draw_bar(sheet, column, x, _TITLE, min(height, 3 * len(lines[1])))
            x += _BAR + _BAR_LABELS
    return sheet


def _columns(rows: Sequence[SheetRow], unit: DepthUnit, depth_title: str) -> list[_Column]:
    near, far = _shown_range(rows)
    ticks = np.geomspace(near, far, 5)
    depth_ramp = colorize_depth(np.geomspace(near, far, 256, dtype=np.float32)[:, None], near, far)
    depth_labels = tuple(f"{tick * unit.per_depth:.3g} {unit.name}" for tick in ticks)
    columns = [_Column("image", lambda row: _fit(row.image, cv2.INTER_AREA))]
    columns.append(_Column(depth_title, lambda row: _depth_tile(row.depth, near, far), depth_ramp, depth_labels))
    if any(row.truth is not None for row in rows):
        columns.append(_Column("true depth", lambda row: _depth_tile(_or_nothing(row.truth, row), near, far)))
        columns.append(_fraction_column("|depth - truth| / truth", _relative_error, ERROR_END))
    if any(row.sigma is not None for row in rows):
        columns.append(_fraction_column("sigma / depth", _relative_sigma, SIGMA_END))
    return columns


def _fraction_column(title: str, values: Callable[[SheetRow], NDArray[Any]], end: float) -> _Column:
    """A column of fractions from 0 to `end`, dark to bright."""

    def colors(fraction: NDArray[Any]) -> Picture:
        level = np.nan_to_num(np.clip(fraction / end, 0, 1)) * 255
        return np.asarray(cv2.applyColorMap(level.astype(np.uint8), cv2.COLORMAP_VIRIDIS)[..., ::-1], np.uint8)

    def draw(row: SheetRow) -> Picture:
        fraction = _fit(values(row), cv2.INTER_NEAREST)
        return _hatched(colors(fraction), ~np.isfinite(fraction))

    ramp = colors(np.linspace(end, 0, 256)[:, None])
    labels = tuple(f"{100 * tick:.3g} %" for tick in np.linspace(end, 0, 4))
    return _Column(title, draw, ramp, (f">{labels[0]}", *labels[1:]))


def _relative_error(row: SheetRow) -> NDArray[Any]:
    truth = _or_nothing(row.truth, row)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(np.isfinite(row.depth) & (truth > 0), np.abs(row.depth - truth) / truth, np.nan)


def _relative_sigma(row: SheetRow) -> NDArray[Any]:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(np.isfinite(row.depth), _or_nothing(row.sigma, row) / row.depth, np.nan)


def _or_nothing(values: NDArray[np.floating] | None, row: SheetRow) -> NDArray[Any]:
    return np.full(row.depth.shape, np.nan) if values is None else values


def _shown_range(rows: Sequence[SheetRow]) -> tuple[float, float]:
    """Depth at which 2 % and 98 % of everything finite is nearer; a token range where there is none."""
    maps = [m for row in rows for m in (row.depth, row.truth) if m is not None]
    values = np.concatenate([m[np.isfinite(m) & (m > 0)] for m in maps])
    if not len(values):
        return 1.0, 2.0
    near, far = np.quantile(values, [0.02, 0.98]).tolist()
    return near, max(far, 1.01 * near)


def _depth_tile(depth: NDArray[Any], near: float, far: float) -> Picture:
    shown = _fit(depth, cv2.INTER_NEAREST)
    return _hatched(colorize_depth(shown, near, far), np.isnan(shown))


def _fit(picture: NDArray[Any], interpolation: int) -> NDArray[Any]:
    height = round(picture.shape[0] * TILE_WIDTH / picture.shape[1])
    return cv2.resize(picture, (TILE_WIDTH, height), interpolation=interpolation)


def _hatched(picture: Picture, invalid: NDArray[np.bool_]) -> Picture:
    """The picture, black with diagonal lines where it says nothing."""
    y, x = np.indices(invalid.shape)
    picture[invalid] = 0
    picture[invalid & ((x + y) % _HATCH_PERIOD == 0)] = _HATCH_RGB
    return picture


def _framed(tile: Picture, column: _Column) -> Picture:
    side = _BAR + _BAR_LABELS if column.ramp is not None else 0
    return np.pad(tile, ((0, _GAP), (0, _GAP + side), (0, 0)))


def _titled(column: _Column, width: int) -> Picture:
    title = _framed(np.zeros((_TITLE - _GAP, width, 3), np.uint8), column)
    _write(title, column.title, (4, _TITLE - 9))
    return title


def _draw_bar(sheet: Picture, column: _Column, x: int, top: int, height: int) -> None:
    """The column's colour bar into the sheet at (x, top), first label at its top."""
    assert column.ramp is not None
    height -= 2 * _GAP
    bar = cv2.resize(column.ramp, (_BAR, height), interpolation=cv2.INTER_NEAREST)
    sheet[top : top + height, x : x + _BAR] = bar
    for label, y in zip(column.labels, np.linspace(top + 10, top + height - 2, len(column.labels)), strict=True):
        _write(sheet, label, (x + _BAR + 3, round(y)))


def _write(picture: Picture, text: str, at: tuple[int, int]) -> None:
    cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 3, cv2.LINE_AA)
    cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.42, _INK, 1, cv2.LINE_AA)


def _check(rows: Sequence[SheetRow]) -> None:
    if not rows:
        raise ContactSheetError("there is no frame to show; give at least one")
    for row in rows:
        for name, values in (("depth", row.depth), ("truth", row.truth), ("sigma", row.sigma)):
            size = row.image.shape[:2]
            if values is not None and values.shape != size:
                raise ContactSheetError(f"{row.label}: {name} is {values.shape} but the image is {size}; resample it")
