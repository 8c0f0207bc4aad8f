"""Places are few, and a camera is found where it has been."""

from __future__ import annotations

import numpy as np
from sphere_world import CAMERA, SphereWorld, estimate, wander

from endo_depth_ros.geometry.transforms import invert_transform
from endo_depth_ros.pose.depth_field import TERMS
from endo_depth_ros.pose.keyframe import Keyframe
from endo_depth_ros.pose.keyframe_maker import make_keyframe, nothing_seen
from endo_depth_ros.pose.lie import exp_se3, log_se3
from endo_depth_ros.pose.place_memory import PlaceMemory
from endo_depth_ros.pose.relocalisation import relocalise
from endo_depth_ros.pose.settings import PoseSettings
from endo_depth_ros.pose.views import View

SETTINGS = PoseSettings()
# A place of its own, well away from the walk.
ELSEWHERE = exp_se3(np.array([0, 2.5, 0, 0, 0, 0.0]))


def remember(memory: PlaceMemory, view: View, number: int, T: np.ndarray) -> Keyframe:
    keyframe, _ = make_keyframe(view, number, T, np.zeros(TERMS), nothing_seen(), SETTINGS)
    memory.remember(keyframe, view.picture.grey, view.estimate.depth)
    return keyframe


def test_a_camera_is_found_where_it_has_been() -> None:
    world, memory = SphereWorld(), PlaceMemory(10)
    for number, index in enumerate((0, 20, 40)):
        remember(memory, View(estimate(*world.look(wander(index)), index), None), number, wander(index))
    T = wander(20) @ exp_se3(np.array([0.05, 0.04, 0.15, 0.001, -0.001, 0.001]))
    found = relocalise(View(estimate(*world.look(T), 90), None), memory, SETTINGS)
    assert found is not None
    error = log_se3(invert_transform(T) @ found.T_map_camera)
    assert np.abs(error[:3]).max() < 0.03
    assert np.abs(error[3:]).max() < 0.001


def test_a_camera_is_not_found_where_it_has_not_been() -> None:
    world, memory = SphereWorld(), PlaceMemory(10)
    remember(memory, View(estimate(*world.look(wander(0)), 0), None), 0, wander(0))
    assert relocalise(View(estimate(*world.look(ELSEWHERE), 90), None), memory, SETTINGS) is None


def test_wrong_depth_is_no_proof() -> None:
    world, memory = SphereWorld(), PlaceMemory(10)
    image, depth = world.look(wander(0))
    remember(memory, View(estimate(image, depth, 0), None), 0, wander(0))
    noise = np.random.default_rng(0).uniform(0.01, 0.1, depth.shape).astype(np.float32)
    assert relocalise(View(estimate(image, noise, 90), None), memory, SETTINGS) is None


def test_a_dark_image_matches_nothing() -> None:
    world, memory = SphereWorld(), PlaceMemory(10)
    view = View(estimate(*world.look(wander(0)), 0), None)
    remember(memory, view, 0, wander(0))
    black = np.zeros((CAMERA.height, CAMERA.width, 3), np.uint8)
    assert relocalise(View(estimate(black, view.estimate.depth, 9), None), memory, SETTINGS) is None


def test_of_two_alike_the_older_is_forgotten() -> None:
    world, memory = SphereWorld(), PlaceMemory(2)
    for number, T in enumerate((ELSEWHERE, wander(0), wander(1))):
        remember(memory, View(estimate(*world.look(T), number), None), number, T)
    assert len(memory) == 2
    seen = memory.candidates(View(estimate(*world.look(ELSEWHERE), 9), None).picture.grey)
    assert {place.keyframe.number for place in seen} == {0, 2}
