"""The camera is found by small patches, or else by wide ones, and not where there is nothing to see."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from sphere_world import CAMERA, SphereWorld, estimate, wander

from endo_depth_ros.pose import camera_search
from endo_depth_ros.pose.camera_search import Landmarked, find_camera
from endo_depth_ros.pose.depth_field import TERMS
from endo_depth_ros.pose.keyframe_maker import make_keyframe, nothing_seen
from endo_depth_ros.pose.lie import log_se3
from endo_depth_ros.pose.settings import PoseSettings
from endo_depth_ros.pose.views import NoMatchError, View

SETTINGS = PoseSettings()


class BareWorld(SphereWorld):
    """Walls with wide blotches that differ by some grey levels only, behind a sensor's noise."""

    def __init__(self, contrast: float) -> None:
        super().__init__()
        self._waves /= 3
        self._contrast, self._noise = contrast, np.random.default_rng(5)

    def look(self, T_world_camera: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        image, depth = super().look(T_world_camera)
        light = 100 + self._contrast * (image[..., 0].astype(float) - 128) / 60
        noisy = np.clip(light + self._noise.normal(size=light.shape), 0, 255).astype(np.uint8)
        return np.repeat(noisy[..., None], 3, axis=2), depth


def view(world: SphereWorld, index: int) -> View:
    return View(estimate(*world.look(wander(index)), index), None)


def known_from(world: SphereWorld, index: int) -> Landmarked:
    seen = view(world, index)
    keyframe, tracks = make_keyframe(seen, 1, wander(index), np.zeros(TERMS), nothing_seen(), SETTINGS)
    return Landmarked(seen.picture, tracks, {1: keyframe})


def error(found: np.ndarray, index: int) -> np.ndarray:
    return np.abs(log_se3(np.linalg.inv(wander(index)) @ found))


def test_sharp_texture_is_found_again_by_small_patches(monkeypatch: pytest.MonkeyPatch) -> None:
    world, windows = SphereWorld(), []
    follow = camera_search.follow
    monkeypatch.setattr(camera_search, "follow", lambda *args: windows.append(args[4]) or follow(*args))
    sight = find_camera(view(world, 14), known_from(world, 10), wander(10), None, SETTINGS)
    assert windows == [SETTINGS.flow_window_px]
    assert error(sight.resection.T_map_camera, 14)[:3].max() < 0.01
    assert error(sight.resection.T_map_camera, 14)[3:].max() < 0.0003
    assert sight.share > 0.6


def test_what_is_beyond_the_reach_of_small_patches_is_found_by_wide_ones_and_then_by_small_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, windows, settings = BareWorld(8.0), [], PoseSettings(flow_levels=0)
    known, seen = known_from(world, 10), view(world, 19)
    follow = camera_search.follow
    monkeypatch.setattr(camera_search, "follow", lambda *args: windows.append(args[4]) or follow(*args))
    sight = find_camera(seen, known, wander(10), None, settings)
    assert windows == [settings.flow_window_px, settings.wide_window_px, settings.flow_window_px]
    assert error(sight.resection.T_map_camera, 19)[:3].max() < 0.01
    assert error(sight.resection.T_map_camera, 19)[3:].max() < 0.0003


def test_noise_alone_is_no_camera() -> None:
    world = BareWorld(0.0)
    with pytest.raises(NoMatchError, match="points"):
        find_camera(view(world, 18), known_from(world, 10), wander(10), None, SETTINGS)


def test_a_rim_that_stands_still_is_no_camera() -> None:
    """A scope's view of a bare wall that moves: its edge must not say that nothing did."""
    world = BareWorld(0.0)
    y, x = np.mgrid[: CAMERA.height, : CAMERA.width]
    disc = np.hypot(x - 79.5, y - 63.5) < 60

    def through_scope(index: int) -> View:
        image, depth = world.look(wander(index))
        image = np.where(disc[..., None], image, 2).astype(np.uint8)
        soft = np.asarray(cv2.GaussianBlur(image, (0, 0), 1.0), np.uint8)
        return View(estimate(soft, np.where(disc, depth, np.float32(np.nan)), index), None)

    first = through_scope(10)
    keyframe, tracks = make_keyframe(first, 1, wander(10), np.zeros(TERMS), nothing_seen(), SETTINGS)
    with pytest.raises(NoMatchError, match="points"):
        find_camera(through_scope(18), Landmarked(first.picture, tracks, {1: keyframe}), wander(10), None, SETTINGS)
