"""The field of view is found tightly in what scopes show, and nothing is found where there is nothing."""

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scopes import intersection_over_union, make_box, make_disc, make_jpeg, make_tissue, show

from endo_depth_ros.imaging.field_of_view import WHOLE_IMAGE, FieldOfView, FieldOfViewTracker, find_field_of_view

WIDTH, HEIGHT = 480, 384
SHORT = min(WIDTH, HEIGHT)
SEEDS = st.integers(0, 10_000)
BORDERS = st.floats(0, 14)
PROPERTY = settings(max_examples=12, deadline=None)


def film(coverage, seed=0, count=3, **changes):
    """JPEG frames of a scope that sees `coverage`."""
    rng = np.random.default_rng(seed)
    return [make_jpeg(show(coverage, rng, **changes)) for _ in range(count)]


def check_found(frames, coverage, shape):
    """The shape is found with an IoU of 0.97, and the default mask is tight."""
    found = find_field_of_view(frames)
    assert found.shape == shape
    height, width = coverage.shape
    assert intersection_over_union(found.mask(width, height, 0.0), coverage > 0.5) >= 0.97
    mask = found.mask(320, 256)
    truth = cv2.resize(coverage.astype(np.float32), (320, 256), interpolation=cv2.INTER_AREA)
    assert (mask & (truth < 0.01)).sum() <= 0.001 * mask.sum()
    assert (mask & (truth > 0.99)).sum() >= 0.96 * (truth > 0.99).sum()


def disc(x=0.5 * WIDTH, y=0.5 * HEIGHT, radius=0.42 * SHORT):
    return make_disc(WIDTH, HEIGHT, (x, y), radius)


@given(SEEDS, st.floats(0.2, 0.46), st.floats(0, 1), st.floats(0, 1), BORDERS)
@PROPERTY
def test_disc_anywhere_is_found(seed, radius, x, y, border):
    r = radius * SHORT
    centre = (r + 5 + x * (WIDTH - 2 * r - 10), r + 5 + y * (HEIGHT - 2 * r - 10))
    check_found(film(disc(*centre, r), seed, border=border), disc(*centre, r), "disc")


@given(SEEDS, st.floats(0.52, 0.65), st.floats(-0.08, 0.08), st.floats(-0.08, 0.08), BORDERS)
@PROPERTY
def test_disc_cut_by_the_image_is_found(seed, radius, dx, dy, border):
    coverage = disc((0.5 + dx) * WIDTH, (0.5 + dy) * HEIGHT, radius * SHORT)
    check_found(film(coverage, seed, border=border), coverage, "disc")


@given(SEEDS, st.floats(0.5, 0.95), st.floats(0.6, 0.95), st.floats(0, 0.99), st.floats(0, 0.99), BORDERS)
@PROPERTY
def test_rectangle_is_found(seed, width, height, x, y, border):
    left, top = 4 + x * (1 - width) * WIDTH * 0.8, 4 + y * (1 - height) * HEIGHT * 0.7
    box = (left, top, left + width * WIDTH - 8, top + height * HEIGHT - 8)
    check_found(film(make_box(WIDTH, HEIGHT, box), seed, border=border), make_box(WIDTH, HEIGHT, box), "rectangle")


@given(SEEDS, st.floats(0.15, 0.32), st.floats(0.05, 0.2), BORDERS)
@example(1195, 0.314453125, 0.13361166358355725, 0.3828125)  # a corner that dark tissue half hides
@PROPERTY
def test_octagon_is_found(seed, cut, inset, border):
    box = (inset * WIDTH, 6, (1 - inset) * WIDTH, HEIGHT - 6)
    coverage = make_box(WIDTH, HEIGHT, box, cut * SHORT)
    check_found(film(coverage, seed, border=border), coverage, "octagon")


@pytest.mark.parametrize("box", [(60, 0, WIDTH - 60, HEIGHT), (0, 40, WIDTH, HEIGHT - 40), (0, 0, 400, HEIGHT)])
def test_black_bars_are_found(box):
    check_found(film(make_box(WIDTH, HEIGHT, box), border=2), make_box(WIDTH, HEIGHT, box), "rectangle")


def test_octagon_that_fills_the_image_is_found():
    coverage = make_box(WIDTH, HEIGHT, (0, 0, WIDTH, HEIGHT), 0.2 * SHORT)
    check_found(film(coverage), coverage, "octagon")


def test_disc_with_flat_top_and_bottom_is_found():
    coverage = disc(radius=0.5 * SHORT) * make_box(WIDTH, HEIGHT, (0, 30, WIDTH, HEIGHT - 30))
    check_found(film(coverage), coverage, "disc")


def test_disc_that_rectification_bent_is_followed():
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    angle = np.arctan2(y - HEIGHT / 2, x - WIDTH / 2)
    radius = SHORT * (0.42 - 0.02 * np.clip(np.cos(angle - 2.2), 0, 1) ** 4)
    coverage = (np.hypot(x - WIDTH / 2, y - HEIGHT / 2) <= radius).astype(float)
    check_found(film(coverage), coverage, "disc")
    mask = find_field_of_view(film(coverage)).mask(WIDTH, HEIGHT)
    assert (mask & (coverage == 0)).sum() < 0.002 * mask.sum()


@pytest.mark.parametrize("lumen", [(240, 192, 110), (370, 192, 90), (180, 120, 60)])
def test_dark_lumen_is_not_cut_out(lumen):
    check_found(film(disc(), lumen=lumen), disc(), "disc")


