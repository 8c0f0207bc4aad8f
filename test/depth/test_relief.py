"""Relief of narrow views of real tissue is believed as far as it stands out from what it was wrong by."""

import math

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings

from endo_depth_ros.depth.relief import NO_DOUBT, OUTSTANDING, STRIDE, TINY, ReliefDoubt, weigh_relief, width_deg

NARROW, WIDE = 55.0, 85.0  # views beside the doubt's limits
DOUBT = ReliefDoubt(error=0.2, narrow_deg=60.0, wide_deg=80.0)
SIZE = 128


def disc(degrees: float, size: int = SIZE, right: float = 0.0) -> tuple[torch.Tensor, torch.Tensor]:
    """A round field of view that wide in a square image, and K of its stereographic pixels.

    right: how far the principal point is from the middle of the disc, in its radii.
    """
    radius = 0.45 * size
    focal = radius / (2 * math.tan(math.radians(degrees) / 4))
    middle = (size - 1) / 2
    v, u = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    inside = (u - middle).square() + (v - middle).square() <= radius**2
    return inside[None], torch.tensor([[[focal, 0, middle + right * radius], [0, focal, middle], [0, 0, 1.0]]])


def steps(inside: torch.Tensor, mean: float, relief: float) -> torch.Tensor:
    """Log depth of stripes that are in turn nearer and farther."""
    stripes = torch.arange(inside.shape[-1]) // STRIDE % 2 * 2.0 - 1
    return (mean + relief * stripes).expand(inside.shape)


@given(degrees=st.floats(20.0, 170.0))
@settings(max_examples=30, deadline=None)
def test_a_disc_is_as_wide_as_its_angle(degrees):
    assert width_deg(*disc(degrees)).item() == pytest.approx(degrees, rel=0.02)


def test_the_width_depends_neither_on_the_images_size_nor_on_the_principal_point():
    width = width_deg(*disc(70.0)).item()
    assert width_deg(*disc(70.0, 256)).item() == pytest.approx(width, rel=0.02)
    assert width_deg(*disc(70.0, right=0.3)).item() == pytest.approx(width, rel=1e-3)


@given(relief=st.floats(0.01, 1.0), error=st.floats(0.01, 1.0), sigma=st.floats(0.01, 1.0))
@settings(max_examples=50, deadline=None)
def test_relief_is_kept_by_its_size_beside_the_error_and_sigma_grows(relief, error, sigma):
    # All of the square, so that as much of it is near as far and the mean is in the middle.
    inside, K = torch.ones(1, SIZE, SIZE, dtype=torch.bool), disc(NARROW)[1]
    log_depth = steps(inside, math.log(0.05), relief)
    doubt = ReliefDoubt(error, 75.0, 80.0)
    depth, spread = weigh_relief(log_depth, torch.full_like(log_depth, sigma), inside, K, doubt)
    likely = relief**2 + relief**4 / OUTSTANDING**2 + TINY
    expected = steps(inside, math.log(0.05), relief * likely / (likely + error**2))
    torch.testing.assert_close(depth, expected, rtol=0, atol=1e-3 * relief)
    wider = error**2 * (likely + error**2) / (likely + 2 * error**2)
    torch.testing.assert_close(spread, torch.full_like(spread, math.sqrt(sigma**2 + wider)), rtol=1e-3, atol=0)


def test_an_instrument_stays_in_front_and_leaves_the_tissue_as_it_was():
    inside, K = disc(NARROW)
    tissue = steps(inside, -3.0, 0.1)
    tool = torch.zeros_like(inside)
    tool[:, 80:, :60] = True
    sigma = torch.full(inside.shape, 0.05)
    alone, _ = weigh_relief(tissue, sigma, inside, K, DOUBT)
    beside, _ = weigh_relief(torch.where(tool, tissue - 0.9, tissue), sigma, inside, K, DOUBT)
    kept = inside & ~tool
    assert tissue[kept].std() > 2 * beside[kept].std()
    assert beside[kept].std() < 1.6 * alone[kept].std()
    assert (beside - alone)[kept].abs().max() < 0.03
    assert (beside[kept].mean() - beside[inside & tool].mean()).item() == pytest.approx(0.9, abs=0.05)


