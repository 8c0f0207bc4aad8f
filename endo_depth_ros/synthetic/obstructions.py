"""What spoils the view: smoke, blood, droplets, the lens on tissue, defocus and shake."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.synthetic.clouds import cloud
from endo_depth_ros.synthetic.droplets import add_droplet, draw_droplets
from endo_depth_ros.synthetic.light import blend
from endo_depth_ros.synthetic.motion_blur import blur_motion

# Less of the view than this share shows nothing through smoke or blood, nor beside tissue that touches the lens.
_VISIBLE = 0.1


@dataclass(frozen=True)
class Obstruction:
    """How strong each one is, 0 for none; the default is a clear view.

    seed: where they are. smoke, blood, contact (of the lens with tissue): 0-1, 1 hides everything.
    droplets: how many, droplet_radius: in image heights. defocus_px: radius of the blur. motion_px: way of the
    picture while the shutter is open. Both in pixels of an image of 512 rows.
    """

    seed: int = 0
    smoke: float = 0.0
    blood: float = 0.0
    contact: float = 0.0
    droplets: int = 0
    droplet_radius: float = 0.08
    defocus_px: float = 0.0
    motion_px: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class ObstructedView:
    """Linear light float32 [H, W, 3] and the pixels whose depth can't be seen any more, bool [H, W]."""

    light: NDArray[np.float32]
    hidden: NDArray[np.bool_]


def obstruct(radiance: NDArray[np.float32], obstruction: Obstruction, time_s: float = 0.0) -> ObstructedView:
    """The view of linear radiance [H, W, 3], NaN where nothing is seen, through an obstruction.

    time_s: by which smoke drifts.
    """
    scale = radiance.shape[0] / 512
    light: NDArray[Any] = blur_motion(radiance, (obstruction.motion_px[0] * scale, obstruction.motion_px[1] * scale))
    if obstruction.defocus_px > 0:
        light = _defocus(light, obstruction.defocus_px * scale)
    hidden = np.zeros(light.shape[:2], bool)
    if obstruction.blood > 0:
        light = _bleed(light, hidden, obstruction)
    if obstruction.smoke > 0:
        light = _smoke(light, hidden, obstruction, time_s)
    if obstruction.contact > 0:
        light = _touch(light, hidden, obstruction)
    for droplet in draw_droplets(_rng(obstruction, 4), obstruction.droplets, obstruction.droplet_radius):
        add_droplet(light, hidden, droplet)
    return ObstructedView(np.asarray(light, np.float32), hidden)


def draw_obstruction(rng: np.random.Generator) -> Obstruction:
    """A clear view more often than not; otherwise one or two obstructions, most of them mild."""
    kinds = rng.choice(6, rng.choice(3, p=(0.6, 0.3, 0.1)), replace=False, p=(0.22, 0.15, 0.08, 0.15, 0.15, 0.25))
    angle, length = rng.uniform(0, 2 * math.pi), min(rng.exponential(8.0), 40.0)
    return Obstruction(
        seed=int(rng.integers(2**31)),
        smoke=rng.beta(1.2, 3.0) if 0 in kinds else 0.0,
        blood=rng.beta(1.2, 2.5) if 1 in kinds else 0.0,
        contact=rng.beta(1.5, 3.5) if 2 in kinds else 0.0,
        droplets=int(rng.integers(1, 7)) if 3 in kinds else 0,
        droplet_radius=float(np.exp(rng.uniform(np.log(0.015), np.log(0.12)))),
        defocus_px=min(rng.exponential(3.0), 12.0) if 4 in kinds else 0.0,
        motion_px=(length * math.cos(angle), length * math.sin(angle)) if 5 in kinds else (0.0, 0.0),
    )


def _rng(obstruction: Obstruction, kind: int) -> np.random.Generator:
    """One stream per kind: another strength of one moves none of the others."""
    return np.random.default_rng([obstruction.seed, kind])


def _defocus(light: NDArray[Any], radius: float) -> NDArray[Any]:
    # Two boxes of 1.2 radii are close to a disc and cost the same for every radius.
    side = max(1, round(0.6 * radius)) * 2 + 1
    return cv2.blur(cv2.blur(light, (side, side)), (side, side))


def _level(light: NDArray[Any]) -> float:
    """Mean light of a picture whose highlights don't count."""
    luminance = light[::8, ::8, 1]
    return float(np.minimum(luminance, 4 * np.median(luminance) + 1e-9).mean())


def _bleed(light: NDArray[Any], hidden: NDArray[np.bool_], obstruction: Obstruction) -> NDArray[Any]:
    """A film of blood, thicker and wider the stronger: little but red comes through, and it is dark red itself."""
    rng, (height, width) = _rng(obstruction, 1), hidden.shape
    strength = obstruction.blood
    clouds = cloud(rng, width, height, rng.uniform(0.25, 0.8))
    thickness = np.maximum(clouds + np.float32(4.5 * strength - 1.3), 0) * np.float32(0.6 + strength)
    passed = np.exp(-thickness)
    red, green, blue = cv2.split(light)
    own = np.float32(_level(light)) * (1 - passed)
    hidden |= passed < _VISIBLE
    red = red * passed**0.7 + own * 0.6
    return cv2.merge([red, green * passed**1.5 + own * 0.03, blue * passed**1.3 + own * 0.03])


def _smoke(light: NDArray[Any], hidden: NDArray[np.bool_], obstruction: Obstruction, time_s: float) -> NDArray[Any]:
    """A white veil, Koschmieder's law with an optical depth of its own at each pixel."""
    rng, (height, width) = _rng(obstruction, 2), hidden.shape
    unevenness, brightness = rng.uniform(0.2, 0.7), rng.uniform(1.0, 2.5)
    clouds = cloud(rng, width, height, rng.uniform(0.4, 1.2), time_s)
    optical_depth = -math.log(max(1 - obstruction.smoke, 1e-4))
    veil = 1 - np.exp(np.float32(-optical_depth) * np.exp(clouds * np.float32(unevenness)))
    hidden |= veil > 1 - _VISIBLE
    tint = np.array([1.0, rng.uniform(0.9, 1.0), rng.uniform(0.85, 1.05)], np.float32)
    white = np.empty_like(light)
    white[:] = tint * np.float32(_level(light) * brightness)
    return blend(light, white, veil)


def _touch(light: NDArray[Any], hidden: NDArray[np.bool_], obstruction: Obstruction) -> NDArray[Any]:
    """Tissue on part of the lens: a red blur that comes in from one side."""
    rng, (height, width) = _rng(obstruction, 3), hidden.shape
    angle = rng.uniform(0, 2 * math.pi)
    x = (np.arange(width, dtype=np.float32) - width / 2)[None] / height
    y = (np.arange(height, dtype=np.float32) - height / 2)[:, None] / height
    ahead = x * np.float32(math.cos(angle)) + y * np.float32(math.sin(angle))
    ahead += np.float32(0.1) * cloud(rng, width, height, 1.0)
    share = np.clip((ahead + np.float32(1.6 * obstruction.contact - 0.65)) * np.float32(3) + 0.5, 0, 1)
    hidden |= share > 1 - 3 * _VISIBLE
    blurred = cv2.resize(cv2.resize(light, (6, 5), interpolation=cv2.INTER_AREA), (width, height))
    colour = np.diag([rng.uniform(0.9, 1.8), rng.uniform(0.3, 0.7), rng.uniform(0.25, 0.6)]).astype(np.float32)
    return blend(light, cv2.transform(blurred, colour), share)
