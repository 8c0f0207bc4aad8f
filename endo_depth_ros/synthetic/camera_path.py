"""A hand that leads a scope along a way: forward and back, near the wall and far, looking about, with tremor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from endo_depth_ros.synthetic.anatomy import DOWN
from endo_depth_ros.synthetic.camera_gaze import draw_gaze, draw_trocar_gaze
from endo_depth_ros.synthetic.field import Clearance
from endo_depth_ros.synthetic.free_space import first_wall, is_clear, keep_clear
from endo_depth_ros.synthetic.noise import smooth_curve

Array = NDArray[np.float64]
KEYS_HZ = 20.0
MOST_ASKEW = np.radians(20)  # of a rigid scope that is held upright
RIGHTED_PER_S = 4.0  # share of what it is off upright


@dataclass(frozen=True)
class CameraPathSettings:
    """What is not drawn. duration_s: after it the path is gone back. pace: how many seconds of it pass in one.

    speed_range: along the way, metres per second. tremor, tremor_deg: greatest standard deviation of the shaking, in
    metres and degrees, in tremor_band_hz.
    """

    duration_s: float = 60.0
    pace: float = 1.0
    speed_range: tuple[float, float] = (0.002, 0.030)
    tremor: float = 2e-4
    tremor_deg: float = 0.5
    tremor_band_hz: tuple[float, float] = (3.0, 9.0)


class CameraPath:
    """Poses over time; the same generator gives the same path.

    room: how far walls are from the way, median, metres. margin: the distance from walls that is aimed at, metres.
    """

    def __init__(
        self,
        way: Array,
        clearance: Clearance,
        rng: np.random.Generator,
        settings: CameraPathSettings | None = None,
        trocar: tuple[float, float, float] | None = None,
        sights: Array | None = None,
    ) -> None:
        """way: [M, 3], M >= 4, free points. clearance: positive in free space, about the distance to the wall.

        trocar: where a rigid scope enters, world; None for a flexible one. sights: what a flexible one likes to look
        at, [S, 3], world.
        """
        self._settings = settings = settings or CameraPathSettings()
        wayside = np.array([first_wall(clearance, way, direction) for direction in np.vstack([np.eye(3), -np.eye(3)])])
        around = wayside.min(axis=0)
        self.room = float(np.median(around))
        free = float(np.quantile(around, 0.2))
        self.margin = float(
            min(rng.uniform(0.5, 2.5) * np.clip(0.15 * self.room, 0.0015, 0.012), max(0.0013, 0.7 * free))
        )
        times = np.arange(0, settings.duration_s + 1 / KEYS_HZ, 1 / KEYS_HZ)
        progress = _draw_progress(rng, times, way, settings.speed_range)
        line, directions = _follow(way, progress)
        positions = _draw_positions(rng, times, line, directions, clearance, self.margin)
        if trocar is None:
            ahead = _ahead(way, progress, rng.uniform(1, 3) * self.room)
            seen = np.empty((0, 3)) if sights is None else sights
            gaze = draw_gaze(rng, times, positions, ahead, clearance, seen)
        else:
            gaze = draw_trocar_gaze(rng, times, positions, np.array(trocar))
        self._position = CubicSpline(times, positions)
        self._axes = CubicSpline(times, _untwisted(gaze) if trocar is None else _upright(gaze))
        self._roll = rng.uniform(0, 2 * np.pi) if trocar is None else rng.uniform(-MOST_ASKEW, MOST_ASKEW)
        self._roll_curve = smooth_curve(rng, 1, rng.uniform(0, 0.3), (0.02, 0.1))
        steady = rng.uniform(0.1, 1.0)
        shake = steady * min(settings.tremor, 0.08 * self.margin)
        self._shake = smooth_curve(rng, 3, shake, settings.tremor_band_hz, terms=6)
        self._shake_view = smooth_curve(
            rng, 3, steady * np.radians(settings.tremor_deg), settings.tremor_band_hz, terms=6
        )

    def pose(self, time_s: float) -> Array:
        """T_world_camera, float64 [4, 4], of the optical frame (z forward, x right, y down) at a time from 0 on."""
        duration = self._settings.duration_s
        at = duration - abs(duration - (time_s * self._settings.pace) % (2 * duration))
        z, x = self._axes(at).reshape(2, 3)
        z /= np.linalg.norm(z)
        x -= z * (x @ z)
        x /= np.linalg.norm(x)
        roll = self._roll + float(self._roll_curve.at(at)[0])
        shake = Rotation.from_rotvec(self._shake_view.at(time_s)) * Rotation.from_rotvec([0, 0, roll])
        T = np.eye(4)
        T[:3, :3] = np.stack([x, np.cross(z, x), z], axis=1) @ shake.as_matrix()
        T[:3, 3] = self._position(at) + self._shake.at(time_s)
        return T


def _draw_progress(rng: np.random.Generator, times: Array, way: Array, speed_range: tuple[float, float]) -> Array:
    """Where along the way, 0-1 [T]: at a changing speed, with pauses and returns, turning round at the ends."""
    length = float(np.linalg.norm(np.diff(way, axis=0), axis=1).sum())
    speed = np.exp(rng.uniform(*np.log(speed_range)))
    mood = smooth_curve(rng, 1, 0.6, (0.03, 0.3))
    drive = np.clip(np.array([mood.at(t)[0] for t in times]) + rng.uniform(0.2, 0.7), -1, 1)
    drive = np.sign(drive) * np.clip(np.abs(drive) - 0.12, 0, None)  # slow is still
    travelled = rng.uniform(0, 1) + np.cumsum(drive * speed / length) * (times[1] - times[0])
    folded: Array = 1 - np.abs(1 - travelled % 2)
    return folded


def _follow(way: Array, progress: Array) -> tuple[Array, Array]:
    """Points and unit directions [T, 3] on the way at progress 0-1 [T]; straight on before and after it."""
    chord = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(way, axis=0), axis=1))])
    keep = np.concatenate([[True], np.diff(chord) > 1e-6])
    spline = CubicSpline(chord[keep] / chord[-1], way[keep])
    within = np.clip(progress, 0, 1)
    step = 0.04
    chords = spline(np.clip(within + step, 0, 1)) - spline(np.clip(within - step, 0, 1))
    directions = chords / np.maximum(np.linalg.norm(chords, axis=1, keepdims=True), 1e-9)
    return spline(within) + (progress - within)[:, None] * chord[-1] * directions, directions


def _ahead(way: Array, progress: Array, distance: float) -> Array:
    """The points [T, 3] of the way `distance` metres further on."""
    length = float(np.linalg.norm(np.diff(way, axis=0), axis=1).sum())
    return _follow(way, progress + distance / length)[0]


def _draw_positions(
    rng: np.random.Generator, times: Array, line: Array, directions: Array, clearance: Clearance, margin: float
) -> Array:
    """Positions [T, 3] that drift between the way and the walls, smooth, with about `margin` metres around them."""
    side, share = smooth_curve(rng, 2, 1.0, (0.02, 0.15)), smooth_curve(rng, 1, rng.uniform(0.2, 1.0), (0.03, 0.25))
    normals = _untwisted(directions)[:, 3:]
    binormals = np.cross(directions, normals)
    angle = np.array([np.arctan2(*side.at(t)) for t in times])[:, None]
    outward = np.cos(angle) * normals + np.sin(angle) * binormals
    free = np.maximum(first_wall(clearance, line, outward) - margin, 0)
    offset = free * np.clip(np.abs([share.at(t)[0] for t in times]), 0, 1)
    wanted = margin * np.ones(len(times))
    positions = line + offset[:, None] * outward
    for sigma_s in (0.5, 0.25, 0.12):
        positions = keep_clear(clearance, _smooth(positions, sigma_s), wanted, rounds=25)
    positions = _smooth(positions, 0.08)
    towards_line = np.zeros(len(times))
    for _ in range(4):
        bad = ~is_clear(clearance, positions, 0.5 * wanted)
        if not bad.any():
            return positions
        near = np.clip(2 * gaussian_filter1d(bad.astype(float), 0.4 * KEYS_HZ, mode="nearest") * KEYS_HZ, 0, 1)
        towards_line = np.maximum(towards_line, near)
        positions += np.clip(gaussian_filter1d(towards_line, 0.2 * KEYS_HZ), 0, 1)[:, None] * (line - positions)
    return np.where(is_clear(clearance, positions, 0.3 * wanted)[:, None], positions, line)


def _smooth(values: Array, sigma_s: float) -> Array:
    smoothed: Array = gaussian_filter1d(values, sigma_s * KEYS_HZ, axis=0, mode="nearest")
    return smoothed


def _untwisted(directions: Array) -> Array:
    """Unit z and x axes [T, 6] that follow directions [T, 3] without turning about them."""
    axes = np.empty((len(directions), 6))
    x = np.eye(3)[int(np.argmin(np.abs(directions[0])))]
    for i, z in enumerate(directions):
        x = x - z * (x @ z)
        x = x / np.linalg.norm(x)
        axes[i] = *z, *x
    return axes


def _upright(directions: Array) -> Array:
    """Unit z and x axes [T, 6] along directions [T, 3] that turn until y points down.

    The slower the steeper the view is: straight down or up there is no upright.
    """
    axes = np.empty((len(directions), 6))
    x = np.cross(DOWN, directions[0]) + 1e-3 * _untwisted(directions[:1])[0, 3:]
    for i, z in enumerate(directions):
        x = x - z * (x @ z)
        x = x / np.linalg.norm(x)
        level = np.cross(DOWN, z)
        askew = np.arctan2(np.cross(x, level) @ z, x @ level)
        turn = RIGHTED_PER_S / KEYS_HZ * float(np.linalg.norm(level)) * askew
        x = np.cos(turn) * x + np.sin(turn) * np.cross(z, x)
        axes[i] = *z, *x
    return axes