def test_the_order_of_depths_stays():
    inside, K = disc(NARROW)
    ramp = torch.linspace(-4.0, -2.0, SIZE).expand(inside.shape)
    depth, _ = weigh_relief(ramp, torch.full(inside.shape, 0.05), inside, K, DOUBT)
    assert (depth.diff(dim=-1) > 0).all()


def test_wide_views_stay_as_they_are():
    inside, K = disc(WIDE)
    log_depth, sigma = steps(inside, -3.0, 0.2), torch.full(inside.shape, 0.1)
    for ours, expected in zip(weigh_relief(log_depth, sigma, inside, K, DOUBT), (log_depth, sigma), strict=True):
        torch.testing.assert_close(ours, expected)


def test_without_doubt_nothing_is_computed():
    inside, K = disc(NARROW)
    log_depth, sigma = steps(inside, -3.0, 0.2), torch.full(inside.shape, 0.1)
    depth, spread = weigh_relief(log_depth, sigma, inside, K, NO_DOUBT)
    assert depth is log_depth
    assert spread is sigma


def test_the_doubt_falls_linearly_from_narrow_to_wide():
    widths = torch.tensor([10.0, 60.0, 65.0, 70.0, 80.0, 120.0])
    torch.testing.assert_close(DOUBT.of(widths), torch.tensor([0.2, 0.2, 0.15, 0.1, 0.0, 0.0]))


@pytest.mark.parametrize("other", [5.0, math.nan, -math.inf])
def test_what_is_outside_says_nothing(other):
    inside, K = disc(NARROW)
    log_depth, sigma = steps(inside, -3.0, 0.2), torch.full(inside.shape, 0.1)
    strange = torch.where(inside, log_depth, torch.tensor(other))
    for ours, expected in zip(
        weigh_relief(strange, sigma, inside, K, DOUBT), weigh_relief(log_depth, sigma, inside, K, DOUBT), strict=True
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
def test_a_flat_wall_stays_where_it_is_and_is_no_surer_than_the_doubt_allows(degrees):
    inside, K = disc(degrees)
    flat = torch.full(inside.shape, -3.0)
    depth, spread = weigh_relief(flat, torch.full(inside.shape, 0.1), inside, K, DOUBT)
    torch.testing.assert_close(depth, flat)
    error = DOUBT.of(width_deg(inside, K)).item()
    torch.testing.assert_close(spread, torch.full(inside.shape, math.sqrt(0.01 + error**2 / 2)), rtol=1e-2, atol=0)


def test_an_image_without_a_field_of_view_stays_as_it_is():
    inside, K = disc(NARROW)
    log_depth, sigma = steps(inside, -3.0, 0.2), torch.full(inside.shape, 0.1)
    for ours, expected in zip(
        weigh_relief(log_depth, sigma, torch.zeros_like(inside), K, DOUBT), (log_depth, sigma), strict=True
    ):
        torch.testing.assert_close(ours, expected)


@pytest.mark.parametrize("degrees", [NARROW, WIDE])
def test_float16_can_hold_what_is_computed(degrees):
    inside, K = disc(degrees, 512)
    log_depth, sigma = steps(inside, -3.0, 0.2), torch.full(inside.shape, 0.1)
    ours = weigh_relief(log_depth.half(), sigma.half(), inside, K.half(), DOUBT)
    for half, expected in zip(ours, weigh_relief(log_depth, sigma, inside, K, DOUBT), strict=True):
        torch.testing.assert_close(half.float()[inside], expected[inside], rtol=0, atol=0.02)


@pytest.mark.parametrize(
    "doubt",
    [(-0.1, 60.0, 80.0), (math.nan, 60.0, 80.0), (11.0, 60.0, 80.0), (0.1, 80.0, 60.0), (0.1, 60.0, 1e39),
     (0.1, math.nan, 80.0), (0.0, 0.0, 0.0)],
)  # fmt: skip
def test_what_can_not_be_meant_is_said(doubt):
    assert "but" in ReliefDoubt(*doubt).complaint()
    assert DOUBT.complaint() == NO_DOUBT.complaint() == ""
