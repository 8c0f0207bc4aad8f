"""Rectified images show each direction where their pinhole says, and admit what the raw image doesn't see."""

import math

import numpy as np
import pytest
from distortion import distort
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from endo_depth_ros.geometry.camera import EQUIDISTANT, PINHOLE, PLUMB_BOB, RATIONAL_POLYNOMIAL, Camera, CameraError
from endo_depth_ros.geometry.rectification import Rectification, fit_size, pixel_rays

WIDTH, HEIGHT = 640, 512
K = np.array([[420.0, 0, 330], [0, 424, 250], [0, 0, 1]])
SMALL_ANGLES = st.tuples(*[st.floats(-0.06, 0.06)] * 3)
COEFFICIENTS = {
    PINHOLE: st.just(()),
    PLUMB_BOB: st.tuples(
        st.floats(-0.3, 0.2), st.floats(0, 0.1), st.floats(-0.004, 0.004), st.floats(-0.004, 0.004), st.floats(0, 0.02)
    ),
    RATIONAL_POLYNOMIAL: st.tuples(
        st.floats(-0.2, 0.4),
        st.floats(0, 0.1),
        st.floats(-0.002, 0.002),
        st.floats(-0.002, 0.002),
        st.floats(0, 0.02),
        st.floats(0, 0.3),
        st.floats(0, 0.1),
        st.floats(0, 0.02),
    ),
    EQUIDISTANT: st.tuples(*[st.floats(-0.03, 0.03)] * 2, *[st.floats(-0.003, 0.003)] * 2),
}


def paint_spot(pixel, sigma):
    """A white Gaussian spot at a raw pixel, uint8 [H, W, 3]."""
    x, y = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    spot = 255 * np.exp(-((x - pixel[0]) ** 2 + (y - pixel[1]) ** 2) / (2 * sigma**2))
    return np.repeat(np.rint(spot).astype(np.uint8)[..., None], 3, axis=2)


def find_spot(image):
    """Centre of mass (u, v)."""
    weight = image[..., 0].astype(float)
    v, u = np.mgrid[: image.shape[0], : image.shape[1]]
    return np.array([(weight * u).sum(), (weight * v).sum()]) / weight.sum()


def check_spot(raw, direction, max_width=320, max_height=256):
    """Paint `direction` of the rectified camera into the raw image; it must come out where the output's K says."""
    rectification = Rectification(raw, max_width, max_height, 120.0)
    raw_pixel = distort(raw, raw.R.T @ direction)
    image = rectification.rectify(paint_spot(raw_pixel, 5.0))
    expected = rectification.camera.K @ (direction / direction[2])
    np.testing.assert_allclose(find_spot(image), expected[:2], atol=0.12)


@pytest.mark.parametrize("model", COEFFICIENTS)
@given(data=st.data(), x=st.floats(-0.3, 0.3), y=st.floats(-0.25, 0.25), zoom=st.floats(0.6, 1.1), angles=SMALL_ANGLES)
@settings(max_examples=15, deadline=None)
def test_a_direction_is_found_where_p_says(model, data, x, y, zoom, angles):
    D = np.array(data.draw(COEFFICIENTS[model]))
    R = Rotation.from_rotvec(angles).as_matrix()
    P = np.array([[zoom * 420, 0, 318], [0, zoom * 420, 260], [0, 0, 1]])
    check_spot(Camera(WIDTH, HEIGHT, K, model, D, R, P), np.array([x, y, 1.0]))


@pytest.mark.parametrize("model", COEFFICIENTS)
@given(data=st.data(), x=st.floats(-0.3, 0.3), y=st.floats(-0.25, 0.25))
@settings(max_examples=10, deadline=None)
def test_a_direction_is_found_where_the_chosen_projection_says(model, data, x, y):
    D = np.array(data.draw(COEFFICIENTS[model]))
    check_spot(Camera(WIDTH, HEIGHT, K, model, D), np.array([x, y, 1.0]))


@pytest.mark.parametrize(("max_width", "max_height"), [(640, 512), (320, 256), (333, 256), (201, 999), (77, 61)])
def test_k_is_right_at_any_size(max_width, max_height):
    raw = Camera(WIDTH, HEIGHT, K, PLUMB_BOB, np.array([-0.2, 0.05, 0.001, 0.001]))
    check_spot(raw, np.array([0.11, -0.07, 1.0]), max_width, max_height)
    check_spot(Camera(WIDTH, HEIGHT, K), np.array([0.11, -0.07, 1.0]), max_width, max_height)


