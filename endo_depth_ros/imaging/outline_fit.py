"""Fits outlines to the edge between the lit part of an image and its dark border."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.imaging.outline import CORNERS, NO_CUTS, Outline

# Grey levels: a border may be this bright, and lit is what exceeds the border by this much.
MAX_BORDER_LEVEL, MIN_CONTRAST, MAX_THRESHOLD = 40.0, 10.0, 48.0
MIN_RING_FRACTION = 0.02  # of the image's edge must be dark before there can be a border
MIN_LIT_FRACTION = 0.03
MIN_BORDER_FRACTION = 0.003
MIN_EDGE_POINTS = 16
TEXT_STROKE_PX = 7  # lit things thinner than this are graphics, not tissue
TOLERANCE_PX = 1.5
MIN_AGREEMENT = 0.6
OCTAGON_PENALTY, SLICED_DISC_PENALTY = 0.05, 0.1
MAX_LIT_OUTSIDE = 0.02
MIN_SHARP_FRACTION = 0.5
SHARP_JUMP_SHARE = 0.55
MIN_SUPPORT = 0.08  # of the points of a side must lie on one line
MAX_UNEVENNESS = 0.1  # of a cut's legs; cuts that differ by more are of no symmetric octagon
MIN_CUT_FRACTION = 0.08  # of the box's shorter side; smaller cuts are rounded corners
DENT_SECTORS, MIN_DENT_PX, MAX_DENT = 72, 1.0, 0.1  # the last as a share of the radius
CUT_ANGLES, MIN_CUT_POINTS = np.radians(np.arange(20, 75, 5)), 8
MIN_SLICE_PX, SLICE_TOLERANCE_PX, MIN_SLICE_SUPPORT = 2.5, 3.0, 0.6  # slices of rectified discs are slightly bent
HYPOTHESES = 200

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class EdgePoints:
    """Where rows and columns enter and leave the lit part: (x, y) in pixels, the image's own edges left out.

    entries: [n, 2] for left, top, right, bottom. sides: those near the convex hull of the lit part, since a dark lumen
    at the border dents the lit part, but not its hull. cut: whether the lit part runs into that edge of the image.
    """

    entries: tuple[Array, Array, Array, Array]
    sides: tuple[Array, Array, Array, Array]
    cut: tuple[bool, bool, bool, bool]

    @property
    def all(self) -> Array:
        """All points near the hull, [N, 2]."""
        return np.concatenate(self.sides)


def find_outline(brightness: NDArray[np.uint8]) -> Outline | None:
    """The outline of the lit part of an image, uint8 [h, w]; the whole image where it has no dark border.

    None where it does not tell: dark at the edges, but without a sharp outline of a known shape.
    """
    height, width = brightness.shape
    whole = Outline((width, height), (0.0, 0.0, float(width), float(height)))
    threshold = _border_threshold(brightness)
    if threshold is None:
        return whole
    lit = _main_part(brightness > threshold)
    if lit.mean() < MIN_LIT_FRACTION:
        return None
    points = _edge_points(brightness.astype(np.float64), lit)
    if 1 - lit.mean() < MIN_BORDER_FRACTION or len(points.all) < MIN_EDGE_POINTS:
        return whole
    candidates = [_fit_polygon(points, whole.size), _fit_disc(points, whole.size)]
    clear = [c for c in candidates if c is not None and _is_clear(c, points.all, brightness, lit)]
    best = max(clear, key=lambda outline: _plausibility(outline, points.all), default=None)
    return _with_dents(best, points.all, brightness) if best is not None and best.shape == "disc" else best


def _plausibility(outline: Outline, points: Array) -> float:
    """Agreement, less for outlines with so many parts that they follow anything round."""
    ends = (0.0, 0.0, *outline.size)
    slices = sum(at != end for at, end in zip(outline.box, ends, strict=True))
    penalties = {"octagon": OCTAGON_PENALTY, "disc": SLICED_DISC_PENALTY if slices > 2 else 0.0}
    return _agreement(outline, points) - penalties.get(outline.shape, 0.0)


def _border_threshold(brightness: NDArray[np.uint8]) -> float | None:
    """The grey level that separates border and lit, from the dark pixels at the image's edge; None without any."""
    ring = np.concatenate([brightness[:2].ravel(), brightness[-2:].ravel(), brightness[:, :2].ravel()])
    ring = np.concatenate([ring, brightness[:, -2:].ravel()]).astype(np.float64)
    dark = ring[ring <= MAX_BORDER_LEVEL]
    if len(dark) < MIN_RING_FRACTION * len(ring):
        return None
    level = float(np.median(dark))
    noise = float(np.median(np.abs(dark - level)))
    return min(level + max(MIN_CONTRAST, 6 * noise), MAX_THRESHOLD)


