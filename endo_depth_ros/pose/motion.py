"""How a camera moves on while nothing is seen of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from endo_depth_ros.geometry.transforms import Transform, invert_transform
from endo_depth_ros.pose.covariance import compose, symmetric
from endo_depth_ros.pose.lie import Array, exp_se3, log_se3

# What a hand does to a velocity between frames, one standard deviation: rad/s, and distances to the scene per second.
TURN_CHANGE, SPEED_CHANGE = 1.0, 1.0
# What it may have done by the time it is seen again.
UNSEEN_TURN, UNSEEN_SPEED = 0.3, 0.3
SMOOTHING = 0.5
LONGEST_STEP_S = 0.5


@dataclass(frozen=True)
class MotionPrior:
    """A proposal for the motion since the previous frame, from a network or from a robot.

    T_previous_current: maps points of this frame's camera into the previous one's, metres.
    covariance: [6, 6] of the twist (rotation, translation) in this frame's camera, T ← T exp(twist).
    """

    T_previous_current: Transform
    covariance: Array


class MotionModel:
    """Constant velocity that dies down, and the covariance that grows meanwhile. Poses in the map, times in ns."""

    def __init__(self, decay_s: float) -> None:
        """decay_s: time constant of the velocity once the camera isn't seen."""
        self._decay_s = decay_s
        self.forget_velocity()

    def forget_velocity(self) -> None:
        """The camera stands still for all that is known."""
        self._velocity = np.zeros(6)

    def learn(self, T_map_previous: Transform, T_map_camera: Transform, step_s: float) -> None:
        """Take in a motion between two frames that were both seen."""
        if not 0 < step_s < LONGEST_STEP_S:
            self.forget_velocity()
            return
        measured = log_se3(invert_transform(T_map_previous) @ T_map_camera) / step_s
        self._velocity = SMOOTHING * self._velocity + (1 - SMOOTHING) * measured

    def predict(self, T_map_previous: Transform, since_seen_s: float, step_s: float) -> Transform:
        """T_map_camera `step_s` after a frame that came `since_seen_s` after the last one that was seen."""
        d = self._decay_s
        if since_seen_s <= 0:
            travelled = min(step_s, d)
        else:
            travelled = d * math.exp(-since_seen_s / d) * (1 - math.exp(-step_s / d))
        return T_map_previous @ exp_se3(self._velocity * travelled)


def step_information(step_s: float, distance: float) -> Array:
    """Inverse covariance [6, 6] of a constant-velocity prediction over a step; distance: to the scene, metres."""
    sigma = np.array([TURN_CHANGE * step_s] * 3 + [SPEED_CHANGE * distance * step_s] * 3)
    return np.diag(1 / np.maximum(sigma, 1e-6) ** 2)


def grown(covariance: Array, T_seen_now: Transform, unseen_s: float, distance: float) -> Array:
    """Body covariance [6, 6] of a camera that wasn't seen for unseen_s, from that when it was."""
    sigma = np.array([UNSEEN_TURN * unseen_s] * 3 + [UNSEEN_SPEED * distance * unseen_s] * 3)
    return symmetric(compose(covariance, T_seen_now, np.diag(sigma**2)))