def test_text_and_icons_in_the_border_do_not_count():
    frames = film(disc(x=290, radius=0.4 * SHORT))
    for frame in frames:
        for line in range(4):
            cv2.putText(frame, "Patient 1234-56", (4, 30 + 24 * line), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255,) * 3, 2)
        cv2.rectangle(frame, (8, HEIGHT - 60), (60, HEIGHT - 10), (0, 200, 255), -1)
    check_found(frames, disc(x=290, radius=0.4 * SHORT), "disc")


def test_icon_on_the_rim_does_not_count():
    frames = film(disc())
    for frame in frames:
        cv2.rectangle(frame, (60, 175), (105, 210), (230, 230, 230), -1)
    check_found(frames, disc(), "disc")


def test_bright_noisy_border_is_border():
    check_found(film(disc(), border=20, noise=5), disc(), "disc")


def test_one_frame_is_enough():
    check_found(film(disc(), count=1), disc(), "disc")


def test_dark_frames_among_bright_ones_do_no_harm():
    dark = [frame // 30 for frame in film(disc())]
    check_found(dark + film(disc()), disc(), "disc")


@pytest.mark.parametrize("exponent", [0.5, 1, 2, 4])
def test_vignetting_is_no_border(exponent):
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    radius = np.hypot(x - WIDTH / 2, y - HEIGHT / 2) / np.hypot(WIDTH / 2, HEIGHT / 2)
    rng = np.random.default_rng(1)
    tissue = make_tissue(WIDTH, HEIGHT, rng) * (np.clip(1 - radius**2, 0, 1) ** exponent)[..., None]
    frames = [make_jpeg(show(np.ones((HEIGHT, WIDTH)), rng, tissue=tissue)) for _ in range(3)]
    assert find_field_of_view(frames) == WHOLE_IMAGE


@pytest.mark.parametrize("lumen", [None, (240, 192, 150), (480, 192, 220), (460, 370, 300)])
def test_full_frame_image_has_no_border(lumen):
    assert find_field_of_view(film(np.ones((HEIGHT, WIDTH)), lumen=lumen)) == WHOLE_IMAGE


@pytest.mark.parametrize("frames", [[], [np.zeros((HEIGHT, WIDTH, 3), np.uint8)]])
def test_nothing_to_see_is_the_whole_image(frames):
    assert find_field_of_view(frames) == WHOLE_IMAGE
    assert WHOLE_IMAGE.mask(20, 10).all()


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (40, 30)])
def test_tiny_images_are_survived(size):
    assert find_field_of_view([np.full((*size, 3), 200, np.uint8)]) == WHOLE_IMAGE


@given(st.floats(0, 12))
@settings(max_examples=10, deadline=None)
def test_margin_moves_the_rim_but_not_the_edges_of_the_image(margin):
    field = FieldOfView("rectangle", box=(0.25, 0.0, 1.0, 1.0))
    columns = field.mask(400, 100, margin).all(axis=0)
    assert np.argmax(columns) == pytest.approx(100 + margin, abs=1)
    assert columns[-1]


def feed(tracker, frames):
    """The field of view after the frames."""
    for frame in frames:
        field = tracker.update(frame)
    return field


def test_tracker_answers_from_the_first_frame_on():
    assert FieldOfViewTracker().update(film(disc())[0]).shape == "disc"


def test_tracker_follows_another_scope():
    tracker = FieldOfViewTracker(frames=3, recheck_every=6)
    before = feed(tracker, film(disc(), count=6))
    after = feed(tracker, film(disc(radius=0.3 * SHORT), count=24))
    assert before.overlap(after) < 0.7
    assert intersection_over_union(after.mask(WIDTH, HEIGHT, 0), disc(radius=0.3 * SHORT) > 0.5) > 0.97


def test_tracker_needs_the_change_confirmed():
    tracker = FieldOfViewTracker(frames=3, recheck_every=3)
    before = feed(tracker, film(disc(), count=3))
    assert feed(tracker, film(disc(radius=0.3 * SHORT), count=3)) == before
    assert feed(tracker, film(disc(), count=6)) == before


@pytest.mark.parametrize("factor", [0.0, 0.05, 60.0])
def test_tracker_is_not_moved_by_dark_or_overexposed_frames(factor):
    tracker = FieldOfViewTracker(frames=3, recheck_every=3)
    before = feed(tracker, film(disc(), count=3))
    frames = [np.clip(frame * factor, 0, 255).astype(np.uint8) for frame in film(disc(), count=12)]
    assert feed(tracker, frames) == before


def test_tracker_keeps_its_mind_while_only_the_scene_changes():
    tracker = FieldOfViewTracker(frames=3, recheck_every=3)
    before = feed(tracker, film(disc(), count=3))
    for seed in range(1, 6):
        assert feed(tracker, film(disc(), seed, lumen=(180 + 30 * seed, 190, 90))) == before


def test_tracker_starts_dark():
    tracker = FieldOfViewTracker(frames=3)
    assert feed(tracker, [np.zeros((HEIGHT, WIDTH, 3), np.uint8)] * 20) == WHOLE_IMAGE
    assert tracker.update(film(disc())[0]).shape == "disc"


def test_tracker_survives_another_image_size():
    tracker = FieldOfViewTracker(frames=3, recheck_every=3)
    feed(tracker, film(disc(), count=4))
    assert feed(tracker, film(disc()[:, 60:-60], count=8)).shape == "disc"


def test_reset_forgets():
    tracker = FieldOfViewTracker(frames=3)
    feed(tracker, film(disc(), count=3))
    tracker.reset()
    assert tracker.update(np.zeros((HEIGHT, WIDTH, 3), np.uint8)) == WHOLE_IMAGE


def test_mode_none_is_the_whole_image():
    assert FieldOfViewTracker("none").update(film(disc())[0]) == WHOLE_IMAGE
    with pytest.raises(ValueError, match="choose auto or none"):
        FieldOfViewTracker("square")
