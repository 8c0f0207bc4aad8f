"""The nearest point on a mesh is exact, and broken meshes are refused."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endo_depth_ros.evaluation.surface import Surface, SurfaceError, closest_on_triangles, read_surface

coordinate = st.floats(-2, 2, allow_subnormal=False)
TRIANGLE = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]])


@pytest.mark.parametrize(
    ("point", "nearest"),
    [
        ((0.2, 0.3, 5.0), (0.2, 0.3, 0)),
        ((-1.0, -1.0, 1.0), (0, 0, 0)),
        ((2.0, -1.0, 0.0), (1, 0, 0)),
        ((0.5, -3.0, 0.0), (0.5, 0, 0)),
        ((1.0, 1.0, 0.0), (0.5, 0.5, 0)),
    ],
)
def test_inside_edges_and_corners_by_hand(point, nearest):
    assert closest_on_triangles(np.array(point), TRIANGLE) == pytest.approx(np.array(nearest))


@given(st.tuples(*[coordinate] * 3), st.tuples(*[coordinate] * 9))
def test_no_point_of_the_triangle_is_nearer(point, corners):
    point, corners = np.array(point), np.array(corners).reshape(3, 3)
    found = closest_on_triangles(point, corners)
    weights = np.random.default_rng(0).dirichlet([0.5] * 3, 200)
    others = np.linalg.norm(weights @ corners - point, axis=1)
    assert np.linalg.norm(found - point) <= others.min() + 1e-9


def uneven_mesh(seed):
    """A mesh of many small and a few huge triangles, for which the nearest centre is often the wrong triangle."""
    rng = np.random.default_rng(seed)
    corners = rng.uniform(-1, 1, (60, 1, 3)) + rng.choice([0.02, 3.0], (60, 1, 1), p=[0.8, 0.2]) * rng.normal(
        size=(60, 3, 3)
    )
    return Surface(corners.reshape(-1, 3), np.arange(180).reshape(60, 3))


@pytest.mark.parametrize("seed", range(5))
def test_the_search_finds_what_trying_every_triangle_finds(seed):
    surface = uneven_mesh(seed)
    points = np.random.default_rng(seed + 100).uniform(-3, 3, (50, 3))
    nearest, triangle = surface.nearest(points)
    every = closest_on_triangles(points[:, None], surface.corners[None])
    distance = np.linalg.norm(every - points[:, None], axis=2)
    assert np.linalg.norm(nearest - points, axis=1) == pytest.approx(distance.min(axis=1))
    assert distance[np.arange(50), triangle] == pytest.approx(distance.min(axis=1))


def test_normals_follow_the_winding():
    surface = Surface(TRIANGLE, np.array([[0, 1, 2], [0, 2, 1]]))
    np.testing.assert_allclose(surface.normals, [[0, 0, 1], [0, 0, -1]])


@pytest.mark.parametrize(
    ("vertices", "triangles", "words"),
    [
        (TRIANGLE[:, :2], [[0, 1, 2]], "give \\[V, 3\\]"),
        (TRIANGLE * np.nan, [[0, 1, 2]], "not finite"),
        (TRIANGLE, np.zeros((0, 3), int), "at least one"),
        (TRIANGLE, [[0, 1, 3]], "vertex that there is not"),
        (TRIANGLE, [[0, 1, 1]], "no triangle has an area"),
    ],
)
def test_broken_meshes_are_refused(vertices, triangles, words):
    with pytest.raises(SurfaceError, match=words):
        Surface(np.asarray(vertices, float), np.asarray(triangles))


def test_missing_open3d_is_named_with_the_command_that_installs_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "open3d", None)
    with pytest.raises(SurfaceError, match=r"pip install endo_depth_ros\[surface\]"):
        read_surface(tmp_path / "ct.ply", 0.001)


def test_a_mesh_file_is_read_in_its_unit(tmp_path):
    pytest.importorskip("open3d")
    path = tmp_path / "ct.ply"
    path.write_text(
        "ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\n"
        "element face 1\nproperty list uchar int vertex_indices\nend_header\n0 0 0\n10 0 0\n0 10 0\n3 0 1 2\n"
    )
    np.testing.assert_allclose(read_surface(path, 0.001).vertices, TRIANGLE / 100)
