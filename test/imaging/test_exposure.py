"""Dark, saturated and specular pixels."""

import torch

from endo_depth_ros.imaging.exposure import dilate, judge_exposure

TISSUE = torch.tensor([0.75, 0.35, 0.30])


def tissue() -> torch.Tensor:
    return TISSUE.view(1, 3, 1, 1).expand(1, 3, 64, 96).clone()


def test_even_tissue_is_good_everywhere():
    assert judge_exposure(tissue(), 6, 250).good.all()


def test_a_white_spot_on_tissue_is_specular_with_its_halo():
    images = tissue()
    images[:, :, 30:33, 40:43] = 0.9
    specular = judge_exposure(images, 6, 250).specular[0]
    assert specular[28:35, 38:45].all()
    assert specular.sum() == 7 * 7


def test_an_evenly_white_wall_is_no_highlight():
    assert not judge_exposure(torch.full((1, 3, 64, 96), 0.8), 6, 250).specular.any()


def test_one_channel_at_the_limit_is_saturated():
    images = tissue()
    images[:, 0, 5, 5] = 1.0
    assert judge_exposure(images, 6, 250).saturated.nonzero().tolist() == [[0, 5, 5]]


def test_levels_are_those_of_eight_bit_images():
    images = torch.tensor([6, 7]).view(1, 1, 1, 2).expand(1, 3, 1, 2) / 255
    assert judge_exposure(images, 6, 250).dark[0, 0].tolist() == [True, False]


def test_dilation_is_a_square():
    mask = torch.zeros(1, 9, 9, dtype=torch.bool)
    mask[0, 4, 4] = True
    assert dilate(mask, 2).sum() == 25
