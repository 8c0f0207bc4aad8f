"""How good metres and poses are that come of a simulated robot and camera, over many seeds.

    python benchmarks/robot_kinematics.py --seeds 20

The robot says where the camera is, 50 times a second, wrong by 1 mm and 0.3° each time; the hand-eye rotation that is
given is 5° off and its clock 40 to 50 ms, of which all but 10 ms are told; it turns the camera about two axes. Prints
for each seed the error of the scale when 40 mm are travelled, and then, for the tracker's window with the robot's poses
as factors, the window without them and the robot alone, the error of positions after one rigid motion, mm.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "test" / "pose"))

from robot_world import RobotWorld, compare_ways, watch

from endo_depth_ros.contracts import ScaleState
from endo_depth_ros.pose.metric_settings import MetricScaleSettings
from endo_depth_ros.pose.scale_estimate import MetricScale

TOLD_WITHIN_S = 0.01
ENOUGH_M = 0.04


def world_of(seed: int) -> RobotWorld:
    """Units of depth of 0.5 to 2 metres, clocks late or early."""
    rng = np.random.default_rng([seed, 1])
    offset_s = rng.choice([-1, 1]) * rng.uniform(0.04, 0.05)
    return RobotWorld(seed, units=float(np.exp(rng.uniform(np.log(0.5), np.log(2.0)))), offset_s=float(offset_s))


def metric_of(world: RobotWorld) -> MetricScale:
    """What is told of the robot: its clock to TOLD_WITHIN_S, its hand-eye pose to 5°."""
    told_s = world.offset_s + TOLD_WITHIN_S * (1 if world.seed % 2 else -1)
    return MetricScale(MetricScaleSettings(time_offset_s=told_s), world.T_tool_camera_given)


def run(seed: int) -> tuple[float, float, list[float]]:
    """Metres travelled when the scale was said, its relative error once that and 40 mm are behind, and errors in mm."""
    world, again = world_of(seed), world_of(seed)
    metric = metric_of(world)
    said_m, error = np.nan, np.nan
    for travelled, estimate in watch(world, metric, 7.0):
        if estimate.scale.state is ScaleState.METRIC:
            said_m = travelled if np.isnan(said_m) else said_m
            if travelled >= ENOUGH_M and np.isnan(error):
                error = estimate.scale.value / world.units - 1
    return said_m, error, [1000 * each for each in compare_ways(world, again, metric, estimate.scale)]


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    arguments = parser.parse_args()
    print("| seed | scale said after mm | scale off % | fused mm | camera alone mm | robot alone mm |")
    print("|---" * 6 + "|")
    rows = [run(seed) for seed in range(arguments.seeds)]
    for seed, (said_m, error, errors) in enumerate(rows):
        print(
            f"| {seed} | {1000 * said_m:.0f} | {100 * error:.1f} | "
            + " | ".join(f"{each:.2f}" for each in errors)
            + " |"
        )
    within = sum(abs(error) <= 0.03 for _, error, _ in rows)
    better = sum(errors[0] < min(errors[1:]) for _, _, errors in rows)
    rms = np.sqrt(np.mean([error**2 for _, error, _ in rows]))
    print(
        f"scale within 3 %: {within} of {len(rows)}, {100 * rms:.1f} % root mean square; "
        f"fused better than both: {better} of {len(rows)}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
