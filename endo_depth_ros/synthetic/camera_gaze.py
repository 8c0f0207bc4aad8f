"""Where a camera looks while it travels: ahead, back, at walls, at what is near; or as a trocar makes it."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.spatial.transform import Rotation

from endo_depth_ros.synthetic.field import Clearance
from endo_depth_ros.synthetic.noise import smooth_curve

Array = NDArray[np.float64]


class Look(IntEnum):
    """What the camera is turned to."""

    AHEAD = 0
    ASIDE = 1
    NEAREST = 2
    SIGHT = 3


def draw_gaze(
    rng: np.random.Generator, times: Array, positions: Array, ahead: Array, clearance: Clearance, sights: Array
) -> Array:
    """Unit directions [T, 3] of a flexible scope at positions [T, 3] that heads for the points `ahead` [T, 3].

    For two to six seconds each it looks ahead with small errors, up to 75 degrees aside, at the nearest wall, or, where
    there are any, at the nearest of the sights [S, 3].
    """
    heading = _unit(ahead - positions) * (1 if rng.random() < 0.92 else -1)
    nearest = _towards_wall(clearance, positions)
    habits = rng.dirichlet([5.0, 1.6, 0.7, 5.0] if len(sights) else [5.0, 1.6, 0.7])
    gaze, start = np.empty_like(heading), 0
    rate_hz = 1 / (times[1] - times[0])
    while start < len(times):
        end = start + int(rng.uniform(2, 6) * rate_hz)
        part = slice(start, end)
        match int(rng.choice(len(habits), p=habits)):
            case Look.AHEAD:
                gaze[part] = _tilted(rng, heading[part], abs(rng.normal(0, 12)))
            case Look.ASIDE:
                gaze[part] = _tilted(rng, heading[part], rng.uniform(20, 75))
            case Look.NEAREST:
                gaze[part] = _tilted(rng, _unit(heading[part] + rng.uniform(1, 4) * nearest[part]), rng.uniform(0, 25))
            case Look.SIGHT:
                gaze[part] = _tilted(rng, _towards_sight(positions[part], sights), abs(rng.normal(0, 10)))
        start = end
    return _steady(gaze, 0.45 * rate_hz)


def draw_trocar_gaze(rng: np.random.Generator, times: Array, positions: Array, trocar: Array) -> Array:
    """Unit directions [T, 3] of a rigid scope that turns about the trocar, a point [3].

    Its lens looks straight on or aslant by 30 or 45 degrees, mostly to where the work is: beyond all positions.
    """
    shaft = _unit(positions - trocar)
    work = trocar + 1.7 * (positions.mean(axis=0) - trocar)
    slant = np.radians(rng.choice([0.0, 30.0, 45.0], p=[0.5, 0.4, 0.1]))
    turn = smooth_curve(rng, 1, 0.5, (0.02, 0.1))
    angle = np.array([turn.at(t)[0] for t in times])[:, None]
    outward = work - positions + 0.02 * rng.normal(size=3)
    side = _unit(
        _steady(_unit(outward - shaft * (outward * shaft).sum(axis=1, keepdims=True)), 1 / (times[1] - times[0]))
    )
    side = _unit(side - shaft * (side * shaft).sum(axis=1, keepdims=True))
    gaze = np.cos(slant) * shaft + np.sin(slant) * (np.cos(angle) * side + np.sin(angle) * np.cross(shaft, side))
    return _steady(_unit(gaze), 0.1 / (times[1] - times[0]))


def _tilted(rng: np.random.Generator, directions: Array, angle_deg: float) -> Array:
    """Directions [T, 3] turned by an angle to a random side, the same for all."""
    axis = np.cross(directions.mean(axis=0), rng.normal(size=3))
    turn = Rotation.from_rotvec(np.radians(angle_deg) * axis / max(float(np.linalg.norm(axis)), 1e-9))
    tilted: Array = turn.apply(directions)
    return tilted


def _towards_wall(clearance: Clearance, positions: Array) -> Array:
    """Unit directions [T, 3] to the nearest wall."""
    step = 1e-3
    around = positions[:, None] + step * np.concatenate([np.eye(3), -np.eye(3)])
    values = clearance(torch.tensor(around.reshape(-1, 3).T, dtype=torch.float32)).cpu().numpy().reshape(-1, 6)
    return _unit(values[:, 3:] - values[:, :3])


def _towards_sight(positions: Array, sights: Array) -> Array:
    """Unit directions [T, 3] to the sight that is nearest to most of the positions."""
    distances = np.linalg.norm(positions[:, None] - sights, axis=2)
    return _unit(sights[np.argmin(np.median(distances, axis=0))] - positions)


def _steady(directions: Array, sigma: float) -> Array:
    """Directions [T, 3] without jumps, smoothed over `sigma` samples."""
    # Opposite directions would cancel out; a little of a third one decides which way round the camera turns.
    directions = directions + 0.05 * np.cross(directions, [0.36, 0.48, 0.8])
    for _ in range(4):
        directions = _unit(gaussian_filter1d(directions, sigma / 2, axis=0, mode="nearest"))
    return directions


def _unit(vectors: Array) -> Array:
    unit: Array = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
    return unit
