"""The path from answers about frames to poses: also frames without depth, and what is kept of all."""

import numpy as np
import pytest
from sphere_world import RATE_NS, SphereWorld, estimate, wander

from endo_depth_ros.bags.tum_file import read_tum
from endo_depth_ros.contracts import FrameStatus, TrackingState, Verdict
from endo_depth_ros.pose import pipeline as module
from endo_depth_ros.pose import tracker as tracker_module
from endo_depth_ros.pose.depth_field import TERMS, DepthField
from endo_depth_ros.pose.pipeline import PosePipeline, PoseUnavailableError
from endo_depth_ros.pose.settings import PoseSettings
from endo_depth_ros.pose.trajectory_log import TrajectoryLog, write_paths

WORLD = SphereWorld()


@pytest.fixture
def pipeline():
    made = PosePipeline(PoseSettings(synchronous=True))
    yield made
    made.close()


def walk(pipeline, indices):
    return [pipeline.track(estimate(*WORLD.look(wander(i)), i)) for i in indices]


def nothing(index, verdict=Verdict.INVALID_INPUT):
    return FrameStatus(10**9 + index * RATE_NS, verdict, "truncated")


def test_a_frame_without_depth_is_degraded_and_tracking_goes_on_in_the_segment(pipeline):
    walk(pipeline, range(4))
    blind = pipeline.track(nothing(4), "camera")
    assert (blind.pose.state, blind.pose.stamp_ns) == (TrackingState.DEGRADED, nothing(4).stamp_ns)
    assert "truncated" in blind.reason
    (after,) = walk(pipeline, [5])
    assert (after.pose.state, after.segment) == (TrackingState.TRACKING, 0)


def test_a_good_frame_whose_depth_is_withheld_is_as_blind_as_any_other(pipeline):
    walk(pipeline, range(3))
    assert pipeline.track(nothing(3, Verdict.OK)).pose.state is TrackingState.DEGRADED


def test_frames_without_depth_at_the_start_have_no_pose(pipeline):
    first = [pipeline.track(nothing(i), "camera") for i in range(3)]
    assert not any(np.isfinite(frame.pose.covariance).any() and frame.segment for frame in first)
    assert walk(pipeline, [3, 4])[1].pose.state is TrackingState.TRACKING


def test_a_reset_takes_any_stamp(pipeline):
    walk(pipeline, [5, 6])
    with pytest.raises(ValueError, match="doesn't follow"):
        walk(pipeline, [0])
    pipeline.reset()
    assert walk(pipeline, [0])[0].pose.state is TrackingState.INITIALISING


def test_missing_gtsam_is_one_sentence(monkeypatch):
    def refuse(name):
        raise ImportError("camera poses need gtsam: pip install gtsam")

    monkeypatch.setattr(module, "importlib", type("Importlib", (), {"import_module": staticmethod(refuse)}))
    with pytest.raises(PoseUnavailableError, match="camera poses need gtsam: pip install gtsam"):
        PosePipeline(PoseSettings())


def test_the_log_keeps_tracked_frames_only_and_the_newest_of_them(pipeline):
    log = TrajectoryLog(capacity=3)
    frames = [*walk(pipeline, range(4)), pipeline.track(nothing(4)), *walk(pipeline, [5])]
    assert [log.add(frame) for frame in frames] == [False, True, True, True, False, True]
    trajectory = log.trajectory()
    assert trajectory.stamps_ns.tolist() == [10**9 + i * RATE_NS for i in (2, 3, 5)]
    np.testing.assert_array_equal(trajectory.T_world_camera[-1], frames[-1].pose_in_map())


def test_of_the_paths_before_the_present_one_the_longest_is_kept_and_written(pipeline, tmp_path):
    log = TrajectoryLog()
    first, second, third = (walk(pipeline, indices) for indices in (range(4), range(4, 5), range(5, 7)))
    for path in (first, second, third):
        log.begin_anew()
        for frame in path:
            log.add(frame)
    assert write_paths(tmp_path / "run.tum", log) == {tmp_path / "run.tum": 2, tmp_path / "run_earlier.tum": 3}
    assert read_tum(tmp_path / "run_earlier.tum").stamps_ns.tolist() == [frame.pose.stamp_ns for frame in first[1:]]