def test_given_p_is_used_resized():
    P = np.array([[400.0, 0, 310], [0, 410, 255], [0, 0, 1]])
    raw = Camera(WIDTH, HEIGHT, K, PLUMB_BOB, np.array([-0.2, 0.05, 0, 0]), P=P)
    camera = Rectification(raw, 320, 256, 120.0).camera
    np.testing.assert_allclose(camera.K, [[200, 0, 154.75], [0, 205, 127.25], [0, 0, 1]])
    np.testing.assert_array_equal(camera.P, camera.K)
    assert camera.rectified


def test_a_pinhole_is_only_resized():
    rectification = Rectification(Camera(WIDTH, HEIGHT, K, P=K.copy(), calibrated=False), 320, 256, 120.0)
    np.testing.assert_array_equal(rectification.camera.K, Camera(WIDTH, HEIGHT, K).resized(320, 256).K)
    assert rectification.inside.all()
    assert not rectification.camera.calibrated


def test_nothing_to_do_returns_the_image_itself():
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    assert Rectification(Camera(WIDTH, HEIGHT, K), 9999, 9999, 120.0).rectify(image) is image


@given(st.integers(1, 2000), st.integers(1, 2000), st.integers(1, 2000), st.integers(1, 2000))
def test_output_fits_and_is_never_larger_than_the_image(width, height, max_width, max_height):
    w, h = fit_size(Camera(width, height, K), max_width, max_height)
    assert 1 <= w <= min(width, max_width)
    assert 1 <= h <= min(height, max_height)
    scale = min(1, max_width / width, max_height / height)
    assert max(abs(w - scale * width), abs(h - scale * height)) <= max(0.5, 1 - scale * min(width, height))


@pytest.mark.parametrize("k1", [-0.35, 0.2])
def test_without_p_all_of_the_image_is_in_the_output(k1):
    raw = Camera(WIDTH, HEIGHT, K, PLUMB_BOB, np.array([k1, 0.1, 0, 0]))
    camera = Rectification(raw, 320, 256, 150.0).camera
    # Directions just outside the output's edges must not hit the raw image.
    edge = [(u, v) for u in np.linspace(-0.5, 319.5, 60) for v in (-0.6, 255.6)]
    edge += [(u, v) for v in np.linspace(-0.5, 255.5, 60) for u in (-0.6, 319.6)]
    for u, v in edge:
        x, y = distort(raw, np.linalg.inv(camera.K) @ [u, v, 1])
        assert not (0 <= x <= WIDTH - 1 and 0 <= y <= HEIGHT - 1)


@pytest.mark.parametrize("P", [None, np.array([[150.0, 0, 320], [0, 150, 256], [0, 0, 1]])])
@pytest.mark.parametrize("max_fov_deg", [60.0, 90.0])
def test_nothing_beyond_the_bound_is_inside(P, max_fov_deg):
    raw = Camera(WIDTH, HEIGHT, K * [0.5, 0.5, 1], EQUIDISTANT, np.zeros(4), P=P)
    rectification = Rectification(raw, 320, 256, max_fov_deg)
    slopes = np.abs(pixel_rays(rectification.camera)[rectification.inside][:, :2])
    assert slopes.max() <= math.tan(math.radians(max_fov_deg) / 2)
    assert slopes.max() > 0.97 * math.tan(math.radians(max_fov_deg) / 2)


def test_bound_holds_for_a_pinhole_too():
    inside = Rectification(Camera(WIDTH, HEIGHT, K), 320, 256, 40.0).inside
    slope = 2 * math.tan(math.radians(20))
    assert inside.mean() == pytest.approx(420 * slope / WIDTH * 424 * slope / HEIGHT, rel=0.02)


