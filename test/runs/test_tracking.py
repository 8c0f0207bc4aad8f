"""The camera is followed through the answers of a recording, and its path compared with the true one."""

import dataclasses
import importlib
from dataclasses import dataclass

import numpy as np
import pytest
from known_answers import METRES
from sphere_world import CAMERA, SphereWorld, estimate, wander

from endo_depth_ros.bags.source import SourceError
from endo_depth_ros.contracts import FrameStatus, Scale, ScaleState, Verdict
from endo_depth_ros.pose.pipeline import PoseUnavailableError
from endo_depth_ros.pose.settings import PoseSettings
from endo_depth_ros.runs.prediction_store import Answer
from endo_depth_ros.runs.recording_run import evaluate_recording
from endo_depth_ros.runs.truth_topics import Truth

COUNT, STEP = 12, 4
SETTINGS = PoseSettings()


@dataclass(frozen=True)
class Walk:
    """The sphere's inside from a slow walk. has_depth, has_poses: what of its truth is known."""

    has_depth: bool = True
    has_poses: bool = True
    name: str = "walk"
    dataset: str = ""
    frame_count: int = COUNT
    relative_truth: bool = False
    notes: tuple[str, ...] = ()

    def truths(self):
        for answer in answers():
            pose = wander(index_of(answer)) if self.has_poses else None
            depth = answer.depth.depth if self.has_depth else None
            yield Truth(answer.depth.frame.stamp_ns, depth, CAMERA if self.has_depth else None, pose)


def index_of(answer):
    return round((answer.depth.frame.stamp_ns - 10**9) / 33_333_333)


def answers(lost=()):
    """Exact depth of every frame, every STEP-th of the walk; none of the frames `lost`."""
    world = SphereWorld()
    for index in range(0, STEP * COUNT, STEP):
        answer = estimate(*world.look(wander(index)), index)
        answer = dataclasses.replace(answer, status=dataclasses.replace(answer.status, scale=Scale(ScaleState.NOMINAL)))
        if index in lost:
            yield Answer(FrameStatus(answer.frame.stamp_ns, Verdict.DARK, "too dark"), 1.0)
        else:
            yield Answer(answer, 1.0)


def evaluate(tmp_path, recording=None, lost=(), pose=SETTINGS, **options):
    recording = Walk() if recording is None else recording
    return evaluate_recording(recording, answers(lost), METRES, None, tmp_path, pose, **options)


@pytest.fixture
def gtsam():
    pytest.importorskip("gtsam")
    pytest.importorskip("evo")


@pytest.mark.usefixtures("gtsam")
def test_exact_depth_gives_a_path_that_is_far_better_than_a_straight_line(tmp_path):
    pose = evaluate(tmp_path, lost=(7 * STEP,)).facts["pose"]
    errors = pose["trajectory"]["se3"]
    assert errors["ate"] < 0.3 * errors["straight_line_ate"]
    assert pose["coverage"] == pytest.approx((COUNT - 2) / COUNT)
    assert pose["states"] == {"initialising": 1, "tracking": COUNT - 2, "degraded": 1}


@pytest.mark.usefixtures("gtsam")
def test_two_evaluations_have_the_same_poses(tmp_path):
    a, b = (evaluate(tmp_path).rows for _ in range(2))
    assert [row["pose_x"] for row in a[1:]] == [row["pose_x"] for row in b[1:]]
    assert np.isfinite([row["pose_x"] for row in a[1:]]).all()


@pytest.mark.usefixtures("gtsam")
def test_poses_without_true_depth_are_enough(tmp_path):
    result = evaluate(tmp_path, Walk(has_depth=False))
    assert result.facts["images"] == 0
    assert result.facts["pose"]["tracked"] == COUNT - 1
    with pytest.raises(SourceError, match="none of 12 true depths or poses"):
        evaluate(tmp_path, Walk(has_depth=False, has_poses=False))


@pytest.mark.parametrize(("recording", "pose"), [(Walk(has_poses=False), PoseSettings()), (Walk(), None)])
def test_nobody_follows_the_camera_without_true_poses_or_unasked(tmp_path, recording, pose):
    result = evaluate(tmp_path, recording, pose=pose)
    assert result.facts["pose"] is None
    assert result.facts["images"] == COUNT


def test_without_gtsam_depth_is_evaluated_and_a_note_says_what_is_missing(tmp_path, monkeypatch):
    def refuse(name):
        raise ImportError("camera poses need gtsam: pip install gtsam")

    monkeypatch.setattr(importlib, "import_module", refuse)
    result = evaluate(tmp_path)
    assert result.facts["pose"] is None
    assert result.facts["notes"] == ["only depth was evaluated: camera poses need gtsam: pip install gtsam"]


def test_a_protocol_without_windows_has_none(tmp_path):
    pytest.importorskip("gtsam")
    assert METRES.snippet_length is None
    assert evaluate(tmp_path).facts["pose"]["snippets"] is None
    with_windows = dataclasses.replace(METRES, snippet_length=5)
    result = evaluate_recording(Walk(), answers(), with_windows, None, tmp_path, PoseSettings())
    assert result.facts["pose"]["snippets"]["windows"] == COUNT - 3


@pytest.mark.usefixtures("gtsam")
def test_refined_depth_is_what_is_compared_where_it_is_asked_for_even_without_true_poses(tmp_path):
    recording = Walk(has_poses=False)
    as_it_is = evaluate(tmp_path, recording)
    result = evaluate(tmp_path, recording, lost=(7 * STEP,), refines=True)
    note = f"depth is as the camera's motion has it in {COUNT - 2} of {COUNT} frames (--refined)"
    assert note in result.facts["notes"]
    assert as_it_is.facts["depth"]["none"]["abs_rel"] < 1e-6  # the truth itself
    assert 1e-6 < result.facts["depth"]["none"]["abs_rel"] < 0.02


def test_refined_depth_without_gtsam_is_refused(tmp_path, monkeypatch):
    def refuse(name):
        raise ImportError("camera poses need gtsam: pip install gtsam")

    monkeypatch.setattr(importlib, "import_module", refuse)
    with pytest.raises(PoseUnavailableError, match="pip install gtsam"):
        evaluate(tmp_path, refines=True)
