"""Points with normals from a depth map, without what registration must not see: rims, edges, holes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.geometry.camera import Camera, CameraError
from endo_depth_ros.geometry.projection import raw_pixel_rays

BORDER, MAX_JUMP, MAX_POINTS = 0.05, 0.05, 20_000


@dataclass(frozen=True, eq=False)
class DepthCloud:
    """points: float64 [N, 3] in the camera's optical frame, metres. normals: unit, towards the camera, [N, 3]."""

    points: NDArray[np.float64]
    normals: NDArray[np.float64]


def cloud_from_depth(
    depth: NDArray[np.floating], camera: Camera, valid: NDArray[np.bool_] | None = None, max_points: int = MAX_POINTS
) -> DepthCloud:
    """An even sample of at most max_points points of a depth map [H, W].

    Left out are pixels outside `valid`, within 5 % of the image's border, and next to a jump of depth above 5 %.
    Raises CameraError where depth is not of the camera's size.
    """
    if depth.shape != (camera.height, camera.width):
        raise CameraError(f"the depth is {depth.shape} but its camera {camera.width}x{camera.height}; give its own")
    points = raw_pixel_rays(camera) * depth[..., None]
    normals = _normals(points)
    kept = _away_from_border(depth.shape) & np.isfinite(normals).all(axis=-1) & ~_beside_jump(depth)
    if valid is not None:
        kept &= valid
    chosen = np.flatnonzero(kept)
    chosen = chosen[np.linspace(0, len(chosen) - 1, min(max_points, len(chosen))).round().astype(int)]
    return DepthCloud(points.reshape(-1, 3)[chosen], normals.reshape(-1, 3)[chosen])


def _away_from_border(shape: tuple[int, int]) -> NDArray[np.bool_]:
    kept = np.zeros(shape, bool)
    rows, columns = (max(round(BORDER * size), 1) for size in shape)
    kept[rows:-rows, columns:-columns] = True
    return kept


def _beside_jump(depth: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Pixels whose depth differs by more than MAX_JUMP from a neighbour's, or whose neighbour has none."""
    beside = ~(np.isfinite(depth) & (np.where(np.isfinite(depth), depth, 0) > 0))
    known = np.where(beside, np.nan, depth)
    for axis in (0, 1):
        for step in (-1, 1):
            with np.errstate(invalid="ignore"):
                beside |= ~(np.abs(np.roll(known, step, axis) - known) <= MAX_JUMP * known)
    return beside


def _normals(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit normals towards the camera by central differences, [H, W, 3], NaN where a neighbour is missing."""
    with np.errstate(invalid="ignore", divide="ignore"):
        along_v, along_u = np.gradient(points, axis=(0, 1))
        normals = np.cross(along_v, along_u)
        normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
        away = np.sum(normals * points, axis=-1, keepdims=True) > 0
    return np.where(away, -normals, normals)
