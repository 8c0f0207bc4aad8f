"""How far the tracker's poses are from the truth, on rendered and recorded sequences, beside Open3D's odometry.

  python benchmarks/pose_accuracy.py colon:0 sinus:2 airway:5:varied --frames 300 --size 320x256
  python benchmarks/pose_accuracy.py colon:0 --depth-error 0.04 --flicker 0.03    # depth that is wrong as a network's
  python benchmarks/pose_accuracy.py --rgbd folder    # of frame-*.color.jpg, .depth.png and .pose.txt
  python benchmarks/pose_accuracy.py colon:1000000 --rate 4 --motion-network none endo_motion_small   # fast motion
  python benchmarks/pose_accuracy.py colon:1000000 --spoiled 8 --motion-network none endo_motion_small
Prints a table: ATE after one Sim(3) as a share of the tremor-free path and of the best straight line's, median
rotation error per 10 mm, share of frames with a pose, drift of both odometries over 10 mm, NEES of the covariance;
with --spoiled also how far off the pose is after so many frames in a row that are blurred beyond following, median, in
mm and degrees.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from endo_depth_ros.contracts import DepthEstimate, Frame, FrameStatus, TrackingState, Verdict
from endo_depth_ros.evaluation.trajectory_metrics import Alignment, absolute_error, align, straight_line_error
from endo_depth_ros.geometry.camera import Camera
from endo_depth_ros.geometry.trajectory import Trajectory
from endo_depth_ros.geometry.transforms import invert_transform
from endo_depth_ros.pose.covariance import to_body_order
from endo_depth_ros.pose.lie import log_se3
from endo_depth_ros.pose.pipeline import create_tracker
from endo_depth_ros.pose.settings import PoseSettings
from endo_depth_ros.pose.tracker import TrackedFrame
from endo_depth_ros.stamps import NANOSECONDS
from endo_depth_ros.synthetic.sequence import SequenceSettings, render_sequence

Array = NDArray[np.float64]
HAVE_POSE = (TrackingState.INITIALISING, TrackingState.TRACKING, TrackingState.RELOCALISED)
TREMOR_S = 0.3
SEGMENT_M = 0.01
SPOIL_EVERY = 15


@dataclass(frozen=True)
class Sample:
    """A frame with depth, where it may be trusted (bool [H, W] or None), and the true pose."""

    estimate: DepthEstimate
    trusted: NDArray[np.bool_] | None
    T_world_camera: Array
    spoiled: bool = False


@dataclass
class DepthError:
    """Depth that is wrong as a network's: a smooth field that changes slowly, and the image as a whole."""

    smooth: float
    flicker: float
    rng: np.random.Generator
    field: Array | None = None

    def __call__(self, depth: NDArray[np.float32]) -> NDArray[np.float32]:
        """Another frame's depth [H, W]."""
        coarse = self.rng.normal(size=(4, 5))
        new = np.asarray(cv2.resize(coarse, depth.shape[::-1], interpolation=cv2.INTER_CUBIC), np.float64)
        field = new if self.field is None else 0.9 * self.field + np.sqrt(0.19) * new
        self.field = field
        factor = np.exp(self.smooth * field + self.flicker * self.rng.normal())
        return np.asarray(depth * factor, np.float32)


def rendered(spec: str, frames: int, size: tuple[int, int], rate_hz: float, error: DepthError) -> Iterator[Sample]:
    """family:seed, or family:seed:varied with instruments, obstructions and moving walls."""
    family, seed, *rest = spec.split(":")
    settings = SequenceSettings(
        seed=int(seed), family=family, frames=frames, rate_hz=rate_hz, width=size[0], height=size[1], varied=bool(rest)
    )
    for each in render_sequence(settings):
        lit = each.field_of_view & (each.frame.image.max(axis=2) < 250)
        depth = np.where(lit, error(each.depth), np.float32(np.nan))
        trusted = ~(each.instrument | each.hidden)
        yield Sample(estimate(each.frame, depth, error.smooth), trusted, each.T_world_camera)


