"""Relief of narrow views of real tissue is believed as far as it stands out from what it was wrong by."""

import math

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings

from endo_depth_ros.depth.relief import ReliefDoubt, weigh_relief, width_deg

NARROW, WIDE = 55.0, 85.0  # views beside the doubt's limits
DOUBT = ReliefDoubt(error=0.2, narrow_deg=60.0, wide_deg=80.0)
SIZE = 128


def disc(degrees: float, size: int = SIZE) -> tuple[torch.Tensor, torch.Tensor]:
    """A round field of view that wide in the middle of a square image, and K of its stereographic pixels."""
    radius = 0.45 * size
    focal = radius / (2 * math.tan(math.radians(degrees) / 4))
    middle = (size - 1) / 2
    v, u = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    inside = (u - middle).square() + (v - middle).square() <= radius**2
    return inside[None], torch.tensor([[[focal, 0, middle], [0, focal, middle], [0, 0, 1.0]]])


def steps(inside: torch.Tensor, mean: float, relief: float) -> torch.Tensor:
    """Log depth of columns that are in turn nearer and farther; an even number of pixels is inside."""
    columns = torch.arange(inside.shape[-1]) % 2 * 2.0 - 1
    return (mean + relief * columns).expand(inside.shape)


@given(degrees=st.floats(20.0, 170.0))
@settings(max_examples=30, deadline=None)
def test_a_disc_is_as_wide_as_its_angle(degrees):
    inside, K = disc(degrees)
    assert width_deg(inside, K).item() == pytest.approx(degrees, rel=0.02)


def test_the_width_does_not_depend_on_the_size_of_the_image():
    assert width_deg(*disc(70.0, 64)).item() == pytest.approx(width_deg(*disc(70.0, 256)).item(), rel=0.02)


@given(relief=st.floats(0.01, 1.0), error=st.floats(0.01, 1.0), sigma=st.floats(0.01, 1.0))
@settings(max_examples=50, deadline=None)
def test_depth_and_sigma_are_those_of_a_normal_prior_and_a_normal_look(relief, error, sigma):
    inside, K = disc(NARROW)
    log_depth = steps(inside, math.log(0.05), relief)
    depth, spread = weigh_relief(log_depth, torch.full_like(log_depth, sigma), inside, K, ReliefDoubt(error))
    share = relief**2 / (relief**2 + error**2)
    expected = steps(inside, math.log(0.05), share * relief)
    torch.testing.assert_close(depth[inside], expected[inside], rtol=1e-4, atol=1e-4)
    there = spread[0, SIZE // 2, SIZE // 2].item()
    assert there == pytest.approx(math.sqrt(sigma**2 + share * error**2), rel=1e-3)


def test_wide_views_stay_as_they_are():
    inside, K = disc(WIDE)
    log_depth, sigma = steps(inside, -3.0, 0.2), torch.full(inside.shape, 0.1)
    for ours, expected in zip(weigh_relief(log_depth, sigma, inside, K, DOUBT), (log_depth, sigma), strict=True):
        torch.testing.assert_close(ours, expected)


def test_without_doubt_nothing_is_computed():
    inside, K = disc(NARROW)
    log_depth, sigma = steps(inside, -3.0, 0.2), torch.full(inside.shape, 0.1)
    depth, spread = weigh_relief(log_depth, sigma, inside, K, ReliefDoubt())
    assert depth is log_depth
    assert spread is sigma


def test_the_doubt_falls_linearly_from_narrow_to_wide():
    widths = torch.tensor([10.0, 60.0, 65.0, 70.0, 80.0, 120.0])
    torch.testing.assert_close(DOUBT.of(widths), torch.tensor([0.2, 0.2, 0.15, 0.1, 0.0, 0.0]))


def test_what_is_outside_says_nothing():
    inside, K = disc(NARROW)
    log_depth, sigma = steps(inside, -3.0, 0.2), torch.full(inside.shape, 0.1)
    other = torch.where(inside, log_depth, torch.tensor(5.0))
    for ours, expected in zip(
        weigh_relief(other, sigma, inside, K, DOUBT), weigh_relief(log_depth, sigma, inside, K, DOUBT), strict=True
    ):
        torch.testing.assert_close(ours[inside], expected[inside])


def test_images_of_a_batch_are_weighed_each_by_itself():
    views = [disc(NARROW), disc(70.0), disc(WIDE)]
    inside, K = (torch.cat(parts) for parts in zip(*views, strict=True))
    log_depth = torch.cat([steps(inside[:1], -3.0, relief) for relief in (0.1, 0.3, 0.6)])
    sigma = torch.full_like(log_depth, 0.1)
    together = weigh_relief(log_depth, sigma, inside, K, DOUBT)
    for i, (view, camera) in enumerate(views):
        alone = weigh_relief(log_depth[i : i + 1], sigma[i : i + 1], view, camera, DOUBT)
        for ours, expected in zip(together, alone, strict=True):
            torch.testing.assert_close(ours[i : i + 1], expected)


@pytest.mark.parametrize("degrees", [NARROW, 70.0, WIDE])
def test_a_flat_wall_stays_where_it_is(degrees):
    inside, K = disc(degrees)
    flat = torch.full(inside.shape, -3.0)
    depth, spread = weigh_relief(flat, torch.full(inside.shape, 0.1), inside, K, DOUBT)
    torch.testing.assert_close(depth, flat)
    torch.testing.assert_close(spread, torch.full(inside.shape, 0.1))


def test_an_image_without_a_field_of_view_stays_finite():
    inside, K = disc(NARROW)
    nothing, log_depth = torch.zeros_like(inside), steps(inside, -3.0, 0.2)
    for values in weigh_relief(log_depth, torch.full(inside.shape, 0.1), nothing, K, DOUBT):
        assert values.isfinite().all()
