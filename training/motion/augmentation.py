"""A rendered pair through one scope and video processor, with what changes between two frames of a video."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.settings import setting
from training.dataset import misjudge_scope
from training.drawn_video import SEEDS, DrawnVideo
from training.motion.pairs import Array, ViewPair
from training.photometry import hide_patches, jitter_colours
from training.sequence_file import View
from training.view_transform import TransformRanges, draw_transform, transform_view

# Of one frame against the other, about the optical axis, one standard deviation, radians.
TWIST = 0.07
WORST_BLUR_PX = 3.0
SMOOTH_CELLS = (4, 5)


@dataclass(frozen=True)
class PairAugmentation:
    """How pairs are drawn from renderings."""

    max_motion: float = setting(0.28, "largest motion of the picture, median, in widths", minimum=0.01, maximum=1.0)
    min_overlap: float = setting(0.45, "least share of a view that the other shows", minimum=0.1, maximum=1.0)
    max_zoom: float = setting(1.5, "largest enlargement of a rendering", minimum=1.0, maximum=4.0)
    roll: bool = setting(True, "turn both about the optical axis by any angle")
    flip: bool = setting(True, "mirror half of the pairs")
    colours: float = setting(0.25, "strength of random colours; 0 turns them off", minimum=0.0, maximum=3.0)
    brightness: float = setting(
        0.1, "change of brightness between the frames, one standard deviation", minimum=0.0, maximum=1.0
    )
    blurred: float = setting(0.15, "share of pairs of which one frame is blurred", minimum=0.0, maximum=1.0)
    hidden_patches: float = setting(0.15, "share of pairs with hidden patches", minimum=0.0, maximum=1.0)
    obstructions: float = setting(
        0.2, "share of videos in which smoke, blood, droplets or blur may be drawn", minimum=0.0, maximum=1.0
    )
    cropped: float = setting(0.85, "share of videos whose border is cropped away", minimum=0.0, maximum=1.0)
    depth_error: float = setting(
        0.15, "largest standard deviation of the given depth's relative, smooth error", minimum=0.0, maximum=1.0
    )
    still: float = setting(0.04, "share of pairs of one and the same image", minimum=0.0, maximum=1.0)
    twisted: float = setting(
        0.3, "share of pairs of which one is turned about the optical axis", minimum=0.0, maximum=1.0
    )


@dataclass(frozen=True)
class Brightness:
    """What the second image was multiplied by, and what was added then; of white."""

    gain: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True, eq=False)
class DrawnPair:
    """Both frames as a network gets them, and the truth.

    images: uint8 [2, H, W, 3]. found: bool [2, H, W], where the scope would be found to see. views: the truth.
    given_log_depth: [2, H, W], wrong as a network's. T_first_second: [4, 4]. brightness: added at the end.
    """

    images: NDArray[np.uint8]
    found: NDArray[np.bool_]
    views: tuple[View, View]
    given_log_depth: NDArray[np.float32]
    T_first_second: Array
    brightness: Brightness


def augment_pair(
    pair: ViewPair, width: int, height: int, settings: PairAugmentation, rng: np.random.Generator
) -> DrawnPair:
    """The pair in a random video."""
    if rng.random() < settings.still:
        pair = ViewPair(pair.first, pair.first, np.eye(4))
    video = DrawnVideo(rng, width, height, settings.obstructions, settings.cropped)
    size = (pair.first.radiance.shape[1], pair.first.radiance.shape[0])
    ranges = TransformRanges(settings.max_zoom, settings.roll, settings.flip)
    A = draw_transform(rng, size, video.scope, ranges)
    twist = rng.normal(0, TWIST) if pair.first is not pair.second and rng.random() < settings.twisted else 0.0
    first, second, motion = transform_pair(pair, A, twist, width, height)
    images = [video.develop(view.radiance, rng) for view in (first, second)]
    if pair.first is pair.second:
        images[1] = images[0].copy()
    colours = int(rng.integers(SEEDS))
    images = [jitter_colours(image, np.random.default_rng(colours), settings.colours) for image in images]
    if rng.random() < settings.blurred:
        which = int(rng.integers(2))
        images[which] = np.asarray(cv2.GaussianBlur(images[which], (0, 0), rng.uniform(0.5, WORST_BLUR_PX)), np.uint8)
    if rng.random() < settings.hidden_patches:
        hide_patches(images[int(rng.integers(2))], rng)
    brightness = Brightness(math.exp(rng.normal(0, settings.brightness)), rng.normal(0, settings.brightness / 4))
    images[1] = apply_brightness(images[1], brightness)
    found = misjudge_scope(video.scope, rng)
    inside = np.stack([found & np.isfinite(view.log_depth) for view in (first, second)])
    strength = rng.uniform(0, settings.depth_error)
    given = [view.log_depth + draw_depth_error((height, width), strength, rng) for view in (first, second)]
    return DrawnPair(np.stack(images), inside, (first, second), np.stack(given).astype(np.float32), motion, brightness)


def transform_pair(pair: ViewPair, A: Array, twist: float, width: int, height: int) -> tuple[View, View, Array]:
    """Both views through a similarity A of the image plane, the second also turned by `twist` about its centre.

    The camera turns with the picture: points p become Q p, Q the turn or mirror of A, so T becomes Q T Q^-1.
    """
    first = transform_view(pair.first, A, width, height)
    turn = rotation_about(first.K[:2, 2], twist)
    second = transform_view(pair.second, turn @ A, width, height)
    Q, R = np.eye(4), np.eye(4)
    Q[:2, :2] = A[:2, :2] / math.sqrt(abs(np.linalg.det(A[:2, :2])))
    R[:2, :2] = turn[:2, :2]
    return first, second, Q @ pair.T_first_second @ Q.T @ R.T


def rotation_about(centre: Array, angle: float) -> Array:
    """[3, 3], turns pixels about a centre."""
    turn = np.eye(3)
    turn[:2, :2] = [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    turn[:2, 2] = centre - turn[:2, :2] @ centre
    return turn


def apply_brightness(image: NDArray[np.uint8], brightness: Brightness) -> NDArray[np.uint8]:
    """The image [H, W, 3] with another brightness and contrast."""
    table = np.arange(256) * brightness.gain + 255 * brightness.offset
    return np.asarray(cv2.LUT(image, np.clip(np.rint(table), 0, 255).astype(np.uint8)), np.uint8)


def draw_depth_error(shape: tuple[int, int], strength: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """A smooth error of log depth [H, W]; its median is 0, as no network's scale counts."""
    field = cv2.resize(rng.normal(0, strength, SMOOTH_CELLS), shape[::-1], interpolation=cv2.INTER_CUBIC)
    return np.asarray(field - np.median(field), np.float64)