def test_inside_is_what_the_closed_form_hits():
    P = np.array([[200.0, 0, 320], [0, 200, 256], [0, 0, 1]])
    raw = Camera(WIDTH, HEIGHT, K, EQUIDISTANT, np.array([0.02, -0.01, 0, 0]), P=P)
    rectification = Rectification(raw, 64, 64, 170.0)
    hits = np.zeros_like(rectification.inside)
    for v, u in np.ndindex(hits.shape):
        x, y = distort(raw, pixel_rays(rectification.camera)[v, u])
        hits[v, u] = -0.5 <= x <= WIDTH - 0.5 and -0.5 <= y <= HEIGHT - 0.5
    assert 0.1 < hits.mean() < 0.9
    assert (hits != rectification.inside).mean() < 0.01


def test_folded_directions_are_outside_and_black():
    k1 = -0.6
    P = np.array([[100.0, 0, 320], [0, 100, 256], [0, 0, 1]])
    raw = Camera(WIDTH, HEIGHT, K, PLUMB_BOB, np.array([k1, 0, 0, 0]), P=P)
    rectification = Rectification(raw, 320, 256, 170.0)
    radius = np.hypot(*np.moveaxis(pixel_rays(rectification.camera)[..., :2], -1, 0))
    turning = math.sqrt(-1 / (3 * k1))
    assert not rectification.inside[radius > 1.01 * turning].any()
    assert rectification.inside[radius < 0.98 * min(turning, 0.5)].all()
    white = rectification.rectify(np.full((HEIGHT, WIDTH, 3), 255, np.uint8))
    assert (white[rectification.inside] == 255).all()
    assert (white[radius > 1.01 * turning] == 0).all()


