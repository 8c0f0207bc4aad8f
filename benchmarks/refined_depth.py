"""What the camera's motion makes of the network's depth, on rendered videos whose depth is known.

  python benchmarks/refined_depth.py colon:1000200 sinus:1000204 bladder:1000207:varied --frames 150 --rate 15
Prints, as the model says it and refined: AbsRel with a scale per image and with one for the video, the standard
deviation of one image's log scale, rank correlation, the shares of errors below 1 and 2 sigma; and the share of frames.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from endo_depth_ros.contracts import DepthEstimate
from endo_depth_ros.depth.pipeline import DepthPipeline
from endo_depth_ros.depth.settings import DepthSettings
from endo_depth_ros.evaluation.truth import rectify_truth
from endo_depth_ros.pose.camera_poses import CameraPoses
from endo_depth_ros.pose.settings import PoseSettings
from endo_depth_ros.synthetic.sequence import SequenceSettings, render_sequence

Map = NDArray[np.float32]


@dataclass
class Errors:
    """Of one way to depth, image by image. offs: log of predicted over true depth."""

    offs: list[NDArray[np.float64]] = field(default_factory=list)
    within: list[tuple[float, float]] = field(default_factory=list)
    ranks: list[float] = field(default_factory=list)

    def add(self, estimate: DepthEstimate, truth: Map) -> None:
        """One image with its true depth in the same pixels."""
        known = estimate.valid & np.isfinite(truth) & (truth > 0)
        depth, true = estimate.depth[known].astype(np.float64), truth[known].astype(np.float64)
        off, sigma = np.log(depth / true), estimate.sigma[known] / depth
        error = np.abs(off - np.median(off))
        self.offs.append(off)
        self.within.append((float(np.mean(error < sigma)), float(np.mean(error < 2 * sigma))))
        self.ranks.append(float(spearmanr(depth, true).statistic))

    def row(self) -> list[float]:
        """The figures in the order of the table."""
        scales = np.array([np.median(off) for off in self.offs])
        per_image = np.mean([np.mean(np.abs(np.expm1(off - np.median(off)))) for off in self.offs])
        one = np.mean([np.mean(np.abs(np.expm1(off - np.median(scales)))) for off in self.offs])
        return [per_image, one, scales.std(), np.mean(self.ranks), *np.mean(self.within, axis=0)]


def answered(spec: str, args: argparse.Namespace) -> Iterator[tuple[DepthEstimate, Map]]:
    """The network's answers to family:seed or family:seed:varied, with the true depth in their pixels."""
    family, seed, *rest = spec.split(":")
    settings = SequenceSettings(
        seed=int(seed), family=family, frames=args.frames, rate_hz=args.rate, width=384, height=320,
        hfov_deg=args.hfov, varied=bool(rest),
    )  # fmt: skip
    pipeline = DepthPipeline(DepthSettings(weigh_relief=not args.full_relief))
    for each in render_sequence(settings):
        estimate = pipeline.process(each.frame)
        yield estimate, rectify_truth(each.depth, each.frame.camera, estimate.frame.camera)


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sequences", nargs="+", metavar="FAMILY:SEED[:varied]")
    parser.add_argument("--frames", type=int, default=150)
    parser.add_argument("--rate", type=float, default=15.0, metavar="HZ")
    parser.add_argument("--hfov", type=float, default=85.0, metavar="DEG")
    parser.add_argument("--full-relief", action="store_true", help="weigh_relief: false")
    args = parser.parse_args()
    print("| sequence | | frames | AbsRel | one scale | flicker | rank | 1σ | 2σ |")
    print("|---|---|---|---|---|---|---|---|---|")
    for spec in args.sequences:
        poses, as_said, refined = CameraPoses(PoseSettings(synchronous=True)), Errors(), Errors()
        for estimate, truth in answered(spec, args):
            tracked = poses.track(estimate, "camera")
            better = None if tracked is None else poses.refine(estimate, tracked)
            if better is not None:  # the same frames in both rows
                as_said.add(estimate, truth)
                refined.add(better, truth)
        poses.close()
        for name, errors in (("model", as_said), ("refined", refined)):
            cells = " | ".join(f"{value:.3f}" for value in errors.row())
            print(f"| {spec} | {name} | {len(errors.offs)} of {args.frames} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
