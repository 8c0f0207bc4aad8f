"""Poses fused with a simulated robot's, on videos with true poses and the network's own depth, beside either alone.

    python benchmarks/robot_on_video.py colon.mcap abdomen.mcap --seeds 2

The robot of robot_kinematics.py holds the camera of a bag. Frames go through the nodes' depth and pose pipelines, the
scale that is measured goes back into depth as depth_node takes it. Prints from where on the scale was known and what it
was beside the median of true by predicted depth, then the error of the newest segment's positions after one rigid
motion, mm: fused, of the camera alone with that scale from there on, of the robot alone; then by how much metric depth
is off as a whole, median of |log|, as the model says it and refined by the camera's motion.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation, Slerp

sys.path.insert(0, str(Path(__file__).parents[1] / "test" / "pose"))

from robot_world import KINEMATICS_HZ, T_BASE_WORLD, T_TOOL_CAMERA, rigid_error

from endo_depth_ros.bags.rosbag_source import RosbagSource
from endo_depth_ros.bags.source import SourceFrame
from endo_depth_ros.contracts import DepthEstimate, ScaleState, TrackingState
from endo_depth_ros.depth.answering import answer
from endo_depth_ros.depth.pipeline import DepthPipeline
from endo_depth_ros.evaluation.truth import rectify_truth
from endo_depth_ros.geometry.transforms import Transform, invert_transform
from endo_depth_ros.nodes.depth_settings import DepthNodeSettings
from endo_depth_ros.pose.lie import exp_se3
from endo_depth_ros.pose.metric_settings import MetricScaleSettings
from endo_depth_ros.pose.pipeline import PosePipeline, create_metric_scale
from endo_depth_ros.pose.settings import PoseSettings
from endo_depth_ros.runs.truth_topics import Truth, TruthTopics, read_truth_topics
from endo_depth_ros.stamps import NANOSECONDS

CLOCK_OFF_S, TOLD_WITHIN_S, HAND_EYE_ERROR_DEG = 0.045, 0.01, 5.0
# The robot is asked this much ahead of the image, since its samples have to surround the image's stamp.
AHEAD_S = 0.02
HAVE_POSE = (TrackingState.INITIALISING, TrackingState.TRACKING, TrackingState.RELOCALISED)
LOOKED_AT = 10  # of so many true depth images one is compared

Way = dict[int, Transform]


@dataclass
class Robot:
    """Says where the camera is, with errors. offset_s: what its clock is behind by; told_s: what is known of that."""

    truths: list[Truth]
    rng: np.random.Generator

    def __post_init__(self) -> None:
        poses = np.stack([truth.T_world_camera for truth in self.truths if truth.T_world_camera is not None])
        self._start_ns = self.truths[0].stamp_ns
        self._times = np.array([(truth.stamp_ns - self._start_ns) / NANOSECONDS for truth in self.truths])
        self._turns, self._places = Slerp(self._times, Rotation.from_matrix(poses[:, :3, :3])), poses[:, :3, 3]
        self.offset_s = float(self.rng.choice([-1, 1])) * CLOCK_OFF_S
        self.told_s = self.offset_s + float(self.rng.choice([-1, 1])) * TOLD_WITHIN_S
        error = self.rng.normal(size=3)
        error *= np.radians(HAND_EYE_ERROR_DEG) / np.linalg.norm(error)
        self.T_tool_camera_given = T_TOOL_CAMERA @ exp_se3(np.append(error, 0.005 * self.rng.normal(size=3)))

    def sample(self, stamp_ns: int) -> Transform:
        """T_base_tool, wrong by 1 mm and 0.3° at the camera."""
        t = np.clip((stamp_ns - self._start_ns) / NANOSECONDS, 0, self._times[-1])
        T = np.eye(4)
        T[:3, :3] = self._turns(t).as_matrix()
        T[:3, 3] = [np.interp(t, self._times, axis) for axis in self._places.T]
        noise = np.append(np.radians(0.3) * self.rng.normal(size=3), 0.001 * self.rng.normal(size=3))
        return T_BASE_WORLD @ T @ exp_se3(noise) @ invert_transform(T_TOOL_CAMERA)


def run(bag: Path, seed: int) -> str:
    """A line of the table."""
    truths = [truth for truth in read_truth_topics(bag, TruthTopics()) if truth.T_world_camera is not None]
    true = {truth.stamp_ns: truth.T_world_camera for truth in truths if truth.T_world_camera is not None}
    depths = {truth.stamp_ns: truth for truth in truths[::LOOKED_AT]}
    robot = Robot(truths, np.random.default_rng(seed))
    frames = [frame for frame in RosbagSource(bag) if frame.stamp_ns in true]
    depth = DepthPipeline(DepthNodeSettings())
    metric = create_metric_scale(MetricScaleSettings(time_offset_s=robot.told_s), robot.T_tool_camera_given)
    pose = PosePipeline(PoseSettings(synchronous=True), [metric.factors])
    fused: dict[int, Way] = {}
    ratios: list[float] = []
    off: dict[str, list[float]] = {"model": [], "refined": []}
    asked_ns, travelled, known_m = frames[0].stamp_ns, 0.0, np.nan
    for before, frame in zip([frames[0], *frames], frames, strict=False):
        travelled += float(np.linalg.norm((true[frame.stamp_ns] - true[before.stamp_ns])[:3, 3]))
        while asked_ns <= frame.stamp_ns + AHEAD_S * NANOSECONDS:
            metric.add_kinematics(asked_ns - round(robot.offset_s * NANOSECONDS), robot.sample(asked_ns))
            asked_ns += NANOSECONDS // KINEMATICS_HZ
        answered = answer(depth, frame, 0.0)
        tracked = pose.track(answered)
        if not isinstance(answered, DepthEstimate):
            continue
        scale = metric.update(tracked).scale
        if scale.state is ScaleState.METRIC:
            depth.use_scale(scale)
            known_m = travelled if np.isnan(known_m) else known_m
        if frame.stamp_ns in depths:
            ratios += true_by_predicted(answered, depths[frame.stamp_ns])
            refined = pose.refine(answered, tracked)
            if refined is not None and answered.status.scale.state is ScaleState.METRIC:
                off["model"] += metres_off(answered, depths[frame.stamp_ns])
                off["refined"] += metres_off(refined, depths[frame.stamp_ns])
        if tracked.pose.state in HAVE_POSE and tracked.pose.scale.state is ScaleState.METRIC:
            fused.setdefault(tracked.segment, {})[frame.stamp_ns] = tracked.pose_in_map()
    pose.close()
    newest = fused[max(fused)] if fused else {}
    alone = follow(depth, [frame for frame in frames if newest and frame.stamp_ns >= min(newest)])
    by_robot = {stamp_ns: robot.sample(stamp_ns) @ robot.T_tool_camera_given for stamp_ns in newest}
    errors = [error_mm(way, true) for way in (newest, alone, by_robot)]
    value, epochs = metric.estimate.scale.value, metric.estimate.scale.epoch
    cells = [bag.stem, str(seed), f"{1000 * known_m:.0f}", f"{value:.2f}", f"{np.median(ratios):.2f}", str(epochs)]
    depth_off = [f"{np.median(each):.3f}" if each else "nan" for each in off.values()]
    return " | ".join([*cells, str(len(newest)), *(f"{error:.2f}" for error in errors), *depth_off])


def true_by_predicted(estimate: DepthEstimate, truth: Truth) -> list[float]:
    """Median of true by the model's own depth, nothing where they have no pixel in common."""
    if truth.depth is None or truth.camera is None:
        return []
    depth = rectify_truth(truth.depth, truth.camera, estimate.frame.camera)
    common = np.isfinite(estimate.depth) & (depth > 0)
    return [float(np.median((depth / estimate.depth)[common])) * estimate.status.scale.value] if common.any() else []


