"""Landmarks as a factor: zero at the truth, right derivatives, depth recovered from parallax."""

from __future__ import annotations

import gtsam
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endo_depth_ros.geometry.transforms import Transform, invert_transform, transform_points
from endo_depth_ros.pose.depth_field import TERMS, basis_at
from endo_depth_ros.pose.keyframe import Keyframe, Landmarks, Sightings
from endo_depth_ros.pose.keyframe_maker import nothing_seen
from endo_depth_ros.pose.lie import exp_se3
from endo_depth_ros.pose.settings import PoseSettings
from endo_depth_ros.pose.structure_factor import StructureFactor, field_key, pose_key, square_root

SHAPE = (256, 320)
K = np.array([[160.0, 0, 159.5], [0, 160.0, 127.5], [0, 0, 1]])
MOTIONS = [np.zeros(6), np.array([0.02, 0.01, 0, 0.002, 0, 0.001]), np.array([-0.03, 0.02, 0.05, 0, 0.003, 0.002])]
SETTINGS = PoseSettings(shared_error=1.0)
POSES = [exp_se3(np.array([0.3, 0.1, -0.2, 0.01, 0.02, 0.03])) @ exp_se3(motion) for motion in MOTIONS]


def anchor_keyframe(depth_error: float = 0.0, count: int = 40) -> tuple[Keyframe, np.ndarray]:
    """Keyframe 1 whose depth is off by a factor exp(depth_error), and the true points in the map."""
    rng = np.random.default_rng(0)
    pixels = rng.uniform([60, 60], [260, 196], (count, 2))
    depth = rng.uniform(0.02, 0.06, count)
    rays = np.column_stack([pixels, np.ones(count)]) @ np.linalg.inv(K).T
    logs = np.log(depth) + depth_error
    sigma = np.full(count, 0.1)
    landmarks = Landmarks(rays, logs, sigma, logs.copy(), sigma.copy(), basis_at(pixels, SHAPE))
    points = transform_points(POSES[0], rays * depth[:, None])
    return Keyframe(1, 0, K, POSES[0], np.zeros(TERMS), landmarks, nothing_seen()), points


def observer(
    number: int,
    points: np.ndarray,
    T: Transform,
    log_scale: float = 0.0,
    pixel_sigma: float = 0.5,
    depth_field: np.ndarray | None = None,
) -> Keyframe:
    in_camera = transform_points(invert_transform(T), points)
    pixels = in_camera[:, :2] / in_camera[:, 2:] @ K[:2, :2].T + K[:2, 2]
    count = len(points)
    spread = np.tile(pixel_sigma**2 * np.array([[1.0, 0.5], [0.5, 2.0]]), (count, 1, 1))
    field = np.append(log_scale, np.zeros(TERMS - 1)) if depth_field is None else depth_field
    basis = basis_at(pixels, SHAPE)
    logs = np.log(in_camera[:, 2]) - basis @ field
    seen = Sightings(np.ones(count, np.int64), np.arange(count), pixels, spread, logs, np.full(count, 0.1), basis)
    empty = np.zeros(0)
    landmarks = Landmarks(np.zeros((0, 3)), empty, empty, empty, empty, np.zeros((0, TERMS)))
    return Keyframe(number, number, K, T, field, landmarks, seen)


def values_of(keyframes: list[Keyframe]) -> gtsam.Values:
    values = gtsam.Values()
    for keyframe in keyframes:
        values.insert(pose_key(keyframe.number), gtsam.Pose3(keyframe.T_map_camera))
        values.insert(field_key(keyframe.number), keyframe.depth_field)
    return values


def test_truth_leaves_no_error() -> None:
    anchor, points = anchor_keyframe()
    lacks = 0.05 * np.random.default_rng(1).normal(size=TERMS)
    others = [observer(2, points, POSES[1], 0.03), observer(3, points, POSES[2], depth_field=lacks)]
    factor = StructureFactor([anchor, *others], [anchor], SETTINGS).factor()
    assert factor is not None
    assert factor.error(values_of([anchor, *others])) < 1e-12


