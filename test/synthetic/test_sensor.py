"""From light to video."""

from dataclasses import replace

import numpy as np
import pytest

from endo_depth_ros.synthetic.scope_mask import UNLIMITED, ScopeMask
from endo_depth_ros.synthetic.sensor import Sensor, SensorSettings, draw_sensor
from endo_depth_ros.synthetic.tone_curve import ToneCurve

CLEAN = SensorSettings(vignette=0.0, read_noise=0.0, shot_noise=0.0, lens_blur_px=0.01)
OPEN = replace(CLEAN, mask=ScopeMask(radius=UNLIMITED))


def grey(level, size=(128, 160)):
    return np.full((*size, 3), level, np.float32)


def textured(size=(128, 160), seed=0):
    light = np.random.default_rng(seed).lognormal(-2, 0.7, (size[0] // 8, size[1] // 8, 3))
    return np.kron(light, np.ones((8, 8, 1))).astype(np.float32)


def sensor(settings=CLEAN, seed=0):
    return Sensor(160, 128, settings, seed)


def root_luminance(image, gamma=2.2):
    """Mean root of linear luminance of video, as exposure measures it."""
    return np.sqrt((image / 255.0) ** gamma @ [0.3, 0.6, 0.1]).mean()


def test_outside_the_disc_is_black_and_inside_is_not():
    camera = sensor(SensorSettings())
    image = camera.develop(grey(0.5), 0)
    assert image[~camera.field_of_view].max() <= 16
    assert image[camera.field_of_view].mean() > 40
    assert camera.field_of_view.mean() == pytest.approx(np.pi * (0.485 * 128) ** 2 / (160 * 128), rel=0.01)


@pytest.mark.parametrize("target", [0.02, 0.07, 0.2])
def test_exposure_brings_grey_to_its_target(target):
    image = sensor(replace(CLEAN, target=target)).develop(grey(37.0), 0)
    assert image[64, 80, 1] == pytest.approx(255 * target ** (1 / 2.2), abs=1.5)


@pytest.mark.parametrize("scene", [0, 1])
def test_mean_brightness_follows_the_target(scene):
    brightness = [
        root_luminance(sensor(replace(OPEN, target=target)).develop(textured(seed=scene), 0)) for target in (0.03, 0.1)
    ]
    assert brightness == pytest.approx(np.sqrt([0.03, 0.1]), rel=0.06)


def test_exposure_lags_by_a_power_of_the_lag():
    settings = replace(OPEN, exposure_lag=0.8, tone=ToneCurve(knee=0.95))
    camera = sensor(settings)
    camera.develop(grey(1.0), 0)
    levels = [camera.develop(grey(4.0), index)[64, 80, 1] for index in range(1, 30)]
    expected = [255 * (0.07 * 4 ** (0.8**index)) ** (1 / 2.2) for index in range(1, 30)]
    assert levels == pytest.approx(expected, abs=1.5)


def test_video_follows_light_with_gamma_below_the_knee():
    light = grey(0.07)
    light[60:68, 70:90] = 0.28
    image = sensor().develop(light, 0)
    assert (int(image[64, 80, 0]) / image[20, 80, 0]) ** 2.2 == pytest.approx(4, rel=0.05)


def test_vignette_takes_its_share_of_light_at_the_rim():
    image = sensor(replace(CLEAN, vignette=0.36, mask=ScopeMask(radius=0.5))).develop(grey(1.0), 0)
    rim = 80 + 60
    expected = 1 - 0.36 * ((rim - 79.5) / 64) ** 2
    assert (image[64, rim, 1] / image[64, 80, 1]) ** 2.2 == pytest.approx(expected, rel=0.03)


def test_noise_is_seeded_by_sequence_and_frame():
    frames = [
        sensor(SensorSettings(), seed).develop(grey(0.2), index) for seed, index in ((0, 0), (0, 0), (0, 1), (1, 0))
    ]
    assert np.array_equal(frames[0], frames[1])
    assert not np.array_equal(frames[0], frames[2])
    assert not np.array_equal(frames[0], frames[3])


@pytest.mark.parametrize("grain_px", [0.0, 4.0])
def test_noise_has_the_variance_of_its_settings_whatever_its_grain(grain_px):
    linear = ToneCurve(gamma=1.0, knee=0.95)
    noisy = replace(OPEN, target=0.4, read_noise=0.02, shot_noise=1e-3, grain_px=grain_px, tone=linear)
    image = sensor(noisy).develop(grey(1.0), 0) / 255.0
    assert image.std() == pytest.approx(np.sqrt(0.02**2 + 1e-3 * 0.4), rel=0.1)


def test_coarse_noise_is_alike_in_neighbours():
    def neighbours(grain_px):
        noisy = replace(OPEN, read_noise=0.01, grain_px=grain_px)
        image = sensor(noisy).develop(grey(1.0), 0)[..., 1].astype(float)
        return np.corrcoef(image[:, 1:].ravel(), image[:, :-1].ravel())[0, 1]

    assert abs(neighbours(0.0)) < 0.05
    assert neighbours(4.0) > 0.5


def test_rays_without_tissue_are_black():
    light = grey(1.0)
    light[:, 80:] = np.nan
    image = sensor().develop(light, 0)
    assert image[64, 120].max() == 0
    assert image[64, 40].min() > 50
    assert np.isnan(light[:, 80:]).all()


def test_the_colour_matrix_is_applied_to_linear_light():
    warm = replace(OPEN, colour=((1.5, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 0.5)))
    red, green, blue = sensor(warm).develop(grey(1.0), 0)[64, 80].astype(float)
    assert (red / green) ** 2.2 == pytest.approx(1.5, rel=0.03)
    assert (blue / green) ** 2.2 == pytest.approx(0.5, rel=0.03)


def test_aberration_moves_red_outwards_and_blue_inwards():
    light = grey(0.05)
    light[:, 140:] = 0.5
    image = sensor(replace(OPEN, aberration=0.05)).develop(light, 0)
    edges = [int(np.argmax(image[64, :, channel] > 120)) for channel in range(3)]
    assert edges == [143, 140, 137]


def test_sharpening_leaves_a_halo_on_both_sides_of_an_edge():
    light = grey(0.05)
    light[:, 80:] = 0.2
    soft = replace(OPEN, lens_blur_px=4.0, tone=ToneCurve(knee=0.95))
    plain = sensor(soft).develop(light, 0)[64, :, 1].astype(int)
    sharp = sensor(replace(soft, sharpening=1.5, sharpening_px=6.0)).develop(light, 0)[64, :, 1].astype(int)
    assert sharp.max() > plain.max() + 5
    assert sharp.min() < plain.min() - 5
    assert abs(sharp[10] - plain[10]) <= 1


def test_glare_lights_the_dark_beside_the_bright():
    light = grey(0.0)
    light[:, 100:] = 1.0
    dark = [sensor(replace(OPEN, glare=glare)).develop(light, 0)[64, 80, 1] for glare in (0.0, 0.05, 0.15)]
    assert dark[0] == 0
    assert dark[0] < dark[1] < dark[2]


def test_local_adaptation_levels_bright_and_dark_halves():
    light = grey(0.02)
    light[:, 80:] = 0.4
    contrast = []
    for adaptation in (0.0, 0.3, 0.6):
        image = sensor(replace(OPEN, local_adaptation=adaptation)).develop(light, 0)
        contrast.append(image[64, 150, 1] / image[64, 10, 1])
    assert contrast[0] > contrast[1] > contrast[2] > 1


def test_bands_darken_rows_by_their_amplitude():
    banded = replace(OPEN, banding=0.4, banding_rows=128.0, tone=ToneCurve(gamma=1.0, knee=0.95), target=0.5)
    rows = sensor(banded).develop(grey(1.0), 0)[:, :, 1].mean(axis=1)
    assert rows.min() / rows.max() == pytest.approx(0.6, abs=0.02)
    spectrum = np.abs(np.fft.rfft(rows - rows.mean()))
    assert np.argmax(spectrum) == 4  # 128 rows of 512 are 32 of 128


def test_jpeg_loses_the_more_the_lower_its_quality():
    noisy = replace(OPEN, read_noise=0.01)
    clean = sensor(noisy).develop(textured(), 0).astype(float)
    loss = [
        np.abs(sensor(replace(noisy, jpeg_quality=quality)).develop(textured(), 0) - clean).mean()
        for quality in (95, 75, 50)
    ]
    assert 0.3 < loss[0] < loss[1] < loss[2]


def test_every_drawn_sensor_makes_video_that_shows_something():
    light = textured()
    for seed in range(60):
        settings = draw_sensor(np.random.default_rng(seed))
        camera = sensor(settings, seed)
        image = camera.develop(light, 0)
        assert image.dtype == np.uint8
        assert image.shape == (128, 160, 3)
        inside = image[camera.field_of_view]
        assert 8 < inside.mean() < 235
        assert inside.std() > 4


def test_drawn_sensors_are_seeded_and_differ():
    draws = [draw_sensor(np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert draws[0] == draws[1]
    assert draws[0] != draws[2]
