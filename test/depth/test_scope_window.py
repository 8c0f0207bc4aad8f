"""The window that follows the field of view, and the pipeline that looks through it."""

import math
from dataclasses import replace

import numpy as np
import pytest

from endo_depth_ros.contracts import Frame
from endo_depth_ros.depth.pipeline import DepthPipeline
from endo_depth_ros.depth.scope_window import ScopeWindow, Window, fit_window, frame_field, mask_step, window_mask
from endo_depth_ros.depth.settings import DepthSettings
from endo_depth_ros.depth.working_size import WorkingSize
from endo_depth_ros.geometry.camera import Camera
from endo_depth_ros.imaging.field_of_view import WHOLE_IMAGE, FieldOfView
from endo_depth_ros.settings import make

WIDTH, HEIGHT, RADIUS = 1920, 1080, 420
CENTRE = (900, 560)
DISC = FieldOfView("disc", centre=(CENTRE[0] / WIDTH, CENTRE[1] / HEIGHT), radius=(RADIUS / WIDTH, RADIUS / HEIGHT))
SIZE = WorkingSize(320, 256, 32)
CAMERA = Camera(WIDTH, HEIGHT, np.array([[700.0, 0, 880], [0, 700, 500], [0, 0, 1]]))


def scope_image():
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    lit = np.hypot(x + 0.5 - CENTRE[0], y + 0.5 - CENTRE[1]) < RADIUS
    texture = np.random.default_rng(0).integers(-40, 40, (HEIGHT // 8, WIDTH // 8)).repeat(8, 0).repeat(8, 1)
    image[lit] = np.clip(np.stack([180 + texture, 90 + texture, 80 + texture], -1), 0, 255)[lit]
    return image


def test_the_window_holds_the_field_of_view_and_little_else():
    window = fit_window(DISC, WIDTH, HEIGHT, SIZE)
    assert window.x <= CENTRE[0] - RADIUS
    assert CENTRE[0] + RADIUS <= window.x + window.width
    assert window.y <= CENTRE[1] - RADIUS
    assert CENTRE[1] + RADIUS <= window.y + window.height
    assert window.area < 1.12 * (2 * RADIUS) ** 2


def test_a_field_of_view_that_nearly_fills_the_image_keeps_all_of_it():
    assert fit_window(FieldOfView("rectangle", box=(0.05, 0.0, 0.98, 1.0)), 640, 480, SIZE) == Window(0, 0, 640, 480)
    assert fit_window(WHOLE_IMAGE, 640, 480, SIZE) == Window(0, 0, 640, 480)


@pytest.mark.parametrize(
    ("size", "radius", "network"),
    [((640, 512), 252, (256, 256)), ((1280, 1024), 500, (256, 256)), ((1920, 1080), 420, (256, 256))],
)
def test_a_disc_fills_whole_multiples_of_the_networks_size_with_square_pixels(size, radius, network):
    width, height = size
    disc = FieldOfView("disc", centre=(0.49, 0.5), radius=(radius / width, radius / height))
    window = fit_window(disc, width, height, SIZE)
    assert SIZE.of(window.width, window.height) == network
    assert window.width * network[1] == pytest.approx(window.height * network[0], abs=2 * network[0])
    assert window.holds(frame_field(disc, width, height, 0.0))


def test_a_window_that_is_nearly_twice_the_networks_size_is_exactly_that():
    disc = FieldOfView("disc", centre=(0.5, 0.5), radius=(252 / 640, 252 / 512))
    assert fit_window(disc, 640, 512, SIZE) == Window(64, 0, 512, 512)


def test_the_mask_of_the_window_is_that_of_the_image_cut_out():
    window = fit_window(DISC, WIDTH, HEIGHT, SIZE)
    step = mask_step(WIDTH, HEIGHT)
    mask = window_mask(DISC, WIDTH, HEIGHT, window)
    assert mask.shape == (math.ceil(window.height / step), math.ceil(window.width / step))
    y, x = np.nonzero(mask)
    distance = np.hypot((x + 0.5) * step + window.x - CENTRE[0], (y + 0.5) * step + window.y - CENTRE[1])
    assert distance.max() < RADIUS
    assert mask.sum() * step**2 == pytest.approx(math.pi * RADIUS**2, rel=0.03)


def test_the_window_stays_while_the_field_of_view_only_trembles():
    scope = ScopeWindow(SIZE)
    first = scope.update(DISC, WIDTH, HEIGHT)
    trembling = replace(DISC, radius=(0.995 * DISC.radius[0], 0.995 * DISC.radius[1]))
    assert scope.update(trembling, WIDTH, HEIGHT) == first


def test_the_window_follows_a_field_of_view_that_moves():
    scope = ScopeWindow(SIZE)
    first = scope.update(DISC, WIDTH, HEIGHT)
    moved = replace(DISC, centre=(DISC.centre[0] + 0.1, DISC.centre[1]))
    second = scope.update(moved, WIDTH, HEIGHT)
    assert second.x - first.x == pytest.approx(0.1 * WIDTH, abs=2 * mask_step(WIDTH, HEIGHT))


def test_another_image_size_has_another_window():
    scope = ScopeWindow(SIZE)
    scope.update(DISC, WIDTH, HEIGHT)
    assert scope.update(WHOLE_IMAGE, 640, 480) == Window(0, 0, 640, 480)


def test_depth_of_a_small_disc_is_finer_and_its_camera_sees_the_same_rays():
    frame = Frame(1, "scope", scope_image(), CAMERA)
    whole, cut = (
        DepthPipeline(
            make(DepthSettings, {"model": "shading", "device": "cpu", "crop_to_field_of_view": crop})
        ).process(frame)
        for crop in (False, True)
    )
    K, K_cut = whole.frame.camera.K, cut.frame.camera.K
    assert K_cut[0, 0] > 1.6 * K[0, 0]
    assert cut.frame.image.shape[:2] == cut.depth.shape
    # The middle of the disc lies on the same ray in both.
    rays = []
    for estimate in (whole, cut):
        v, u = (values.mean() for values in np.nonzero(estimate.valid))
        rays.append(np.linalg.solve(estimate.frame.camera.K, [u, v, 1]))
    np.testing.assert_allclose(rays[0], rays[1], atol=0.02)
