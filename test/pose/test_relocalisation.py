"""A place is found again where its points fix the pose, and not where they merely agree with some."""

from __future__ import annotations

import numpy as np
from sphere_world import CAMERA, SphereWorld, estimate, wander

from endo_depth_ros.geometry.transforms import transform_points
from endo_depth_ros.pose.depth_field import TERMS
from endo_depth_ros.pose.keyframe import Keyframe, MapPoints
from endo_depth_ros.pose.keyframe_maker import make_keyframe, nothing_seen
from endo_depth_ros.pose.lie import log_se3
from endo_depth_ros.pose.place_memory import Matches, Place, PlaceMemory
from endo_depth_ros.pose.relocalisation import relocalise
from endo_depth_ros.pose.settings import PoseSettings
from endo_depth_ros.pose.views import View

SETTINGS = PoseSettings()


def view(index: int) -> View:
    return View(estimate(*SphereWorld().look(wander(index)), index), None)


def keyframe_at(index: int) -> Keyframe:
    return make_keyframe(view(index), 1, wander(index), np.zeros(TERMS), nothing_seen(), SETTINGS)[0]


class OnePlace(PlaceMemory):
    """Knows one place, and matches pixels there with those of frame 12, a pixel off."""

    def __init__(self, low: tuple[int, int], high: tuple[int, int]) -> None:
        super().__init__(1)
        rng = np.random.default_rng(0)
        pixels = rng.integers(low, high, (100, 2))
        depth = SphereWorld().look(wander(12))[1][pixels[:, 1], pixels[:, 0]]
        rays = np.column_stack([pixels, np.ones(100)]) @ np.linalg.inv(CAMERA.K).T
        points = transform_points(wander(12), rays * depth[:, None])
        self._found = Matches(MapPoints(points, np.zeros((100, 3))), pixels + rng.normal(size=(100, 2)))
        self._found.pixels[np.arange(100) % 20 < 11] += 30  # more are wrong than right

    def candidates(self, picture: np.ndarray) -> list[Place]:
        return [Place(keyframe_at(10), picture, np.zeros((1, 1), np.float16))]

    def match(self, place: Place, picture: np.ndarray) -> Matches:
        return self._found


def test_points_all_over_the_image_fix_the_pose() -> None:
    found = relocalise(view(12), OnePlace((10, 10), (150, 118)), SETTINGS)
    assert found is not None
    error = np.linalg.inv(wander(12)) @ found.T_map_camera
    assert np.abs(log_se3(error)).max() < 0.05


def test_points_in_a_corner_do_not() -> None:
    assert relocalise(view(12), OnePlace((10, 10), (30, 30)), SETTINGS) is None