def metres_off(estimate: DepthEstimate, truth: Truth) -> list[float]:
    """|log| of the median of true by metric depth, nothing where they have no pixel in common."""
    scale = estimate.status.scale.value
    return [abs(float(np.log(ratio / scale))) for ratio in true_by_predicted(estimate, truth)]


def follow(depth: DepthPipeline, frames: list[SourceFrame]) -> Way:
    """The camera's way by vision alone, of the segment that is longest."""
    pose, ways = PosePipeline(PoseSettings(synchronous=True)), {0: Way()}
    depth.reset()
    for frame in frames:
        tracked = pose.track(answer(depth, frame, 0.0))
        if tracked.pose.state in HAVE_POSE:
            ways.setdefault(tracked.segment, {})[frame.stamp_ns] = tracked.pose_in_map()
    pose.close()
    return max(ways.values(), key=len)


def error_mm(way: Way, true: Way) -> float:
    """Root mean square distance after one rigid motion; NaN for fewer than three poses."""
    if len(way) < 3:
        return float("nan")
    return 1000 * rigid_error(list(way.values()), [true[stamp_ns] for stamp_ns in way])


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bags", nargs="+", type=Path, help="with /truth/depth and true poses on /tf")
    parser.add_argument("--seeds", type=int, default=2)
    arguments = parser.parse_args()
    print(
        "| bag | seed | known after mm | scale | true, median | epochs | frames | fused mm | camera mm | robot mm "
        "| depth off | refined off |"
    )
    print("|---" * 12 + "|")
    for bag in arguments.bags:
        for seed in range(arguments.seeds):
            print(f"| {run(bag, seed)} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
