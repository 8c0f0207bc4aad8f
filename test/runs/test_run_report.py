"""The page: every figure is drawn, nothing is loaded, and a path that says nothing is called so."""

import dataclasses
import re

import cv2
import numpy as np
import pytest
from known_answers import METRES, KnownRecording, answers_with, true_depths
from scipy.spatial.transform import Rotation

from endo_depth_ros.contracts import TrackingState
from endo_depth_ros.runs.html_report import write_report
from endo_depth_ros.runs.pooling import pool
from endo_depth_ros.runs.prediction_store import TrackedPose
from endo_depth_ros.runs.recording_run import evaluate_recording
from endo_depth_ros.runs.truth_topics import Truth

pytest.importorskip("matplotlib")
pytest.importorskip("evo")

COUNT = 12
RUN = {
    "model": {"name": "known", "weights": None, "weights_sha256": None},
    "endo_depth_ros": "0", "path": "in process", "settings": {}, "failures": [], "times": {},
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Loop(KnownRecording):
    """The ellipsoid's truth with the poses of a loop."""

    count: int = COUNT

    def truths(self):
        for index, truth in enumerate(super().truths()):
            yield Truth(truth.stamp_ns, truth.depth, truth.camera, pose(index))


def pose(index, radius=0.01):
    T = np.eye(4)
    T[:3, :3] = Rotation.from_rotvec([0, 0, 0.1 * index]).as_matrix()
    T[:3, 3] = radius * np.array([np.cos(0.5 * index), np.sin(0.5 * index), 0.02 * index])
    return T


def report(folder, estimated, lost=()):
    """The page, and the pictures' names, of exact depth and of poses `estimated(index)`."""
    answers = answers_with(true_depths(COUNT))
    tracked = (
        dataclasses.replace(
            answer,
            tracked=TrackedPose(TrackingState.LOST, reason="dark")
            if index in lost
            else TrackedPose(TrackingState.TRACKING, estimated(index)),
        )
        for index, answer in enumerate(answers)
    )
    protocol = dataclasses.replace(METRES, unit="mm", snippet_length=5)
    result = evaluate_recording(Loop(), tracked, protocol, None, folder)
    metrics = pool([result], protocol, RUN)
    write_report(folder, metrics, protocol, [result])
    pictures = {path.name: cv2.imread(str(path)) for path in (folder / "plots").iterdir()}
    assert all(picture is not None and picture.std() > 5 for picture in pictures.values())
    return (folder / "report.html").read_text(), set(pictures), metrics


def test_a_followed_camera_is_drawn_with_its_drift_beside_a_straight_line(tmp_path):
    page, pictures, metrics = report(tmp_path, lambda index: pose(index, 0.0105), lost=(4,))
    assert "camera_path.png" in pictures
    assert page.count("data:image/png;base64,") == len(pictures)
    assert not re.search(r"""(src|href)=["'](?!data:)""", page)
    assert "<b>92 %</b> of 12 frames" in page
    assert "says nothing" not in page
    assert metrics["pose"]["ate"] == pytest.approx(0.5, rel=0.1)
    assert metrics["pose"]["snippet_ate"] < metrics["pose"]["snippet_standstill"]


def test_a_path_that_is_no_better_than_a_straight_line_is_called_so(tmp_path):
    rng = np.random.default_rng(0)
    page, _, metrics = report(tmp_path, lambda index: pose(int(rng.integers(30)), 0.02))
    assert metrics["pose"]["ate"] > metrics["pose"]["straight_line_ate"]
    assert "this path says nothing" in page


def test_a_camera_that_was_never_found_has_no_picture_but_a_reason(tmp_path):
    page, pictures, _ = report(tmp_path, pose, lost=range(COUNT))
    assert "camera_path.png" not in pictures
    assert "tracked in 0 of 12 frames" in page