def recorded(folder: Path, error: DepthError) -> Iterator[Sample]:
    """A recording of a depth camera in the layout of 3DMatch, at half its size; depth in mm."""
    K = np.loadtxt(folder / "camera-intrinsics.txt")
    for index, path in enumerate(sorted(folder.glob("*.color.*"))):
        stem = path.name.split(".color")[0]
        image = read_image(path, cv2.IMREAD_COLOR)[..., ::-1]
        raw = read_image(folder / f"{stem}.depth.png", cv2.IMREAD_UNCHANGED)[::2, ::2].astype(np.float32) / 1000
        depth = error(np.where((raw > 0) & (raw < 60), raw, np.float32(np.nan)))
        half = (image.shape[1] // 2, image.shape[0] // 2)
        camera = Camera(image.shape[1], image.shape[0], K).resized(*half)
        reduced = cv2.resize(image, half, interpolation=cv2.INTER_AREA)
        frame = Frame(NANOSECONDS + index * 33_333_333, "camera", np.asarray(reduced, np.uint8), camera)
        yield Sample(estimate(frame, depth, max(error.smooth, 0.015)), None, np.loadtxt(folder / f"{stem}.pose.txt"))


def read_image(path: Path, kind: int) -> NDArray[Any]:
    """As OpenCV has it. Raises FileNotFoundError."""
    image = cv2.imread(str(path), kind)
    if image is None:
        raise FileNotFoundError(f"{path} can't be read as an image")
    return image


def estimate(frame: Frame, depth: NDArray[np.float32], sigma: float) -> DepthEstimate:
    """sigma: relative."""
    status = FrameStatus(frame.stamp_ns, Verdict.OK)
    return DepthEstimate(frame, depth, (max(sigma, 0.01) * depth).astype(np.float32), status)


class Open3DOdometry:
    """Frame to frame, on the same depth; where it fails the camera stands still."""

    def __init__(self) -> None:
        import open3d

        self._open3d, self._previous, self._T = open3d, None, np.eye(4)

    def track(self, sample: Sample) -> Array:
        """T_first_camera [4, 4]."""
        o3d = self._open3d
        frame, depth = sample.estimate.frame, np.nan_to_num(sample.estimate.depth, posinf=0, neginf=0)
        current = o3d.t.geometry.RGBDImage(
            o3d.t.geometry.Image(np.ascontiguousarray(frame.image)), o3d.t.geometry.Image(np.ascontiguousarray(depth))
        )
        if self._previous is not None:
            self._T = self._T @ self._step(current, frame.camera.K)
        self._previous = current
        return self._T.copy()

    def _step(self, current: Any, K: Array) -> Array:
        """T_previous_current."""
        odometry = self._open3d.t.pipelines.odometry
        try:
            result = odometry.rgbd_odometry_multi_scale(
                current, self._previous, self._open3d.core.Tensor(K), depth_scale=1.0, depth_max=100.0
            )
        except RuntimeError:
            return np.eye(4)
        return np.asarray(result.transformation.numpy(), np.float64)


@dataclass(frozen=True)
class Row:
    """A line of the table; see there. Lengths in mm, shares in %."""

    name: str
    frames: int
    path_mm: float
    ate_percent: float
    of_straight_line: float
    ate_mm: float
    ate_first_pose_mm: float
    rotation_deg: float
    coverage: float
    drift: float
    open3d_drift: float
    nees: float
    carried_mm: float
    carried_deg: float


def run(name: str, samples: list[Sample], with_open3d: bool, network: str) -> Row:
    """Track all samples."""
    tracker = create_tracker(PoseSettings(synchronous=True, motion_network=network))
    tracked = [tracker.track(sample.estimate, sample.trusted) for sample in samples]
    tracker.close()
    other = Open3DOdometry() if with_open3d else None
    theirs = np.stack([other.track(sample) for sample in samples]) if other is not None else None
    spoiled = np.array([sample.spoiled for sample in samples])
    return score(name, tracked, np.stack([sample.T_world_camera for sample in samples]), theirs, spoiled)


def spoil(samples: list[Sample], count: int) -> list[Sample]:
    """The samples, of which `count` in a row after every SPOIL_EVERY are blurred."""
    return [
        blurred(sample) if count and index % (SPOIL_EVERY + count) >= SPOIL_EVERY else sample
        for index, sample in enumerate(samples)
    ]


def blurred(sample: Sample) -> Sample:
    """Out of focus by a fortieth of the image's width; depth is as it was."""
    frame = sample.estimate.frame
    soft = np.asarray(cv2.GaussianBlur(frame.image, (0, 0), frame.image.shape[1] / 40), np.uint8)
    return replace(sample, estimate=replace(sample.estimate, frame=replace(frame, image=soft)), spoiled=True)


def carried(tracked: list[TrackedFrame], truth: Array, spoiled: NDArray[np.bool_]) -> tuple[float, float]:
    """Median error in mm and degrees at the end of spoiled frames since the frame before them."""
    ends = np.flatnonzero(spoiled & ~np.append(spoiled[1:], False))
    starts = [np.flatnonzero(~spoiled[:end])[-1] for end in ends]
    errors = []
    for start, end in zip(starts, ends, strict=True):
        found = invert_transform(tracked[start].pose.T_odom_camera) @ tracked[end].pose.T_odom_camera
        errors.append(log_se3(invert_transform(invert_transform(truth[start]) @ truth[end]) @ found))
    if not errors:
        return np.nan, np.nan
    twists = np.array(errors)
    shift, turn = (np.median(np.linalg.norm(part, axis=1)) for part in (twists[:, 3:], twists[:, :3]))
    return 1000 * float(shift), float(np.degrees(turn))


def score(
    name: str, tracked: list[TrackedFrame], truth: Array, theirs: Array | None, spoiled: NDArray[np.bool_]
) -> Row:
    """The table's line."""
    stamps = np.array([each.pose.stamp_ns for each in tracked])
    has_pose = np.array([each.pose.state in HAVE_POSE for each in tracked])
    ours = Trajectory(stamps[has_pose], np.stack([each.pose_in_map() for each in tracked])[has_pose])
    true = Trajectory(stamps, truth)
    calm = gaussian_filter1d(truth[:, :3, 3], TREMOR_S * NANOSECONDS / np.median(np.diff(stamps)), axis=0)
    travelled = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(calm, axis=0), axis=1))])
    common = true.at(np.flatnonzero(has_pose))
    aligned, scale = align(ours, common, Alignment.SIM3)
    ate = absolute_error(aligned, common)
    placed = Trajectory(
        ours.stamps_ns, common.T_world_camera[0] @ invert_transform(ours.T_world_camera[0]) @ ours.T_world_camera
    )
    drift, rotation_deg = relative(ours.T_world_camera, common.T_world_camera, travelled[has_pose], scale)
    return Row(
        name=name,
        frames=len(tracked),
        path_mm=1000 * travelled[-1],
        ate_percent=100 * ate / travelled[-1],
        of_straight_line=100 * ate / straight_line_error(true),
        ate_mm=1000 * ate,
        ate_first_pose_mm=1000 * absolute_error(placed, common),
        rotation_deg=rotation_deg,
        coverage=100 * float(has_pose.mean()),
        drift=drift,
        open3d_drift=relative(theirs, truth, travelled, 1.0)[0] if theirs is not None else np.nan,
        nees=float(np.mean(nees(tracked, truth))),
        carried_mm=carried(tracked, truth, spoiled)[0],
        carried_deg=carried(tracked, truth, spoiled)[1],
    )


