"""A seeded endoscopic sequence with everything known about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.bags.source import DEFAULT_FRAME_ID
from endo_depth_ros.contracts import Frame
from endo_depth_ros.geometry.camera import Camera, pinhole_from_hfov
from endo_depth_ros.settings import setting
from endo_depth_ros.stamps import FIRST_STAMP_NS
from endo_depth_ros.synthetic.camera_path import CameraPath
from endo_depth_ros.synthetic.folded_tube import FoldedTube
from endo_depth_ros.synthetic.renderer import Renderer
from endo_depth_ros.synthetic.sensor import Sensor, SensorSettings


@dataclass(frozen=True)
class SequenceSettings:
    """What to render."""

    seed: int = setting(0, "draws the scene, the camera path and the noise", minimum=0)
    frames: int = setting(60, "length of the sequence", unit="frames", minimum=1)
    rate_hz: float = setting(30.0, "frame rate", unit="Hz", minimum=1.0, maximum=240.0)
    width: int = setting(640, "image width", unit="px", minimum=32, maximum=4096)
    height: int = setting(512, "image height", unit="px", minimum=32, maximum=4096)
    hfov_deg: float = setting(90.0, "horizontal field of view", unit="deg", minimum=20.0, maximum=140.0)


@dataclass(frozen=True)
class SyntheticFrame:
    """A rendered frame and its truth.

    depth: z in metres, float32 [H, W], also outside the field of view; NaN where a ray meets no tissue.
    normals: unit, optical frame, float32 [H, W, 3]. field_of_view: the lit disc, bool [H, W].
    T_world_camera: float64 [4, 4].
    """

    frame: Frame
    depth: NDArray[np.float32]
    normals: NDArray[np.float32]
    field_of_view: NDArray[np.bool_]
    T_world_camera: NDArray[np.float64]


def render_sequence(settings: SequenceSettings | None = None) -> Iterator[SyntheticFrame]:
    """Frames of a folded tube, one by one; the same settings give the same bytes on the same machine."""
    settings = settings or SequenceSettings()
    camera = sequence_camera(settings)
    scene = FoldedTube(settings.seed)
    path = CameraPath(scene, settings.seed)
    renderer = Renderer(scene, settings.seed)
    sensor = Sensor(camera.width, camera.height, SensorSettings(), settings.seed)
    for index in range(settings.frames):
        time_s = index / settings.rate_hz
        pose = path.pose(time_s)
        view = renderer.render(pose, camera)
        image = sensor.develop(view.radiance, index)
        frame = Frame(FIRST_STAMP_NS + round(time_s * 1e9), DEFAULT_FRAME_ID, image, camera)
        yield SyntheticFrame(frame, view.depth, view.normals, sensor.field_of_view, pose)


def sequence_camera(settings: SequenceSettings) -> Camera:
    """The calibrated pinhole camera of a sequence."""
    return replace(pinhole_from_hfov(settings.width, settings.height, settings.hfov_deg), calibrated=True)
