"""Dark, saturated and specular pixels."""

import numpy as np
import pytest

from endo_depth_ros.imaging.exposure import dilate, judge_exposure

SHAPE = (64, 96)


def tissue() -> np.ndarray:
    return np.full((*SHAPE, 3), (190, 90, 75), np.uint8)


def judge(image, inside=None):
    return judge_exposure(image, np.ones(image.shape[:2], bool) if inside is None else inside, 6, 250)


def test_even_tissue_is_good_everywhere():
    assert judge(tissue()).good.all()


def test_a_white_spot_on_tissue_is_specular_with_its_halo():
    image = tissue()
    image[30:33, 40:43] = 230
    specular = judge(image).specular
    assert specular[28:35, 38:45].all()
    assert specular.sum() == 7 * 7


def test_an_evenly_white_wall_is_no_highlight():
    assert not judge(np.full((64, 96, 3), 204, np.uint8)).specular.any()


def test_pale_tissue_at_the_black_rim_is_no_highlight():
    image, inside = np.full((*SHAPE, 3), (220, 190, 185), np.uint8), np.ones(SHAPE, bool)
    image[:, :30], inside[:, :30] = 0, False
    assert not (judge(image, inside).specular & inside).any()
    assert judge(image).specular.any()


@pytest.mark.parametrize("full", [(0, 1), (1, 2), (0, 2), (0, 1, 2)])
def test_two_full_channels_are_saturated_and_one_is_not(full):
    image = tissue()
    image[5, 7, list(full)] = 250
    image[9, 9, full[0]] = 255
    assert np.argwhere(judge(image).saturated).tolist() == [[5, 7]]


def test_the_dark_level_itself_is_dark():
    image = np.array([[[6, 0, 3], [7, 0, 3]]], np.uint8)
    assert judge(image).dark.tolist() == [[True, False]]


def test_dilation_is_a_square():
    mask = np.zeros((9, 9), bool)
    mask[4, 4] = True
    assert dilate(mask, 2).sum() == 25