def test_gradient_is_that_of_the_error() -> None:
    anchor, points = anchor_keyframe(depth_error=0.05)
    lacks = 0.02 * np.random.default_rng(1).normal(size=TERMS)
    others = [observer(2, points, POSES[1], 0.03), observer(3, points, POSES[2], depth_field=lacks)]
    factor = StructureFactor([anchor, *others], [anchor], SETTINGS).factor()
    assert factor is not None
    off = exp_se3(np.array([0.004, -0.003, 0.002, 1e-4, 2e-4, -1e-4]))
    others[0].T_map_camera = others[0].T_map_camera @ off
    values = values_of([anchor, *others])
    for _ in range(40):
        factor.error(values)  # the landmarks' depths settle
    graph = gtsam.NonlinearFactorGraph()
    graph.add(factor)
    gradient = graph.linearize(values).gradientAtZero()
    for keyframe in (anchor, *others):
        for axis in range(6):
            step = np.zeros(6)
            step[axis] = 1e-6
            changes = []
            for sign in (1, -1):
                moved = gtsam.Values(values)
                pose = gtsam.Pose3(keyframe.T_map_camera @ exp_se3(sign * step))
                moved.update(pose_key(keyframe.number), pose)
                changes.append([factor.error(moved) for _ in range(4)][-1])  # settled again
            numeric = (changes[0] - changes[1]) / 2e-6
            analytic = gradient.at(pose_key(keyframe.number))[axis]
            assert abs(numeric - analytic) < 2e-3 * (1 + abs(analytic))
        for term in range(TERMS):
            changes = []
            for sign in (1, -1):
                moved = gtsam.Values(values)
                moved.update(field_key(keyframe.number), keyframe.depth_field + sign * 1e-6 * np.eye(TERMS)[term])
                changes.append([factor.error(moved) for _ in range(4)][-1])
            analytic = gradient.at(field_key(keyframe.number))[term]
            assert abs((changes[0] - changes[1]) / 2e-6 - analytic) < 2e-3 * (1 + abs(analytic))


def test_parallax_overrules_wrong_depth() -> None:
    anchor, points = anchor_keyframe(depth_error=0.1)
    others = [observer(number, points, POSES[number - 1], pixel_sigma=0.05) for number in (2, 3)]
    structure = StructureFactor([anchor, *others], [anchor], SETTINGS)
    factor = structure.factor()
    assert factor is not None
    for _ in range(40):
        factor.error(values_of([anchor, *others]))
    structure.write_back()
    true_depth = transform_points(invert_transform(POSES[0]), points)[:, 2]
    assert np.median(np.abs(anchor.landmarks.log_depth - np.log(true_depth))) < 0.02
    assert (anchor.landmarks.log_sigma < 0.1).all()


def test_no_observer_no_factor() -> None:
    anchor, _ = anchor_keyframe()
    assert StructureFactor([anchor], [anchor], SETTINGS).factor() is None


def test_anchors_together_are_what_each_of_them_is() -> None:
    first, points = anchor_keyframe(depth_error=0.05)
    # The second brings the same landmarks anew, as it sees them, and the third sees both's.
    second, third = (observer(number, points, POSES[number - 1], 0.03) for number in (2, 3))
    in_second = transform_points(invert_transform(POSES[1]), points)
    second_basis = basis_at(second.sightings.pixels, SHAPE)
    logs, sigma = np.log(in_second[:, 2]) - 0.02, np.full(len(points), 0.1)
    second.landmarks = Landmarks(in_second / in_second[:, 2:], logs, sigma, logs.copy(), sigma.copy(), second_basis)
    seen = third.sightings
    twice = {name: np.concatenate([value, value]) for name, value in vars(seen).items()}
    twice["anchor"] = np.repeat([1, 2], len(points))
    third.sightings = Sightings(**twice)
    keyframes = [first, second, third]
    values = values_of(keyframes)
    graphs = []
    for groups in ([[first, second]], [[first], [second]]):
        graph = gtsam.NonlinearFactorGraph()
        for anchors in groups:
            graph.add(StructureFactor(keyframes, anchors, SETTINGS).factor())
        graphs.append(graph)
    assert graphs[0].error(values) == pytest.approx(graphs[1].error(values))
    together, apart = (graph.linearize(values).hessian() for graph in graphs)
    for one, other in zip(together, apart, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-7, atol=1e-6)


@given(seed=st.integers(0, 10_000), rank=st.integers(0, 6))
def test_square_root_of_information_that_lacks_something(seed: int, rank: int) -> None:
    rows = np.random.default_rng(seed).normal(size=(rank, 6)) * np.array([1e-3, 1, 1e4, 10, 1, 100])
    information = rows.T @ rows
    units = np.array([1e-3, 1, 1e4, 10, 1, 100])
    root = square_root(information, units) / units
    np.testing.assert_allclose(root.T @ root, information / units / units[:, None], atol=1e-9)


@pytest.mark.parametrize("step", [0.0, 1e-12, 1e-9, 1e-6])
def test_a_camera_that_only_turns_and_sees_no_depth_says_nothing_of_depth(step: float) -> None:
    anchor, points = anchor_keyframe()
    turned = observer(2, points, POSES[0] @ exp_se3(np.array([0.05, -0.03, 0.02, step, 0, 0])))
    turned.sightings.log_depth[:] = np.nan
    factor = StructureFactor([anchor, turned], [anchor], SETTINGS).factor()
    assert factor is not None
    A, b = factor.linearize(values_of([anchor, turned])).jacobian()
    assert np.abs(A).max() < 1e6
    assert np.abs(b).max() < 1e-3
    assert np.linalg.norm(A[:, :3], axis=0).min() > 100  # of rotation it says much
