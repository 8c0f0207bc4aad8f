"""The scale of depth from frame to frame."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from wall import Wall

from endo_depth_ros.depth.steadiness import Seen, Steadiness, measure_change
from endo_depth_ros.geometry.camera import Camera
from endo_depth_ros.imaging.tracks import extract_texture

PERIOD_NS = 33_333_333
TIME_S, LIMIT = 0.5, 0.2


def view(frame, depth):
    return Seen(frame, extract_texture(frame.image), depth)


@cache
def approach(index):
    """Frame and depth of a camera that approaches a slanted wall, turning a little."""
    turn = 0.02 * np.sin(index / 5)
    return Wall().frame(index * PERIOD_NS, (0.0002 * index, 0.0, 0.0004 * index), (turn, -turn, turn))


def errors(log_errors, time_s=TIME_S, limit=LIMIT, spread=0.0):
    """Log of the corrected scale of each frame of an approach whose depth has these errors."""
    steadiness, rng = Steadiness(), np.random.default_rng(7)
    found = []
    for index, error in enumerate(log_errors):
        frame, depth = approach(index)
        shape = np.float32(np.exp(error)) * np.exp(spread * rng.normal(0, 1, depth.shape)).astype(np.float32)
        found.append(error + np.log(steadiness.correct(frame, depth * shape, time_s, limit)))
    return np.array(found)


@pytest.mark.parametrize("motion", [(0, 0, 0.002), (0, 0, -0.002), (0.002, 0, 0), (0.001, -0.001, 0.001)])
@pytest.mark.parametrize("turn", [(0, 0, 0), (0.02, -0.02, 0.05)])
def test_motion_is_no_change_of_scale(motion, turn):
    wall = Wall()
    change = measure_change(view(*wall.frame(0)), view(*wall.frame(PERIOD_NS, motion, turn)))
    assert change == pytest.approx(0, abs=0.003)


@pytest.mark.parametrize("factor", [0.85, 0.98, 1.05, 1.2])
def test_a_change_of_scale_is_measured_while_the_camera_moves(factor):
    wall = Wall()
    frame, depth = wall.frame(PERIOD_NS, (0.001, 0, 0.001), (0.01, 0.01, 0))
    change = measure_change(view(*wall.frame(0)), view(frame, np.float32(factor) * depth))
    assert change == pytest.approx(np.log(factor), abs=0.004)


def test_a_real_approach_passes_without_lag_or_drift():
    assert np.abs(errors(np.zeros(40))).max() < 0.02


def test_flicker_is_less_than_half():
    noise = np.random.default_rng(3).normal(0, 0.03, 40)
    noise[0] = 0
    assert errors(noise, spread=0.02).std() < 0.5 * noise.std()


def test_flicker_that_lasts_some_frames_is_reduced_by_a_third():
    rng, noise = np.random.default_rng(5), np.zeros(40)
    for index in range(1, 40):
        noise[index] = 0.85 * noise[index - 1] + rng.normal(0, 0.016)
    assert errors(noise).std() < 0.67 * noise.std()


def test_a_lasting_scale_is_the_models_own_after_a_few_time_constants():
    step = np.where(np.arange(45) < 5, 0.0, 0.1)
    corrected = errors(step, time_s=0.2)
    assert abs(corrected[5]) < 0.03
    assert corrected[-1] == pytest.approx(0.1, abs=0.015)


def test_at_first_the_scale_is_the_mean_of_the_frames_before():
    noise = np.array([0.12, -0.03, 0.02, -0.05, 0.04, 0.0, -0.02, 0.03])
    corrected = errors(noise, time_s=1e6)
    assert corrected[0] == noise[0]
    means = np.cumsum(noise)[:-1] / np.arange(1, len(noise))
    np.testing.assert_allclose(corrected[1:], means, atol=0.01)


def test_the_correction_is_bounded():
    noise = np.tile([0.0, 0.15], 20)
    corrected = errors(noise, limit=0.05)
    assert np.abs(corrected - noise).max() <= np.log(1.05) + 1e-9


def test_a_cut_a_gap_another_camera_and_a_reset_start_anew():
    wall, other = Wall(), Wall(seed=5)
    steadiness = Steadiness()

    def shaken():
        steadiness.correct(*wall.frame(0), TIME_S, LIMIT)
        frame, depth = wall.frame(PERIOD_NS)
        assert steadiness.correct(frame, 1.1 * depth, TIME_S, LIMIT) == pytest.approx(1 / 1.1, abs=0.01)

    for frame, depth in (other.frame(2 * PERIOD_NS), wall.frame(2_000_000_000), wall.frame(PERIOD_NS)):
        shaken()
        assert steadiness.correct(frame, depth, TIME_S, LIMIT) == 1
        steadiness.reset()
    shaken()
    frame, depth = wall.frame(2 * PERIOD_NS)
    moved = replace(frame, camera=Camera(320, 256, np.diag([1.1, 1.1, 1]) @ frame.camera.K))
    assert steadiness.correct(moved, depth, TIME_S, LIMIT) == 1
    steadiness.reset()
    assert steadiness.correct(frame, depth, TIME_S, LIMIT) == 1


def test_frames_without_depth_are_passed_over():
    frame, depth = Wall().frame(0)
    later, _ = Wall().frame(PERIOD_NS)
    steadiness = Steadiness()
    assert steadiness.correct(frame, depth, TIME_S, LIMIT) == 1
    assert steadiness.correct(later, np.full_like(depth, np.nan), TIME_S, LIMIT) == 1
