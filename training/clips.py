"""Short clips of a rendered video whose frames are as far apart as the picture is wanted to move."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from endo_depth_ros.geometry.camera import Camera
from endo_depth_ros.synthetic.motion_blur import image_displacements
from endo_depth_ros.synthetic.sequence import Take
from training.scenes import SceneView, look_at

# Between two frames; within the longest, also a camera that rests has begun to move in most cases.
STEPS_S = np.geomspace(1 / 60, 1.5, 32)


def film_clip(
    take: Take, camera: Camera, start_s: float, fastest: float, rng: np.random.Generator
) -> Iterator[SceneView]:
    """Views without end; the picture moves by up to `fastest` widths from one to the next, slow steps more often."""
    time_s = start_s
    while True:
        view = look_at(take, camera, time_s)
        yield view
        wanted_px = fastest * camera.width * rng.uniform() ** 2
        time_s += float(next((step for step in STEPS_S if _moves(take, camera, view, step) >= wanted_px), STEPS_S[-1]))


def _moves(take: Take, camera: Camera, view: SceneView, step_s: float) -> float:
    """How many pixels the picture moves in a time, median; infinite where nothing of it is left in view."""
    motion = image_displacements(camera, view.depth, view.T_world_camera, take.pose(view.time_s + step_s))
    return float(np.median(np.linalg.norm(motion, axis=1))) if len(motion) else float("inf")
