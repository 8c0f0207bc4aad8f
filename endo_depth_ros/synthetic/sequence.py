"""A seeded endoscopic sequence with everything known about it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from endo_depth_ros.bags.source import DEFAULT_FRAME_ID
from endo_depth_ros.contracts import Frame
from endo_depth_ros.geometry.camera import Camera, pinhole_from_hfov
from endo_depth_ros.settings import setting
from endo_depth_ros.stamps import FIRST_STAMP_NS
from endo_depth_ros.synthetic.camera_draw import draw_camera
from endo_depth_ros.synthetic.camera_path import CameraPath
from endo_depth_ros.synthetic.deformation import draw_deformation
from endo_depth_ros.synthetic.families import FAMILIES
from endo_depth_ros.synthetic.instruments import draw_solids
from endo_depth_ros.synthetic.light_settings import LightSettings, draw_light
from endo_depth_ros.synthetic.motion_blur import image_motion
from endo_depth_ros.synthetic.obstructions import Obstruction, draw_obstruction, obstruct
from endo_depth_ros.synthetic.renderer import render
from endo_depth_ros.synthetic.scene import Scene
from endo_depth_ros.synthetic.sensor import Sensor, SensorSettings, draw_sensor
from endo_depth_ros.synthetic.surface_view import INSTRUMENT
from endo_depth_ros.synthetic.tissue import Tissue
from endo_depth_ros.synthetic.voxel_field import bake

ANY = "any"
_MOVING_WALLS = 0.4  # share of varied sequences
_LONGEST_SHUTTER_S = 0.02
_LIGHT_REACH = 0.6  # of the camera's distance from walls


@dataclass(frozen=True)
class SequenceSettings:
    """What to render."""

    seed: int = setting(0, "draws the body, the camera path, the light and the noise", minimum=0)
    family: str = setting("colon", "kind of body, 'any' for one that the seed draws", choices=(ANY, *FAMILIES))
    frames: int = setting(60, "length of the sequence", unit="frames", minimum=1)
    rate_hz: float = setting(30.0, "frame rate", unit="Hz", minimum=0.1, maximum=240.0)
    width: int = setting(640, "image width", unit="px", minimum=32, maximum=4096)
    height: int = setting(512, "image height", unit="px", minimum=32, maximum=4096)
    hfov_deg: float = setting(90.0, "horizontal field of view", unit="deg", minimum=20.0, maximum=140.0)
    varied: bool = setting(
        False, "the seed draws lens, light, video processor, instruments, debris, moving walls and obstructions, too"
    )


@dataclass(frozen=True)
class SyntheticFrame:
    """A rendered frame and its truth.

    depth: z in metres, float32 [H, W], also outside the field of view; NaN where a ray meets nothing.
    normals: unit, optical frame, float32 [H, W, 3]. field_of_view: what the scope lights, bool [H, W].
    instrument: pixels of instruments; hidden: pixels that smoke, blood or droplets hide; both bool [H, W].
    T_world_camera: float64 [4, 4]. family: in FAMILIES.
    """

    frame: Frame
    depth: NDArray[np.float32]
    normals: NDArray[np.float32]
    field_of_view: NDArray[np.bool_]
    instrument: NDArray[np.bool_]
    hidden: NDArray[np.bool_]
    T_world_camera: NDArray[np.float64]
    family: str


@dataclass(frozen=True, eq=False)
class Take:
    """All that a seed draws. shutter_s: how long the picture smears while the camera moves."""

    scene: Scene
    path: CameraPath
    camera: Camera
    light: LightSettings
    sensor: SensorSettings
    obstruction: Obstruction
    shutter_s: float

    def pose(self, time_s: float) -> NDArray[np.float64]:
        """T_world_camera [4, 4] at a time; the camera goes along with walls that move."""
        T = self.path.pose(time_s)
        if self.scene.deformation is not None:
            T[:3, 3] = self.scene.deformation.carry(T[:3, 3], time_s)
        return T


def render_sequence(
    settings: SequenceSettings | None = None, device: str | torch.device = "cpu"
) -> Iterator[SyntheticFrame]:
    """Frames one by one; the same settings give the same bytes on the same machine."""
    settings = settings or SequenceSettings()
    take = draw_take(settings, device)
    sensor = Sensor(settings.width, settings.height, take.sensor, settings.seed)
    for index in range(settings.frames):
        time_s = index / settings.rate_hz
        pose = take.pose(time_s)
        view = render(take.scene, pose, take.camera, take.light, time_s)
        obstructed = obstruct(view.radiance, _with_motion(take, view.depth, pose, time_s), time_s)
        image = sensor.develop(obstructed.light, index)
        yield SyntheticFrame(
            frame=Frame(FIRST_STAMP_NS + round(time_s * 1e9), DEFAULT_FRAME_ID, image, take.camera),
            depth=view.depth,
            normals=view.normals,
            field_of_view=sensor.field_of_view,
            instrument=view.material == INSTRUMENT,
            hidden=obstructed.hidden,
            T_world_camera=pose,
            family=take.scene.anatomy.family,
        )


def draw_take(settings: SequenceSettings, device: str | torch.device = "cpu") -> Take:
    """Everything of a sequence but time."""
    draws = _Draws(settings.seed)
    anatomy = FAMILIES.get(choose_family(settings))(draws("anatomy"))
    walls = bake(anatomy, device)
    path = CameraPath(
        anatomy.way,
        lambda p: walls.clearance(p.to(device)).cpu(),
        draws("path"),
        trocar=anatomy.trocar,
        sights=anatomy.sights,
    )
    scene = Scene(anatomy, walls, Tissue(draws("tissue"), anatomy.palettes, device))
    plain = Take(scene, path, sequence_camera(settings), LightSettings(), SensorSettings(), Obstruction(), 0.0)
    return _vary(plain, settings, draws) if settings.varied else plain


def choose_family(settings: SequenceSettings) -> str:
    """The family of a sequence, in FAMILIES."""
    if settings.family != ANY:
        return settings.family
    return str(_Draws(settings.seed)("family").choice(list(FAMILIES)))


def sequence_camera(settings: SequenceSettings) -> Camera:
    """The calibrated pinhole camera of a sequence that is not varied."""
    return replace(pinhole_from_hfov(settings.width, settings.height, settings.hfov_deg), calibrated=True)


class _Draws:
    """Random generators of a seed by what they draw, so that a change in one leaves the others as they were."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def __call__(self, purpose: str) -> np.random.Generator:
        return np.random.default_rng([self._seed, *purpose.encode()])


