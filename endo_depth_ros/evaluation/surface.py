"""A triangle mesh, such as the surface of a CT, and the exact nearest point on it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Points = NDArray[np.float64]
FIRST_NEIGHBOURS = 8


class SurfaceError(ValueError):
    """The surface can't be used; the text says why and what to do."""


@dataclass(frozen=True, eq=False)
class Surface:
    """Triangles in space.

    vertices: float64 [V, 3], metres. triangles: int [F, 3], indices of vertices, counter-clockwise from outside.
    Raises SurfaceError for other shapes, indices that point nowhere, and a mesh without a triangle of any area.
    """

    vertices: Points
    triangles: NDArray[np.intp]

    def __post_init__(self) -> None:
        if self.vertices.ndim != 2 or self.vertices.shape[1] != 3 or not np.isfinite(self.vertices).all():
            raise SurfaceError(f"the vertices are {self.vertices.shape} or not finite; give [V, 3] finite numbers")
        if self.triangles.ndim != 2 or self.triangles.shape[1] != 3 or not len(self.triangles):
            raise SurfaceError(f"the triangles are {self.triangles.shape}; give [F, 3] with at least one")
        if self.triangles.min() < 0 or self.triangles.max() >= len(self.vertices):
            raise SurfaceError("a triangle names a vertex that there is not; export the mesh again")
        if not self.normals.any():
            raise SurfaceError("no triangle has an area; export the mesh again")

    @cached_property
    def corners(self) -> Points:
        """Corners of the triangles, [F, 3, 3]."""
        return self.vertices[self.triangles]

    @cached_property
    def normals(self) -> Points:
        """Unit normals of the triangles, [F, 3], zero for one without area."""
        a, b, c = np.moveaxis(self.corners, 1, 0)
        normals = np.cross(b - a, c - a)
        length = np.linalg.norm(normals, axis=1, keepdims=True)
        return np.divide(normals, length, out=np.zeros_like(normals), where=length > 0)

    @cached_property
    def _tree(self) -> cKDTree:
        return cKDTree(self.corners.mean(axis=1))

    @cached_property
    def _radius(self) -> float:
        """The farthest that a triangle reaches from its centre."""
        return float(np.linalg.norm(self.corners - self.corners.mean(axis=1, keepdims=True), axis=2).max())

    def nearest_centre(self, points: Points) -> tuple[Points, NDArray[np.intp]]:
        """For points [N, 3] the nearest centre of a triangle [N, 3] and that triangle [N]: quick, and near enough."""
        triangle = self._tree.query(points)[1]
        return self._tree.data[triangle], triangle

    def nearest(self, points: Points) -> tuple[Points, NDArray[np.intp]]:
        """For points [N, 3] the nearest point on the surface [N, 3] and the triangle [N] it lies on, exactly.

        Candidates are the triangles with the nearest centres; none beyond them can be nearer once the next centre is
        farther than the best distance and the size of the largest triangle together.
        """
        nearest = np.empty_like(points)
        triangle = np.zeros(len(points), np.intp)
        open_ones = np.arange(len(points))
        count = min(FIRST_NEIGHBOURS, len(self.triangles))
        while len(open_ones):
            reach, candidates = self._tree.query(points[open_ones], k=np.arange(1, count + 1))
            found = closest_on_triangles(points[open_ones, None], self.corners[candidates])
            distance = np.linalg.norm(found - points[open_ones, None], axis=2)
            best = distance.argmin(axis=1)
            row = np.arange(len(open_ones))
            nearest[open_ones], triangle[open_ones] = found[row, best], candidates[row, best]
            undecided = reach[:, -1] - self._radius < distance[row, best]
            if count == len(self.triangles):
                break
            open_ones = open_ones[undecided]
            count = min(4 * count, len(self.triangles))
        return nearest, triangle


def read_surface(path: Path, unit_m: float) -> Surface:
    """The mesh of a .ply, .stl, .obj or .off file in units of `unit_m` metres (CT: 0.001), by Open3D.

    Raises SurfaceError for an unreadable file and where Open3D, an optional dependency, is not installed.
    """
    try:
        import open3d
    except ImportError as error:
        raise SurfaceError(
            f"{path}: reading a mesh needs Open3D, which is not installed: pip install endo_depth_ros[surface]"
        ) from error
    if not path.is_file():
        raise SurfaceError(f"{path}: there is no such file; check the path")
    mesh = open3d.io.read_triangle_mesh(str(path))
    try:
        return Surface(np.asarray(mesh.vertices) * unit_m, np.asarray(mesh.triangles, np.intp))
    except SurfaceError as error:
        raise SurfaceError(f"{path}: {error}") from error


def closest_on_triangles(points: Points, corners: Points) -> Points:
    """Nearest point of each triangle, corners [..., 3, 3], to points [..., 3] (Ericson 2005, section 5.1.5).

    The interior by barycentric coordinates, else the nearest of the three edges.
    """
    a, b, c = corners[..., 0, :], corners[..., 1, :], corners[..., 2, :]
    edges = np.stack(
        [_closest_on_segments(points, a, b), _closest_on_segments(points, b, c), _closest_on_segments(points, c, a)],
        axis=-2,
    )
    distance = np.linalg.norm(edges - points[..., None, :], axis=-1)
    on_edge = np.take_along_axis(edges, distance.argmin(axis=-1)[..., None, None], axis=-2)[..., 0, :]
    ab, ac, ap = b - a, c - a, points - a
    d00, d01, d11 = _dot(ab, ab), _dot(ab, ac), _dot(ac, ac)
    d20, d21 = _dot(ap, ab), _dot(ap, ac)
    area = d00 * d11 - d01**2
    safe = np.where(area > 0, area, 1)
    v, w = (d11 * d20 - d01 * d21) / safe, (d00 * d21 - d01 * d20) / safe
    inside = (area > 0) & (v >= 0) & (w >= 0) & (v + w <= 1)
    return np.where(inside[..., None], a + v[..., None] * ab + w[..., None] * ac, on_edge)


def _closest_on_segments(points: Points, start: Points, end: Points) -> Points:
    along = end - start
    length = _dot(along, along)
    t = np.clip(_dot(points - start, along) / np.where(length > 0, length, 1), 0, 1)
    return start + t[..., None] * along


def _dot(a: Points, b: Points) -> Points:
    return np.sum(a * b, axis=-1)