def test_a_frame_that_breaks_the_tracker_is_degraded_and_says_so(pipeline, monkeypatch):
    walk(pipeline, range(3))
    with monkeypatch.context() as broken:
        broken.setattr(tracker_module, "find_camera", lambda *_: 1 / 0)
        (failed,) = walk(pipeline, [3])
    assert failed.pose.state is TrackingState.DEGRADED
    assert "ZeroDivisionError" in failed.reason
    assert walk(pipeline, [4])[0].pose.state is TrackingState.TRACKING


def shape_error(depth, truth):
    """Mean relative error with the image's scale."""
    off = np.log(depth / truth)
    return float(np.mean(np.abs(np.expm1(off - np.median(off)))))


def test_depth_that_is_wrong_smoothly_is_put_right_by_the_camera_s_motion(pipeline):
    lacks = DepthField(np.append([0.05, 0.08, -0.05, 0.05, 0.03], np.zeros(TERMS - 5)))
    wrong, refined = [], []
    for index in range(0, 80, 2):
        image, depth = SphereWorld().look(wander(index))
        answer = estimate(image, depth * np.exp(-lacks.log_factor(depth.shape)), index, sigma=0.1)
        better = pipeline.refine(answer, pipeline.track(answer))
        wrong.append(shape_error(answer.depth, depth))
        if better is not None:
            refined.append(shape_error(better.depth, depth))
            assert better.depth.shape == better.sigma.shape == depth.shape
    assert len(refined) == len(wrong) - 1  # all but the first
    assert np.mean(wrong[-10:]) > 0.07
    assert np.mean(refined[-10:]) < 0.4 * np.mean(wrong[-10:])


def test_depth_of_a_frame_that_is_not_tracked_is_not_refined(pipeline):
    (first,) = walk(pipeline, [0])
    answer = estimate(*SphereWorld().look(wander(0)), 0)
    assert pipeline.refine(answer, first) is None


LACKS = DepthField(np.append([0.05, 0.08, -0.05, 0.05, 0.03], np.zeros(TERMS - 5)))


def wrong_estimate(T_world_camera, index, sigma=0.1):
    """A frame whose depth is wrong smoothly, and its true depth."""
    image, depth = SphereWorld().look(T_world_camera)
    return estimate(image, depth * np.exp(-LACKS.log_factor(depth.shape)), index, sigma=sigma), depth


@pytest.mark.parametrize("sigma", [0.05, 0.1, 0.3])
def test_a_camera_that_only_turns_learns_nothing_and_grows_no_surer(pipeline, sigma):
    for index in range(20):
        T = np.eye(4)
        T[:3, :3] = wander(2 * index)[:3, :3]
        answer, _ = wrong_estimate(T, index, sigma)
        refined = pipeline.refine(answer, pipeline.track(answer))
    assert np.sqrt(np.mean((refined.sigma / refined.depth) ** 2)) > 0.95 * sigma


def test_a_camera_that_is_found_again_knows_what_its_depth_lacks(pipeline):
    for index in range(0, 60, 2):
        pipeline.track(wrong_estimate(wander(index), index)[0])
    pipeline.relocalise()
    answer, depth = wrong_estimate(wander(46), 63)
    tracked = pipeline.track(answer)
    assert tracked.pose.state is TrackingState.RELOCALISED
    found_again = pipeline.refine(answer, tracked)
    assert shape_error(found_again.depth, depth) < 0.75 * shape_error(answer.depth, depth)
    answer, depth = wrong_estimate(wander(47), 64)
    followed = pipeline.refine(answer, pipeline.track(answer))
    assert shape_error(followed.depth, depth) < 0.75 * shape_error(answer.depth, depth)
    before = wrong_estimate(wander(46), 63)[1]
    step = np.median(np.log(followed.depth / depth)) - np.median(np.log(found_again.depth / before))
    assert abs(step) < 0.03