def _main_part(lit: Mask) -> Mask:
    """The largest connected part of bool [h, w], without the graphics beside and at it."""
    kernel = np.ones((TEXT_STROKE_PX, TEXT_STROKE_PX), np.uint8)
    # Outside counts as lit, so that tissue at the image's edge is not mistaken for a thin thing.
    pad = TEXT_STROKE_PX
    padded = cv2.copyMakeBorder(lit.astype(np.uint8), pad, pad, pad, pad, cv2.BORDER_REPLICATE)
    opened = cv2.morphologyEx(padded, cv2.MORPH_OPEN, kernel)[pad:-pad, pad:-pad]
    count, labels, stats, _ = cv2.connectedComponentsWithStats(np.ascontiguousarray(opened))
    if count < 2:
        return np.zeros_like(lit)
    main = labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    # The opening rounds corners; give them back.
    grown = cv2.dilate(main.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    return lit & grown


def _edge_points(brightness: Array, lit: Mask) -> EdgePoints:
    """Edge points of the lit part, bool [h, w], to a fraction of a pixel."""
    height, width = lit.shape
    left = _entries(brightness, lit)
    top = _entries(brightness.T, lit.T)[:, ::-1]
    right = [width, 0] + _entries(brightness[:, ::-1], lit[:, ::-1]) * [-1, 1]
    bottom = [0, height] + _entries(brightness[::-1].T, lit[::-1].T)[:, ::-1] * [1, -1]
    entries = (left, top, right, bottom)
    near = _near_hull(lit)
    kept = [side[_sample(near, side) > 0] for side in entries]
    ends = (lit[:, :2].any(axis=1), lit[:2].any(axis=0), lit[:, -2:].any(axis=1), lit[-2:].any(axis=0))
    cut = [bool(end.mean() > MIN_SUPPORT) for end in ends]
    return EdgePoints(entries, (kept[0], kept[1], kept[2], kept[3]), (cut[0], cut[1], cut[2], cut[3]))


def _near_hull(lit: Mask) -> NDArray[np.uint8]:
    """1 on a band of a few pixels along the convex hull of the lit part, uint8 [h, w]."""
    contours, _ = cv2.findContours(lit.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    band = np.zeros(lit.shape, np.uint8)
    cv2.polylines(band, [cv2.convexHull(np.concatenate(contours))], True, 1, thickness=5)
    return band


def _entries(brightness: Array, lit: Mask) -> Array:
    """(x, y) where each row of the lit part begins; rows that begin at the image's edge are left out."""
    first = np.argmax(lit, axis=1)
    rows = np.flatnonzero(lit.any(axis=1) & (first >= 2))
    x = first[rows]
    # The first lit pixel is lit in part; how much tells where in it the edge lies.
    behind = np.minimum(x + 2, lit.shape[1] - 1)
    covered = np.clip(brightness[rows, x] / np.maximum(brightness[rows, behind], 1), 0, 1)
    return np.stack([x + 1 - covered, rows + 0.5], axis=1)


def _agreement(outline: Outline, points: Array) -> float:
    """Fraction of edge points that lie on the outline."""
    return float((np.abs(outline.distance(points[:, 0], points[:, 1])) <= TOLERANCE_PX).mean())


def _is_clear(outline: Outline, points: Array, brightness: NDArray[np.uint8], lit: Mask) -> bool:
    """Whether the edge points lie on the outline, nothing is lit outside it, and the light ends there abruptly.

    The last tells a scope's rim from the slow fall-off of a lens or a lamp.
    """
    height, width = lit.shape
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    outside = outline.distance(x, y) > TOLERANCE_PX
    if outside.mean() < MIN_BORDER_FRACTION or (lit & outside).sum() > MAX_LIT_OUTSIDE * lit.sum():
        return False
    if _agreement(outline, points) < MIN_AGREEMENT:
        return False
    on = points[np.abs(outline.distance(points[:, 0], points[:, 1])) <= TOLERANCE_PX]
    sharp = _is_sharp(on, np.array([x[lit].mean(), y[lit].mean()]), brightness)
    return float(sharp.mean()) >= MIN_SHARP_FRACTION


def _is_sharp(points: Array, middle: Array, brightness: NDArray[np.uint8]) -> Mask:
    """Where most of the fall of brightness away from the middle happens within a few pixels, bool [n]."""
    inward = middle - points
    inward /= np.maximum(np.hypot(inward[:, 0], inward[:, 1])[:, None], 1e-9)
    jump = _sample(brightness, points + 2.5 * inward) - _sample(brightness, points - 2.5 * inward)
    rise = _sample(brightness, points + 7 * inward) - _sample(brightness, points - 7 * inward)
    return (jump >= MIN_CONTRAST) & (jump >= SHARP_JUMP_SHARE * rise)


def _sample(brightness: NDArray[np.uint8], at: Array) -> Array:
    height, width = brightness.shape
    columns = np.clip(at[:, 0], 0, width - 1).astype(np.intp)
    rows = np.clip(at[:, 1], 0, height - 1).astype(np.intp)
    return brightness[rows, columns].astype(np.float64)


def _fit_polygon(points: EdgePoints, size: tuple[int, int]) -> Outline | None:
    """A box through the outermost lines that the points support, with its corners cut."""
    ends = (0.0, 0.0, float(size[0]), float(size[1]))
    box = [_fit_side(points, side, ends[side]) for side in range(4)]
    extent = np.array([box[2] - box[0], box[3] - box[1]])
    if extent.min() < TEXT_STROKE_PX:
        return None
    cuts = []
    for i, j in CORNERS:
        from_corner = np.abs(points.all - [box[i], box[j]])
        legs = _fit_cut(from_corner[(from_corner < extent / 2).all(axis=1)])
        cuts.append(legs if min(legs) >= MIN_CUT_FRACTION * extent.min() else (0.0, 0.0))
    return Outline(size, (box[0], box[1], box[2], box[3]), cuts=_evened(cuts))


def _fit_side(points: EdgePoints, side: int, end: float) -> float:
    """Coordinate of the box's left (0), top (1), right (2) or bottom (3) side; `end` where the lit part meets it."""
    if points.cut[side]:
        return end
    inward = np.abs(points.sides[side][:, side % 2] - end)
    return abs(end - _outermost_line(inward))


def _evened(cuts: list[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """The four cuts, all alike where they nearly are: scopes are symmetric, and dark tissue hides part of a corner."""
    legs = np.array(cuts)
    common = np.median(legs, axis=0)
    if (np.abs(legs - common) <= MAX_UNEVENNESS * common).all():
        return ((float(common[0]), float(common[1])),) * 4
    return tuple(cuts)


def _fit_cut(from_corner: Array) -> tuple[float, float]:
    """Legs (x, y) of the cut at a corner, 0 where the points go right into it; points [n, 2] as seen from the corner.

    The outermost line at each of a few angles, then the one with most points on it, fitted to them.
    """
    normals = np.stack([np.cos(CUT_ANGLES), np.sin(CUT_ANGLES)], axis=1)
    depths = from_corner @ normals.T
    on_line = np.array([np.abs(d - _outermost_line(d)) <= 2 * TOLERANCE_PX for d in depths.T])
    best = int(np.argmax(on_line.sum(axis=1)))
    on = from_corner[on_line[best]]
    if len(on) < MIN_CUT_POINTS or not _outermost_line(depths[:, best]):
        return 0.0, 0.0
    along_x, along_y, x, y = cv2.fitLine(on.astype(np.float32), cv2.DIST_HUBER, 0, 0.01, 0.01).ravel()
    across_x, across_y = -along_y, along_x
    depth = across_x * x + across_y * y
    if across_x * across_y <= 0:
        return 0.0, 0.0
    return float(depth / across_x), float(depth / across_y)


def _outermost_line(depths: Array) -> float:
    """The smallest depth at which enough points lie on one line, 0 where none do."""
    enough = max(5, math.ceil(MIN_SUPPORT * len(depths)))
    if len(depths) < enough:
        return 0.0
    depths = np.sort(depths)
    spans = depths[enough - 1 :] - depths[: len(depths) - enough + 1]
    supported = np.flatnonzero(spans <= 1.0)
    if not len(supported):
        return 0.0
    near = depths[supported[0]]
    return float(np.median(depths[(depths >= near) & (depths <= near + TOLERANCE_PX)]))


def _fit_disc(points: EdgePoints, size: tuple[int, int]) -> Outline | None:
    """The circle that most points lie on (RANSAC, then least squares), sliced where it has a straight side."""
    circle = _best_circle(points.all, size)
    if circle is None:
        return None
    x, y, r = circle
    ends = (0.0, 0.0, float(size[0]), float(size[1]))
    box = [_slice(points.entries[side], side, circle, ends[side]) for side in range(4)]
    return Outline(size, (box[0], box[1], box[2], box[3]), (x, y), (r, r), NO_CUTS)


def _with_dents(disc: Outline, points: Array, brightness: NDArray[np.uint8]) -> Outline:
    """The disc, drawn in where a sharp edge lies a little inside it, as rectified and shifted discs have it."""
    from_centre = points - disc.centre
    radius = disc.radius[0]
    inset = radius - np.hypot(from_centre[:, 0], from_centre[:, 1])
    x, y = points.T
    off_slices = np.min([x - disc.box[0], y - disc.box[1], disc.box[2] - x, disc.box[3] - y], axis=0)
    usable = (off_slices > SLICE_TOLERANCE_PX) & (inset < MAX_DENT * radius)
    usable &= _is_sharp(points, np.array(disc.centre), brightness)
    angles = np.arctan2(from_centre[:, 1], from_centre[:, 0]) + math.pi
    sector = np.rint(angles * DENT_SECTORS / (2 * math.pi)).astype(np.intp) % DENT_SECTORS
    measured = {at: insets for at in range(DENT_SECTORS) if len(insets := inset[usable & (sector == at)]) >= 3}
    depths = [max(0.0, float(np.median(insets))) for insets in measured.values()]
    if max(depths, default=0.0) < MIN_DENT_PX:
        return disc
    # What can't be measured, at a slice or a dark lumen, goes on as its neighbours do.
    between = np.interp(np.arange(DENT_SECTORS), list(measured), depths, period=DENT_SECTORS)
    return replace(disc, dents=tuple(map(float, 1 - between / radius)))


def _best_circle(points: Array, size: tuple[int, int]) -> tuple[float, float, float] | None:
    rng = np.random.default_rng(0)
    triples = points[rng.integers(0, len(points), (HYPOTHESES, 3))]
    x, y, r = _circles_through(triples)
    possible = (r > 0.1 * min(size)) & (r < 2 * max(size))
    x, y, r = x[possible], y[possible], r[possible]
    if not len(r):
        return None
    off = np.abs(np.hypot(points[:, 0] - x[:, None], points[:, 1] - y[:, None]) - r[:, None])
    best = int(np.argmax((off <= TOLERANCE_PX).sum(axis=1)))
    circle = (float(x[best]), float(y[best]), float(r[best]))
    for _ in range(3):
        off = np.abs(np.hypot(points[:, 0] - circle[0], points[:, 1] - circle[1]) - circle[2])
        circle = _least_squares_circle(points[off <= TOLERANCE_PX])
    return circle


def _circles_through(triples: Array) -> tuple[Array, Array, Array]:
    """Centres x, y and radii of the circles through [n, 3, 2] points; infinite where they lie on a line."""
    b, c = triples[:, 1] - triples[:, 0], triples[:, 2] - triples[:, 0]
    double_area = 2 * (b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0])
    bb, cc = (b**2).sum(axis=1), (c**2).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        x = (c[:, 1] * bb - b[:, 1] * cc) / double_area
        y = (b[:, 0] * cc - c[:, 0] * bb) / double_area
    return x + triples[:, 0, 0], y + triples[:, 0, 1], np.nan_to_num(np.hypot(x, y), nan=math.inf)


def _least_squares_circle(points: Array) -> tuple[float, float, float]:
    """The circle with the least algebraic error (Kasa 1976)."""
    origin = points.mean(axis=0)
    centred = points - origin
    A = np.column_stack([2 * centred, np.ones(len(centred))])
    a, b, c = np.linalg.lstsq(A, (centred**2).sum(axis=1), rcond=None)[0]
    return float(a + origin[0]), float(b + origin[1]), math.sqrt(c + a * a + b * b)


def _slice(points: Array, side: int, circle: tuple[float, float, float], end: float) -> float:
    """Where a straight line cuts off the left (0), top (1), right (2) or bottom (3) of a disc, else `end`."""
    axis, along = side % 2, 1 - side % 2
    inward = np.abs(points[:, axis] - end)
    line = _outermost_line(inward)
    near = np.abs(inward - line) <= SLICE_TOLERANCE_PX
    if not near.any():
        return end
    at = abs(end - float(np.median(inward[near])))
    height = abs(circle[axis] - at)
    if circle[2] - height < MIN_SLICE_PX or abs(circle[axis] - end) < height:
        return end
    half_chord = math.sqrt(circle[2] ** 2 - height**2)
    straight = near & (np.abs(points[:, along] - circle[along]) <= half_chord - 2)
    return at if straight.sum() > MIN_SLICE_SUPPORT * 2 * half_chord else end
