"""Mottling, vessels and tissues of other colours painted on a rendering at the sample's own resolution.

Real tissue shows twice the contrast of the renderings at all scales from one to twenty pixels, and dark organs lie
beside pale fat: a network that has not seen it reads the one as relief, the other as a hole. The paint is solid: noise
in space, so it shrinks with distance and foreshortens as texture on a wall does, and tells nothing else about depth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray

from endo_depth_ros.geometry.stereographic import plane_rays
from endo_depth_ros.synthetic.noise_volume import CELLS, NoiseVolume, smooth_noise
from training.sequence_file import View

VOLUMES = 4
# Bumps narrower than FADED_PX are not painted, those wider than SHOWN_PX wholly.
FADED_PX, SHOWN_PX = 2.0, 5.0
# From region to region, in periods of the noise: no two are where the other is.
REGION_SHIFT = 0.37


@dataclass(frozen=True)
class Layer:
    """One size of paint. bump: width of its bumps as a share of the view's median distance.

    mottling: standard deviation of log reflectance. vessels: log reflectance that they take; vessel_width: half width
    of vessels in standard deviations of the noise. rgb: how much of both each channel shows.
    """

    bump: float
    mottling: float
    vessels: float
    vessel_width: float
    rgb: tuple[float, float, float]


@dataclass(frozen=True)
class Region:
    """Where another tissue is.

    bump: width of its bumps as a share of the view's median distance. threshold: what the noise exceeds there, standard
    deviations. edge: half width of the border, standard deviations. log_reflectance: of RGB, beside the other tissue.
    """

    bump: float
    threshold: float
    edge: float
    log_reflectance: tuple[float, float, float]


def draw_region(rng: np.random.Generator, strength: float) -> Region:
    """Some other tissue; strength multiplies its contrast."""
    brightness = strength * rng.normal(0, 0.8)
    # Blood takes more of green and blue than of red.
    tint = np.array([rng.uniform(0.4, 1.0), 1.0, rng.uniform(0.8, 1.1)]) * brightness + strength * rng.normal(
        0, 0.12, 3
    )
    return Region(
        bump=math.exp(rng.uniform(math.log(0.25), math.log(1.5))),
        threshold=float(rng.normal(0, 0.7)),
        edge=math.exp(rng.uniform(math.log(0.02), math.log(0.4))),
        log_reflectance=(float(tint[0]), float(tint[1]), float(tint[2])),
    )


def draw_layers(rng: np.random.Generator, strength: float) -> tuple[Layer, ...]:
    """Three sizes of paint, each a third of the last; strength multiplies their contrast."""
    largest = math.exp(rng.uniform(math.log(0.05), math.log(0.5)))
    has_vessels = rng.random() < 0.6
    layers = []
    for size in range(3):
        vessels = rng.uniform(0.0, 0.7) if has_vessels and rng.random() < 0.7 else 0.0
        layers.append(
            Layer(
                bump=largest / 3**size,
                mottling=strength * abs(rng.normal(0, 0.13)),
                vessels=strength * vessels,
                vessel_width=math.exp(rng.uniform(math.log(0.04), math.log(0.2))),
                rgb=(float(rng.uniform(0.3, 1.0)), 1.0, float(rng.uniform(0.8, 1.1))),
            )
        )
    return tuple(layers)


def paint(
    view: View, layers: tuple[Layer, ...], rng: np.random.Generator, regions: tuple[Region, ...] = ()
) -> NDArray[np.float32]:
    """The view's radiance [H, W, 3] with the layers on all but instruments and what has no depth."""
    tissue = np.isfinite(view.log_depth) & ~view.instrument
    volume = _volume(int(rng.integers(VOLUMES)))
    turn, shift = np.linalg.qr(rng.normal(size=(3, 3)))[0], rng.uniform(0, 1, 3)
    if not tissue.any():
        return view.radiance
    points, footprint = _points(view, tissue)
    unit = float(np.median(np.linalg.norm(points, axis=1)))
    log_gain = np.zeros((len(points), 3), np.float32)
    for layer in layers:
        bump = layer.bump * unit
        shown = np.clip((bump / footprint - FADED_PX) / (SHOWN_PX - FADED_PX), 0, 1)
        if layer.mottling == layer.vessels == 0 or not shown.any():
            continue
        periods = points @ (turn / (bump * CELLS)) + shift
        noise = volume.at(torch.from_numpy(periods.astype(np.float32))).numpy()
        # Vessels lie in the darker half of the mottling.
        vessels = np.exp(-np.square(noise[1] / layer.vessel_width)) / (1 + np.exp(3 * noise[0]))
        value = shown * (layer.mottling * noise[0] - layer.vessels * vessels)
        log_gain += value[:, None].astype(np.float32) * np.array(layer.rgb, np.float32)
    for number, each in enumerate(regions):
        periods = points @ (turn / (each.bump * unit * CELLS)) + shift[::-1] + REGION_SHIFT * number
        noise = volume.at(torch.from_numpy(periods.astype(np.float32))).numpy()[0]
        there = 1 / (1 + np.exp(np.clip((each.threshold - noise) / each.edge, -30, 30)))
        log_gain += there[:, None].astype(np.float32) * np.array(each.log_reflectance, np.float32)
    painted = view.radiance.copy()
    painted[tissue] *= np.exp(log_gain)
    return painted


def _points(view: View, tissue: NDArray[np.bool_]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Points [N, 3] of the tissue in the camera's frame, metres, and the width of their pixels, [N], metres."""
    rows, columns = np.nonzero(tissue)
    z = np.exp(view.log_depth[tissue]).astype(np.float32)
    plane = (np.stack([columns, rows], 1) - view.K[:2, 2]) / view.K[0, 0]
    # A pixel spans 1 / (f (1 + t²)) radians, t the tangent of half its angle, and is z (1 + t²) / (1 - t²) away.
    footprint = z / view.K[0, 0] / (1 - np.square(plane).sum(1) / 4)
    return plane_rays(plane).astype(np.float32) * z[:, None], footprint.astype(np.float32)


@cache
def _volume(index: int) -> NoiseVolume:
    """One of a few noise volumes of two channels, mottling and the middle of vessels."""
    return NoiseVolume(smooth_noise(np.random.default_rng([7, index]))[:2], "cpu")
