"""Camera paths that are wrong in a known way have exactly the figures that follow from it."""

import dataclasses

import numpy as np
import pytest
from ellipsoid_scene import CAMERA, poses
from known_answers import METRES
from scipy.spatial.transform import Rotation

from endo_depth_ros.contracts import FrameStatus, TrackingState, Verdict
from endo_depth_ros.evaluation.snippets import snippet_errors
from endo_depth_ros.runs.pooling import path_figures, pool_poses
from endo_depth_ros.runs.pose_figures import POSE_COLUMNS, assess_poses
from endo_depth_ros.runs.prediction_store import StoredFrame, TrackedPose

pytest.importorskip("evo")

FRAME_NS = 40_000_000
COUNT = 30
# Turns every way and is no line: the ellipsoid's poses with a swing.
TRUTH = poses(COUNT)
TRUTH[:, 0, 3] += 0.004 * np.sin(np.arange(COUNT) / 4)
ELSEWHERE = np.eye(4)
ELSEWHERE[:3, :3] = Rotation.from_rotvec([0.3, -0.8, 0.5]).as_matrix()
ELSEWHERE[:3, 3] = [0.2, -0.1, 0.05]


def frames(estimate, truth=TRUTH, camera=CAMERA):
    """A stored frame for each pose; an estimate of None was lost."""
    for number, (found, true) in enumerate(zip(estimate, truth, strict=True)):
        state = TrackingState.LOST if found is None else TrackingState.TRACKING
        status = FrameStatus(number * FRAME_NS, Verdict.OK)
        tracked = TrackedPose(state, found, 0, "" if found is not None else "too few points")
        yield StoredFrame(number, "scope", status, 1.0, CAMERA, False, camera, true, tracked)


def assess(estimate, protocol=METRES, relative=False, **made):
    return assess_poses(list(frames(estimate, **made)), protocol, relative)


def path_of(assessment, alignment="se3"):
    return assessment.figures.trajectory[alignment]


def scaled_by(factor):
    estimate = TRUTH.copy()
    estimate[:, :3, 3] *= factor
    return estimate


def test_a_path_seen_from_another_origin_has_no_error():
    assessment = assess(ELSEWHERE @ TRUTH)
    assert path_of(assessment).ate == pytest.approx(0, abs=1e-9)
    assert path_of(assessment).rpe_frame.rotation_deg == pytest.approx(0, abs=1e-5)
    assert assessment.figures.coverage == 1
    assert assessment.rows[7]["pose_error"] == pytest.approx(0, abs=1e-9)
    assert assessment.rows[7]["pose_x"] == pytest.approx(TRUTH[7, 0, 3])


def test_a_wrong_scale_is_an_error_in_metres_and_none_once_it_is_forgiven():
    assessment = assess(scaled_by(1.25))
    spread = np.sqrt(np.mean(np.sum((TRUTH[:, :3, 3] - TRUTH[:, :3, 3].mean(axis=0)) ** 2, axis=1)))
    assert path_of(assessment).ate == pytest.approx(0.25 * spread, rel=1e-6)
    assert path_of(assessment, "sim3").ate == pytest.approx(0, abs=1e-9)
    assert path_of(assessment, "sim3").scale == pytest.approx(0.8, rel=1e-9)


def test_without_a_unit_only_the_scaled_path_is_compared():
    assert list(assess(scaled_by(3), relative=True).figures.trajectory) == ["sim3"]


def test_lost_frames_cost_coverage_and_stand_in_their_rows():
    assessment = assess([*TRUTH[:24], *[None] * 6])
    assert assessment.figures.coverage == pytest.approx(0.8)
    assert assessment.figures.states == {"tracking": 24, "lost": 6}
    assert assessment.rows[25]["pose_reason"] == "too few points"
    assert np.isnan(assessment.rows[25]["pose_error"])
    assert assessment.rows[25]["true_x"] == TRUTH[25, 0, 3]


def test_a_camera_that_was_hardly_tracked_has_no_error_but_a_reason():
    assessment = assess([*TRUTH[:2], *[None] * 28])
    assert assessment.figures.trajectory == {}
    assert "tracked in 2 of 30 frames" in assessment.figures.notes[0]


def test_true_poses_are_turned_as_the_rectified_image_is():
    camera = dataclasses.replace(CAMERA, R=Rotation.from_rotvec([0.02, 0.1, -0.05]).as_matrix())
    rectified = TRUTH.copy()
    rectified[:, :3, :3] = TRUTH[:, :3, :3] @ camera.R.T
    assert path_of(assess(rectified, camera=camera)).rpe_frame.rotation_deg == pytest.approx(0, abs=1e-5)
    assert path_of(assess(TRUTH, camera=camera)).rpe_frame.rotation_deg > 0.01


def test_lengths_are_in_the_protocols_unit():
    in_mm = dataclasses.replace(METRES, unit="mm", snippet_length=5)
    errors = path_of(assess(scaled_by(1.25), in_mm))
    assert errors.ate == pytest.approx(1000 * path_of(assess(scaled_by(1.25))).ate)
    assert errors.rpe_path_length == pytest.approx(10)
    noisy = TRUTH.copy()
    noisy[:, :3, 3] += np.random.default_rng(0).normal(0, 1e-4, (COUNT, 3))
    snippets = assess(noisy, in_mm).figures.snippets
    assert snippets.ate == pytest.approx(1000 * snippet_errors(noisy, TRUTH, 5).ate)


def test_frames_out_of_order_are_one_path():
    shuffled = list(frames(ELSEWHERE @ TRUTH))
    shuffled[3], shuffled[20] = shuffled[20], shuffled[3]
    assert path_of(assess_poses(shuffled, METRES, False)).ate == pytest.approx(0, abs=1e-9)


def test_every_frame_has_the_same_columns():
    assert {tuple(row) for row in assess([*TRUTH[:20], *[None] * 10]).rows} == {POSE_COLUMNS}


def test_recordings_are_pooled_over_frames_windows_and_paths():
    a = dataclasses.asdict(assess(scaled_by(1.25)).figures)
    b = dataclasses.asdict(assess([*TRUTH[:20], *[None] * 10]).figures)
    pooled = pool_poses([a, None, b])
    assert pooled["pose_coverage"] == pytest.approx(50 / 60)
    assert pooled["ate"] == pytest.approx((path_figures(a)["ate"] + path_figures(b)["ate"]) / 2)
    assert np.isnan(pooled["snippet_ate"])
    assert pool_poses([None]) is None
