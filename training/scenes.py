"""What the renderer offers for training: a drawn body that can be looked at from any moment of a camera path."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from endo_depth_ros.geometry.camera import Camera
from endo_depth_ros.synthetic.renderer import render
from endo_depth_ros.synthetic.sequence import SequenceSettings, Take, draw_take
from endo_depth_ros.synthetic.surface_view import INSTRUMENT


@dataclass(frozen=True, eq=False)
class SceneView:
    """Linear radiance [H, W, 3]; depth in metres [H, W], NaN where unknown; instrument mask [H, W]; pose [4, 4]."""

    radiance: NDArray[np.float32]
    depth: NDArray[np.float32]
    instrument: NDArray[np.bool_]
    T_world_camera: NDArray[np.float64]
    time_s: float


def draw_scene(family: str, seed: int, device: str | torch.device) -> Take:
    """The body, path, light and things of a seed; lens and sensor are drawn elsewhere."""
    return draw_take(SequenceSettings(seed=seed, family=family, varied=True), device)


def look_at(take: Take, camera: Camera, time_s: float) -> SceneView:
    """What the camera sees at a moment of the path, before any sensor."""
    pose = take.pose(time_s)
    view = render(take.scene, pose, camera, take.light, time_s)
    return SceneView(view.radiance, view.depth, view.material == INSTRUMENT, pose, time_s)
