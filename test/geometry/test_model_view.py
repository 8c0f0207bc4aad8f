"""What the model looks at: all that is rectified, at the sensor's resolution, and its maps back on rectified pixels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endo_depth_ros.geometry.camera import EQUIDISTANT, PLUMB_BOB, STEREOGRAPHIC, Camera, pinhole_from_hfov
from endo_depth_ros.geometry.model_view import ModelView, Rim
from endo_depth_ros.geometry.projection import project, raw_pixel_rays
from endo_depth_ros.geometry.rectification import Rectification, pixel_rays

# A colonoscope's lens, about 150 degrees from corner to corner.
WIDE = Camera(
    1350, 1080, np.array([[767.0, 0, 679], [0, 767, 543], [0, 0, 1]]), EQUIDISTANT, np.array([-0.02, 0, 0, 0])
)
PLANE = np.array([3.0, -6.0, 30.0])


def within(width, height):
    scale = min(320 / width, 256 / height, 1.0)
    return round(scale * width), round(scale * height)


def view_of(raw, fov_deg=120.0):
    rectification = Rectification(raw, 320, 256, fov_deg)
    return rectification, ModelView(rectification, within)


def depth_of_plane(rays):
    return (1 / (rays @ PLANE)).astype(np.float32)


@settings(deadline=None, max_examples=25)
@given(hfov=st.floats(40, 110), k1=st.floats(-0.2, 0.1), tilt=st.floats(-0.1, 0.1))
def test_depth_of_a_plane_comes_back_on_rectified_pixels(hfov, k1, tilt):
    c, s = np.cos(tilt), np.sin(tilt)
    pinhole = pinhole_from_hfov(640, 512, hfov)
    raw = Camera(
        640, 512, pinhole.K, PLUMB_BOB, np.array([k1, 0, 0, 0.0]), np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    )
    rectification, view = view_of(raw)
    depth = depth_of_plane(raw_pixel_rays(view.camera))
    found, sigma = view.rectify_depth(depth, 0.1 * depth, Rim.of(view.inside))
    truth, inside = depth_of_plane(pixel_rays(rectification.camera)), rectification.inside
    np.testing.assert_allclose(found[inside], truth[inside], rtol=0.02)
    assert np.median(np.abs(found / truth - 1)[inside]) < 1e-3
    np.testing.assert_allclose(sigma[inside], 0.1 * truth[inside], rtol=0.05)


def test_the_image_shows_each_ray_what_the_raw_image_shows_it():
    picture = np.zeros((1080, 1350, 3), np.uint8)
    v, u = np.mgrid[:1080, :1350]
    picture[..., 0], picture[..., 1] = u // 6, v // 6
    _, view = view_of(WIDE)
    pixels, _ = project(WIDE, raw_pixel_rays(view.camera).reshape(-1, 3))
    shown = view.look(picture)[view.inside].astype(float)
    expected = pixels.reshape(*view.inside.shape, 2)[view.inside]
    inner = (np.abs(expected - [674.5, 539.5]) < [660, 525]).all(1)
    assert np.abs(shown[inner, :2] * 6 + 3 - expected[inner]).max() < 9


def test_the_middle_of_a_wide_scope_has_more_pixels_than_rectified():
    rectification, view = view_of(WIDE)
    assert view.camera.distortion_model == STEREOGRAPHIC
    assert view.camera.width <= 320
    assert view.camera.height <= 256
    assert view.camera.K[0, 0] > 1.4 * rectification.camera.K[0, 0]


TURNED = np.array([[np.cos(0.2), 0, np.sin(0.2)], [0, 1, 0], [-np.sin(0.2), 0, np.cos(0.2)]])
P = np.array([[250.0, 0, 350], [0, 250, 200], [0, 0, 1]])


@pytest.mark.parametrize(
    ("raw", "fov_deg"),
    [
        (WIDE, 120.0),
        (WIDE, 160.0),
        (Camera(1080, 1080, np.array([[380.0, 0, 540], [0, 380, 540], [0, 0, 1]]), EQUIDISTANT, np.zeros(4)), 160.0),
        (pinhole_from_hfov(640, 512, 70), 120.0),
        (pinhole_from_hfov(640, 512, 140), 140.0),
        (pinhole_from_hfov(640, 512, 155), 155.0),
        (pinhole_from_hfov(33, 27, 90), 120.0),
        (pinhole_from_hfov(1920, 1080, 80).cropped(700, 10, 500, 900), 120.0),
        (Camera(640, 512, np.diag([1.0, 1.3, 1]) @ pinhole_from_hfov(640, 512, 80).K), 120.0),
        (Camera(640, 512, pinhole_from_hfov(640, 512, 80).K, PLUMB_BOB, np.array([-0.2, 0, 0, 0]), TURNED, P), 120.0),
    ],
)
def test_every_rectified_pixel_of_the_scope_has_its_place_in_the_image(raw, fov_deg):
    rectification, view = view_of(raw, fov_deg)
    ones = np.where(view.inside, np.float32(1), np.float32(np.nan))
    depth, _ = view.rectify_depth(ones, ones, Rim.of(view.inside))
    assert np.array_equal(np.isfinite(depth), rectification.inside)


def test_a_small_image_is_not_enlarged():
    raw = pinhole_from_hfov(100, 80, 60)
    _, view = view_of(raw)
    assert view.camera.K[0, 0] == pytest.approx(raw.K[0, 0])


def test_nothing_lies_between_two_surfaces_and_nan_does_not_spread():
    rectification, view = view_of(WIDE)
    depth = np.full((view.camera.height, view.camera.width), 0.02, np.float32)
    depth[:, 150:] = 0.08
    depth[100:104, 40:44] = np.nan
    found, _ = view.rectify_depth(depth, depth, Rim.of(view.inside))
    known = found[np.isfinite(found)]
    assert np.minimum(np.abs(known - 0.02), np.abs(known - 0.08)).max() < 1e-7
    assert 0 < np.count_nonzero(rectification.inside & np.isnan(found)) < 40


def test_a_mask_loses_what_it_loses_in_the_raw_image():
    mask = np.ones((1080, 1350), bool)
    mask[:, 675:] = False
    _, view = view_of(WIDE)
    warped = view.look_at_mask(mask)
    middle = round(view.camera.K[0, 2])
    assert warped[view.camera.height // 2, middle - 3]
    assert not warped[:, middle + 3 :].any()
    assert not (warped & ~view.inside).any()


def test_of_a_scopes_black_border_nothing_is_inside():
    y, x = np.mgrid[:1080, :1350]
    disc = np.hypot(x - 679, y - 543) < 500
    _, view = view_of(WIDE)
    image = view.look(np.repeat(np.where(disc, 200, 0).astype(np.uint8)[..., None], 3, 2))
    inside = view.look_at_mask(disc)
    assert image[inside].min() >= 99
    assert image[~inside].max() <= 101


def test_the_rim_shows_the_nearest_pixel_inside_and_no_more():
    mask = np.zeros((7, 9), bool)
    mask[2:5, 3:6] = True
    picture = np.where(mask, np.arange(63, dtype=np.float32).reshape(7, 9), np.nan)
    wider = Rim.of(mask).widen(picture)
    assert wider[3, 7] == picture[3, 5]
    assert wider[0, 4] == picture[2, 4]
    assert np.isnan(wider[3, 8])
    assert np.array_equal(wider[mask], picture[mask])


def test_no_mask_and_a_whole_one_have_no_rim():
    for mask in (np.zeros((4, 5), bool), np.ones((4, 5), bool)):
        assert len(Rim.of(mask).outside) == 0
