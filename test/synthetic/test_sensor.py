"""From light to video."""

import numpy as np
import pytest

from endo_depth_ros.synthetic.sensor import Sensor, SensorSettings

CLEAN = SensorSettings(vignette=0.0, read_noise=0.0, shot_noise=0.0, lens_blur_px=0.01)


def grey(level, size=(128, 160)):
    return np.full((*size, 3), level, np.float32)


def sensor(settings=CLEAN, seed=0):
    return Sensor(160, 128, settings, seed)


def test_outside_the_disc_is_black_and_inside_is_not():
    camera = sensor(SensorSettings())
    image = camera.develop(grey(0.5), 0)
    assert image[~camera.field_of_view].max() <= 16
    assert image[camera.field_of_view].mean() > 40
    assert camera.field_of_view.mean() == pytest.approx(np.pi * (0.485 * 128) ** 2 / (160 * 128), rel=0.01)


def test_exposure_brings_the_median_to_its_target():
    image = sensor().develop(grey(37.0), 0)
    assert image[64, 80, 1] == pytest.approx(255 * 0.07 ** (1 / 2.2), abs=1.5)


def test_exposure_lags_behind_a_sudden_change():
    camera = sensor()
    before = camera.develop(grey(1.0), 0)[64, 80, 1]
    after = [camera.develop(grey(4.0), i)[64, 80, 1] for i in range(1, 30)]
    assert after[0] > 1.5 * before
    assert np.all(np.diff(np.array(after, int)) <= 0)
    assert after[-1] == pytest.approx(before, abs=2)


def test_video_follows_light_with_gamma_below_the_knee():
    light = grey(0.07)
    light[60:68, 70:90] = 0.28
    image = sensor().develop(light, 0)
    assert (int(image[64, 80, 0]) / image[20, 80, 0]) ** 2.2 == pytest.approx(4, rel=0.05)


def test_the_rim_is_darker_than_the_middle():
    image = sensor(SensorSettings(read_noise=0.0, shot_noise=0.0)).develop(grey(1.0), 0)
    assert image[64, 80, 1] > image[64, 80 + 56, 1] + 5


def test_noise_is_seeded_by_sequence_and_frame():
    frames = [
        sensor(SensorSettings(), seed).develop(grey(0.2), index) for seed, index in ((0, 0), (0, 0), (0, 1), (1, 0))
    ]
    assert np.array_equal(frames[0], frames[1])
    assert not np.array_equal(frames[0], frames[2])
    assert not np.array_equal(frames[0], frames[3])


def test_rays_without_tissue_are_black():
    light = grey(1.0)
    light[:, 80:] = np.nan
    image = sensor().develop(light, 0)
    assert image[64, 120].max() == 0
    assert image[64, 40].min() > 50