def relative(estimated: Array, truth: Array, travelled: Array, scale: float) -> tuple[float, float]:
    """Median error over 10 mm: translation in % of 10 mm, rotation in degrees."""
    later = np.searchsorted(travelled, travelled + SEGMENT_M)
    first = np.flatnonzero(later < len(travelled))
    if not len(first):
        return np.nan, np.nan
    a = np.linalg.inv(estimated[first]) @ estimated[later[first]]
    a[:, :3, 3] *= scale
    b = np.linalg.inv(truth[first]) @ truth[later[first]]
    turn = Rotation.from_matrix(np.swapaxes(b[:, :3, :3], 1, 2) @ a[:, :3, :3]).magnitude()
    apart = np.linalg.norm(a[:, :3, 3] - b[:, :3, 3], axis=1)
    return 100 * float(np.median(apart)) / SEGMENT_M, float(np.degrees(np.median(turn)))


def nees(tracked: list[TrackedFrame], truth: Array) -> list[float]:
    """Squared errors of the first segment's tracked frames in units of their covariance; 6 on average is right."""
    normalised = [np.nan]
    for each, T in list(zip(tracked, truth, strict=True))[1:]:
        if each.pose.state is TrackingState.TRACKING and each.segment == 0 and each.correction == 0:
            true = invert_transform(truth[0]) @ T
            error = log_se3(invert_transform(true) @ each.pose.T_odom_camera)
            covariance = to_body_order(each.pose.covariance, each.pose.T_odom_camera)
            normalised.append(float(error @ np.linalg.solve(covariance, error)))
    return normalised[1:] or normalised


