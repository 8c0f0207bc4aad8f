"""Brightness that one frame has and the next one hasn't is found from points that belong together."""

from __future__ import annotations

import pytest
import torch

from endo_depth_ros.pose.brightness import fit_brightness


@pytest.mark.parametrize(("gain", "offset"), [(1.0, 0.0), (1.4, -0.1), (0.6, 0.2)])
def test_gain_and_offset_come_back(gain: float, offset: float) -> None:
    second = torch.rand(2, 3, 500, generator=torch.Generator().manual_seed(0))
    found = fit_brightness(gain * second + offset, second, torch.ones(2, 500))
    torch.testing.assert_close(found[0], torch.full((2,), gain), atol=1e-4, rtol=0)
    torch.testing.assert_close(found[1], torch.full((2,), offset), atol=1e-4, rtol=0)


def test_points_of_no_weight_have_no_say() -> None:
    second = torch.rand(1, 3, 100, generator=torch.Generator().manual_seed(0))
    first = 2 * second
    first[:, :, 50:] = 0.3
    weight = (torch.arange(100) < 50).float()[None]
    gain, offset = fit_brightness(first, second, weight)
    assert float(gain) == pytest.approx(2, abs=1e-4)
    assert float(offset) == pytest.approx(0, abs=1e-4)


def test_nothing_is_known_without_points() -> None:
    gain, offset = fit_brightness(torch.rand(1, 3, 9), torch.rand(1, 3, 9), torch.zeros(1, 9))
    assert (float(gain), float(offset)) == (1.0, 0.0)