def _vary(take: Take, settings: SequenceSettings, draws: _Draws) -> Take:
    """The take with lens, light, video processor and disturbances of its own."""
    room, rng = take.path.room, draws("deformation")
    scene = replace(
        take.scene,
        solids=draw_solids(draws("solids"), take.scene.anatomy.way, room, take.scene.anatomy.trocar is not None),
        deformation=draw_deformation(rng, 2 * room) if rng.random() < _MOVING_WALLS else None,
    )
    return replace(
        take,
        scene=scene,
        camera=draw_camera(draws("camera"), settings.width, settings.height),
        light=_within(draw_light(draws("light")), _LIGHT_REACH * take.path.margin),
        sensor=draw_sensor(draws("sensor")),
        obstruction=draw_obstruction(draws("obstruction")),
        shutter_s=draws("shutter").uniform(0, _LONGEST_SHUTTER_S),
    )


def _within(light: LightSettings, reach: float) -> LightSettings:
    """The light with its sources at most `reach` metres beside the lens: narrow bodies are met by narrow scopes."""
    widest = max(math.hypot(x, y) for x, y, _ in light.positions)
    scale = min(1.0, reach / widest)
    return replace(light, positions=tuple((scale * x, scale * y, scale * z) for x, y, z in light.positions))


def _with_motion(take: Take, depth: NDArray[np.float32], pose: NDArray[np.float64], time_s: float) -> Obstruction:
    """The take's obstruction, and the smear of the camera's own motion."""
    if take.shutter_s == 0:
        return take.obstruction
    motion = image_motion(take.camera, depth, pose, take.pose(time_s + take.shutter_s))
    shake, scale = take.obstruction.motion_px, 512 / take.camera.height
    return replace(take.obstruction, motion_px=(shake[0] + scale * motion[0], shake[1] + scale * motion[1]))