@pytest.mark.parametrize("shape", [(512, 640), (256, 320), (128, 160), (301, 377)])
@pytest.mark.parametrize("D", [(), (-0.3, 0.1, 0.001, 0.001, 0.0)])
@given(seed=st.integers(0, 10_000))
@settings(max_examples=10, deadline=None)
def test_mask_never_grows(shape, D, seed):
    raw = Camera(WIDTH, HEIGHT, K, PLUMB_BOB if D else PINHOLE, np.array(D))
    rectification = Rectification(raw, 320, 256, 120.0)
    rng = np.random.default_rng(seed)
    mask = np.ones(shape, bool)
    for _ in range(4):
        y, x = rng.integers(0, shape[0]), rng.integers(0, shape[1])
        mask[y : y + rng.integers(1, 60), x : x + rng.integers(1, 60)] = False
    kept = rectification.warp_mask(mask)
    assert kept.shape == (256, 320)
    rays = pixel_rays(rectification.camera)
    for v, u in np.argwhere(kept)[:: max(1, kept.sum() // 400)]:
        x, y = distort(raw, rays[v, u])
        at_x = int(np.clip(round((x + 0.5) * shape[1] / WIDTH - 0.5), 0, shape[1] - 1))
        at_y = int(np.clip(round((y + 0.5) * shape[0] / HEIGHT - 0.5), 0, shape[0] - 1))
        assert mask[at_y, at_x]
    assert kept.mean() > mask.mean() * rectification.inside.mean() - 0.2


def test_full_mask_keeps_all_that_is_seen():
    rectification = Rectification(Camera(WIDTH, HEIGHT, K, PLUMB_BOB, np.array([-0.3, 0.1, 0, 0])), 320, 256, 120.0)
    np.testing.assert_array_equal(rectification.warp_mask(np.ones((51, 64), bool)), rectification.inside)


def test_fine_texture_averages_instead_of_aliasing():
    stripes = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    stripes[:, ::2] = 255
    raw = Camera(WIDTH, HEIGHT, K, PLUMB_BOB, np.array([-0.1, 0.0, 0, 0]))
    rectification = Rectification(raw, 320, 256, 120.0)
    middle = rectification.rectify(stripes)[100:150, 130:190].astype(float)
    assert np.abs(middle - 127.5).max() < 3


def test_image_of_another_size_is_refused():
    with pytest.raises(ValueError, match="10x8 but its camera 640x512"):
        Rectification(Camera(WIDTH, HEIGHT, K), 320, 256, 120.0).rectify(np.zeros((8, 10, 3), np.uint8))


@pytest.mark.parametrize("max_fov_deg", [0.0, 180.0, math.nan])
def test_impossible_bound_is_refused(max_fov_deg):
    with pytest.raises(CameraError, match="impossible"):
        Rectification(Camera(WIDTH, HEIGHT, K), 320, 256, max_fov_deg)


@pytest.mark.parametrize("P", [None, K])
def test_rotation_out_of_view_is_refused(P):
    R = np.diag([1.0, -1, -1])
    with pytest.raises(CameraError, match="its K, D, R and P show no part"):
        Rectification(Camera(WIDTH, HEIGHT, K, PLUMB_BOB, np.array([-0.1, 0, 0, 0]), R, P), 320, 256, 120.0)


@pytest.mark.parametrize("P", [None, K])
@pytest.mark.parametrize(
    ("model", "D"),
    [
        (PLUMB_BOB, [-1e6] * 5),
        (PLUMB_BOB, [1e6] * 5),
        (PLUMB_BOB, [-1e3, 0, 0, 0, 0]),
        (PLUMB_BOB, [0, 0, 1e6, 1e6, 0]),
        (PLUMB_BOB, [1e300] * 5),
        (PLUMB_BOB, [-1e300] * 5),
        (RATIONAL_POLYNOMIAL, [0, 0, 0, 0, 0, -1e300, 1e300, 1e300]),
        (EQUIDISTANT, [1e9] * 4),
        (EQUIDISTANT, [-1e300] * 4),
    ],
)
@pytest.mark.filterwarnings("error")
def test_absurd_coefficients_are_blamed(model, D, P):
    with pytest.raises(CameraError, match=f"its {model} coefficients D distort even the middle"):
        Rectification(Camera(WIDTH, HEIGHT, K, model, np.array(D, np.float64), P=P), 320, 256, 120.0)


@pytest.mark.parametrize("D", [(), (-0.1, 0, 0, 0)])
@pytest.mark.parametrize(
    "K_absurd",
    [
        np.array([[420.0, 0, 1e6], [0, 424, 250], [0, 0, 1]]),
        np.array([[420.0, 0, 330], [0, 424, -1e6], [0, 0, 1]]),
        np.zeros((3, 3)),
    ],
    ids=["right", "above", "zero"],
)
@pytest.mark.filterwarnings("error")
def test_a_camera_that_sees_nothing_is_refused(K_absurd, D):
    raw = Camera(WIDTH, HEIGHT, K_absurd, PLUMB_BOB if D else PINHOLE, np.array(D))
    with pytest.raises(CameraError, match="its K, D, R and P show no part"):
        Rectification(raw, 320, 256, 120.0)


@pytest.mark.parametrize("P", [np.zeros((3, 3)), 1e300 * K, np.diag([-1.0, 1, 1]) @ K, K * [[1e-320], [1], [1]]])
@pytest.mark.filterwarnings("error")
def test_an_impossible_projection_is_refused(P):
    with pytest.raises(CameraError, match="its K, D, R and P show no part"):
        Rectification(Camera(WIDTH, HEIGHT, K, PLUMB_BOB, np.array([-0.1, 0, 0, 0]), P=P), 320, 256, 120.0)


@pytest.mark.parametrize("f", [32.0, 64000.0])
@pytest.mark.parametrize(
    ("model", "D"), [(PINHOLE, ()), (PLUMB_BOB, (-0.1, 0.01, 0, 0, 0)), (EQUIDISTANT, (0.02, -0.01, 0, 0))]
)
def test_extreme_but_possible_lenses_are_taken(f, model, D):
    centred = np.array([[f, 0, 320], [0, f, 256], [0, 0, 1]])
    assert Rectification(Camera(WIDTH, HEIGHT, centred, model, np.array(D)), 320, 256, 120.0).inside.any()


@pytest.mark.parametrize(("width", "height"), [(4000, 1), (1, 4000)])
@pytest.mark.parametrize("D", [(), (-0.1, 0, 0, 0)])
def test_line_images_are_rectified(width, height, D):
    line = np.array([[2000.0, 0, (width - 1) / 2], [0, 2000, (height - 1) / 2], [0, 0, 1]])
    rectification = Rectification(
        Camera(width, height, line, PLUMB_BOB if D else PINHOLE, np.array(D)), 320, 256, 120.0
    )
    assert rectification.rectify(np.zeros((height, width, 3), np.uint8)).shape[:2] == rectification.inside.shape
    assert rectification.warp_mask(np.ones((height, width), bool)).any()
