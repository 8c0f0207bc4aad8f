"""A hand that leads a scope along a centre line: forward, off the middle, looking about, with tremor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from endo_depth_ros.synthetic.noise import smooth_curve


class CentreLine(Protocol):
    """A scene with a way through it."""

    def centre_line(self, s: float) -> NDArray[np.float64]:
        """World point, float64 [3], s metres along the way."""


@dataclass(frozen=True)
class CameraPathSettings:
    """start, speed: along the centre line, metres and metres per second. look_ahead: where the camera looks, metres.

    drift: off the centre line, standard deviation in metres; wander_deg, roll_deg: of the view.
    tremor, tremor_deg: standard deviation of the shaking, metres and degrees, in tremor_band_hz.
    """

    start: float = 0.025
    speed: float = 0.02
    look_ahead: float = 0.04
    drift: float = 0.0028
    wander_deg: float = 7.0
    roll_deg: float = 8.0
    tremor: float = 1.2e-4
    tremor_deg: float = 0.25
    tremor_band_hz: tuple[float, float] = (3.0, 9.0)


class CameraPath:
    """Poses over time; the same seed gives the same path."""

    def __init__(self, scene: CentreLine, seed: int, settings: CameraPathSettings | None = None) -> None:
        rng, settings = np.random.default_rng([seed, 2]), settings or CameraPathSettings()
        self._scene, self._settings = scene, settings
        self._pace = smooth_curve(rng, 1, 0.003, (0.1, 0.4))
        self._drift = smooth_curve(rng, 3, settings.drift, (0.05, 0.35))
        view = np.radians([settings.wander_deg, settings.wander_deg, settings.roll_deg])
        self._view, self._view_scale = smooth_curve(rng, 3, 1.0, (0.05, 0.4)), view
        self._shake = smooth_curve(rng, 3, settings.tremor, settings.tremor_band_hz, terms=6)
        self._shake_view = smooth_curve(rng, 3, np.radians(settings.tremor_deg), settings.tremor_band_hz, terms=6)

    def pose(self, time_s: float) -> NDArray[np.float64]:
        """T_world_camera, float64 [4, 4], of the optical frame (z forward, x right, y down)."""
        s = self._settings.start + self._settings.speed * time_s + float(self._pace.at(time_s)[0])
        position = self._scene.centre_line(s)
        heading = look_rotation(self._scene.centre_line(s + self._settings.look_ahead) - position)
        sideways = self._drift.at(time_s) * [1, 1, 0]
        view = self._view.at(time_s) * self._view_scale + self._shake_view.at(time_s)
        T = np.eye(4)
        T[:3, :3] = heading @ Rotation.from_rotvec(view).as_matrix()
        T[:3, 3] = position + heading @ sideways + self._shake.at(time_s)
        return T


def look_rotation(direction: NDArray[np.float64]) -> NDArray[np.float64]:
    """R_world_camera, [3, 3], of a camera that looks along direction [3], its y axis near the world's."""
    z = direction / np.linalg.norm(direction)
    x = np.cross([0.0, 1.0, 0.0], z)
    x /= np.linalg.norm(x)
    return np.stack([x, np.cross(z, x), z], axis=1)
