"""The lit part of the frame."""

import numpy as np
import pytest

from endo_depth_ros.synthetic.scope_mask import UNLIMITED, ScopeMask, draw_scope_mask
from endo_depth_ros.synthetic.sensor import Sensor, SensorSettings

WIDTH, HEIGHT = 320, 256


def inside(**limits):
    return ScopeMask(**limits).margin(WIDTH, HEIGHT) >= 0


def positions():
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return (x - (WIDTH - 1) / 2) / HEIGHT, (y - (HEIGHT - 1) / 2) / HEIGHT


def test_a_disc_off_centre_is_exact():
    x, y = positions()
    expected = (x - 0.03) ** 2 + (y + 0.02) ** 2 <= 0.41**2
    assert np.array_equal(inside(centre_x=0.03, centre_y=-0.02, radius=0.41), expected)


def test_a_disc_is_cut_at_top_and_bottom():
    x, y = positions()
    expected = (x**2 + y**2 <= 0.55**2) & (np.abs(y) <= 0.4)
    assert np.array_equal(inside(radius=0.55, half_height=0.4), expected)


def test_an_octagon_has_cut_corners():
    x, y = positions()
    expected = (np.abs(x) <= 0.48) & (np.abs(y) <= 0.44) & (np.abs(x) + np.abs(y) <= 0.7)
    assert np.array_equal(inside(radius=UNLIMITED, half_width=0.48, half_height=0.44, chamfer=0.7), expected)


def test_a_rectangle_has_round_corners():
    x, y = positions()
    beyond = np.hypot(np.maximum(np.abs(x) - 0.4, 0), np.maximum(np.abs(y) - 0.3, 0))
    assert np.array_equal(inside(radius=UNLIMITED, half_width=0.5, half_height=0.4, rounding=0.1), beyond <= 0.1)


def test_bent_edges_reach_further_away_from_the_middle():
    lit = inside(radius=UNLIMITED, half_height=0.4, bend=0.2)
    rows = lit.sum(axis=0)
    assert rows[WIDTH // 2] == pytest.approx(0.8 * HEIGHT, abs=1)
    assert rows[0] == pytest.approx((0.8 + 2 * 0.2 * 0.62**2) * HEIGHT, abs=2)


def test_an_unlimited_mask_is_the_whole_frame():
    assert inside(radius=UNLIMITED).all()


def test_a_notch_points_from_the_rim_inwards_where_it_should():
    whole, notched = inside(radius=0.4), inside(radius=0.4, notch=0.08, notch_deg=90.0)
    missing = whole & ~notched
    x, y = positions()
    assert missing.any()
    assert y[missing].min() == pytest.approx(0.32, abs=0.01)
    assert np.abs(x[missing]).max() <= 0.5 * 0.08 + 0.01


def test_the_margin_is_the_distance_to_the_rim():
    margin = ScopeMask(radius=0.4).margin(WIDTH, HEIGHT)
    x, y = positions()
    assert margin == pytest.approx(0.4 - np.hypot(x, y), abs=1e-5)


def test_a_soft_rim_rises_over_its_width():
    mask = ScopeMask(radius=UNLIMITED, half_width=0.5, rim_px=16.0, border_noise=0.0)
    settings = SensorSettings(mask=mask, vignette=0.0, read_noise=0.0, shot_noise=0.0, lens_blur_px=0.01)
    image = Sensor(WIDTH, HEIGHT, settings, 0).develop(np.ones((HEIGHT, WIDTH, 3), np.float32), 0)
    rim = image[128, 30:50, 1].astype(float) / image[128, 160, 1]
    # Half of 16 px at 512 rows is 8 px at 256; the edge is 31.5 px from the left.
    assert rim == pytest.approx(np.clip((np.arange(30, 50) - 31.5) / 8, 0, 1), abs=0.02)


def test_a_tinted_border_has_its_colour():
    mask = ScopeMask(radius=0.3, border=(2.0, 6.0, 20.0), border_noise=0.5)
    image = Sensor(WIDTH, HEIGHT, SensorSettings(mask=mask), 0).develop(np.ones((HEIGHT, WIDTH, 3), np.float32), 0)
    assert image[:40, :40].reshape(-1, 3).mean(axis=0) == pytest.approx((2, 6, 20), abs=1)


def test_drawn_masks_leave_a_field_of_view_and_have_all_shapes():
    draws = [draw_scope_mask(np.random.default_rng(seed)) for seed in range(200)]
    shares = np.array([(mask.margin(WIDTH, HEIGHT) >= 0).mean() for mask in draws])
    assert shares.min() > 0.15
    assert (shares == 1).mean() == pytest.approx(0.2, abs=0.1)
    round_masks = [mask for mask in draws if mask.radius < UNLIMITED]
    assert any(mask.half_height == UNLIMITED for mask in round_masks)
    assert any(mask.half_height < UNLIMITED for mask in round_masks)
    assert any(mask.chamfer < UNLIMITED for mask in draws)
    assert any(mask.rounding > 0 for mask in draws)
    assert any(mask.notch > 0 for mask in draws)


def test_a_mask_fills_the_image_and_keeps_its_shape():
    for seed in range(60):
        mask = draw_scope_mask(np.random.default_rng(seed))
        filling = mask.filling(1.25, 0.01)
        if filling is mask:
            continue
        seen = filling.margin(320, 256) > 0
        rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
        free = min(rows[0], 255 - rows[-1], columns[0], 319 - columns[-1])
        assert abs(free - 0.01 * 256) <= 4  # bent edges and a notch at the rim
        scale = filling.notch / mask.notch if mask.notch else None
        assert scale is None or scale == pytest.approx(filling.radius / mask.radius)


def test_a_mask_as_large_as_the_image_stays_as_it_is():
    assert ScopeMask(radius=0.7).filling(1.25, 0.01) == ScopeMask(radius=0.7)
    full = ScopeMask(radius=UNLIMITED)
    assert full.filling(1.25, 0.01) == full
