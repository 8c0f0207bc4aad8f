"""Dark, saturated and specular pixels."""

import numpy as np

from endo_depth_ros.imaging.exposure import dilate, judge_exposure


def tissue() -> np.ndarray:
    return np.full((64, 96, 3), (190, 90, 75), np.uint8)


def test_even_tissue_is_good_everywhere():
    assert judge_exposure(tissue(), 6, 250).good.all()


def test_a_white_spot_on_tissue_is_specular_with_its_halo():
    image = tissue()
    image[30:33, 40:43] = 230
    specular = judge_exposure(image, 6, 250).specular
    assert specular[28:35, 38:45].all()
    assert specular.sum() == 7 * 7


def test_an_evenly_white_wall_is_no_highlight():
    assert not judge_exposure(np.full((64, 96, 3), 204, np.uint8), 6, 250).specular.any()


def test_one_channel_at_the_limit_is_saturated():
    image = tissue()
    image[5, 7, 0] = 255
    assert np.argwhere(judge_exposure(image, 6, 250).saturated).tolist() == [[5, 7]]


def test_the_dark_level_itself_is_dark():
    image = np.array([[[6, 0, 3], [7, 0, 3]]], np.uint8)
    assert judge_exposure(image, 6, 250).dark.tolist() == [[True, False]]


def test_dilation_is_a_square():
    mask = np.zeros((9, 9), bool)
    mask[4, 4] = True
    assert dilate(mask, 2).sum() == 25