def print_table(rows: list[Row]) -> None:
    """Markdown."""
    print("| sequence | frames | path mm | ATE % | of straight line % | ATE mm | first pose only mm | "
          "° per 10 mm | coverage % | drift % | Open3D drift % | NEES | carried mm | carried ° |")  # fmt: skip
    print("|---" * 14 + "|")
    for row in rows:
        numbers = [row.path_mm, row.ate_percent, row.of_straight_line, row.ate_mm, row.ate_first_pose_mm]
        numbers += [row.rotation_deg, row.coverage, row.drift, row.open3d_drift, row.nees]
        numbers += [row.carried_mm, row.carried_deg]
        print("| " + " | ".join([row.name, str(row.frames), *(f"{number:.3g}" for number in numbers)]) + " |")


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sequences", nargs="*", help="family:seed, or family:seed:varied")
    parser.add_argument("--rgbd", type=Path, action="append", default=[], help="folder of a depth camera's recording")
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--rate", type=float, default=15.0, help="frame rate in Hz")
    parser.add_argument("--size", default="320x256")
    parser.add_argument("--depth-error", type=float, default=0.0, help="relative, smooth over the image")
    parser.add_argument("--flicker", type=float, default=0.0, help="relative, of each image as a whole")
    parser.add_argument("--seed", type=int, default=0, help="of the depth's errors")
    parser.add_argument("--open3d", action="store_true", help="compare with Open3D's tensor RGB-D odometry")
    parser.add_argument(
        "--motion-network", nargs="+", default=[PoseSettings.motion_network], help="each is tried on the same samples"
    )
    parser.add_argument("--spoiled", type=int, default=0, help=f"frames that are blurred after every {SPOIL_EVERY}")
    arguments = parser.parse_args()
    width, height = (int(each) for each in arguments.size.split("x"))
    rows = []
    for spec in [*arguments.sequences, *arguments.rgbd]:
        error = DepthError(arguments.depth_error, arguments.flicker, np.random.default_rng(arguments.seed))
        if isinstance(spec, Path):
            samples = recorded(spec, error)
        else:
            samples = rendered(spec, arguments.frames, (width, height), arguments.rate, error)
        taken = spoil(list(samples), arguments.spoiled)
        for network in arguments.motion_network:
            name = f"{spec} {network}" if len(arguments.motion_network) > 1 else str(spec)
            rows.append(run(name, taken, arguments.open3d, network))
    print_table(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
