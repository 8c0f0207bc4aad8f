"""Losses against closed forms."""

from __future__ import annotations

import pytest
import torch

from training.losses import (
    LossSettings,
    gradient_loss,
    laplace_loss,
    scale_loss,
    shape_loss,
    temporal_loss,
    total_loss,
)

ALL = torch.ones(2, 16, 16, dtype=torch.bool)


def test_a_wrong_scale_is_no_wrong_shape() -> None:
    error = torch.tensor([0.7, -0.3])[:, None, None].expand(2, 16, 16)
    assert float(shape_loss(error, ALL)) == pytest.approx(0, abs=1e-6)
    assert float(scale_loss(error, ALL)) == pytest.approx(0.5)


def test_shape_costs_the_mean_distance_from_the_median() -> None:
    error = torch.linspace(0.2, 1.2, 256).reshape(1, 16, 16)
    assert float(shape_loss(error, ALL[:1])) == pytest.approx(0.25, abs=0.01)


def test_a_few_pixels_that_are_far_off_cost_no_more_than_their_share() -> None:
    error = torch.zeros(1, 16, 16)
    error[0, 1, :8] = 2.0
    assert float(shape_loss(error, ALL[:1])) == pytest.approx(2.0 * 8 / 256)


def test_what_is_not_valid_costs_neither_shape_nor_scale() -> None:
    valid = ALL[:1].clone()
    valid[:, 8:] = False
    error = torch.where(valid, 0.4, 0.0)
    assert float(shape_loss(error, valid)) == pytest.approx(0, abs=1e-6)
    assert float(scale_loss(error, valid)) == pytest.approx(0.4)


def test_a_ramp_costs_its_slope_at_every_scale() -> None:
    x = torch.arange(16.0) * 0.1
    error = x.expand(2, 16, 16).clone()
    steps = [0.1 * 2**s * (16 // 2**s - 1) / (16 // 2**s) for s in range(3)]
    assert float(gradient_loss(error, ALL, scales=3)) == pytest.approx(sum(steps) / 3, rel=1e-5)


def test_edges_to_invalid_pixels_do_not_count() -> None:
    valid = ALL.clone()
    valid[:, :, 8:] = False
    error = torch.where(valid, 0.0, 5.0)
    assert float(gradient_loss(error, valid, scales=4)) == 0.0


def test_the_likelihood_is_best_where_b_is_the_mean_error() -> None:
    error = torch.randn(1, 64, 64).exp() * 0.1
    error = error - error.flatten()[::1].median()
    valid = torch.ones(1, 64, 64, dtype=torch.bool)
    best = float(error.abs().mean().log())
    losses = {step: float(laplace_loss(error, torch.full_like(error, best + step), valid)) for step in (-0.3, 0.0, 0.3)}
    assert losses[0.0] < min(losses[-0.3], losses[0.3])
    assert losses[0.0] == pytest.approx(1 + best, abs=0.05)


def test_sigma_knows_nothing_of_the_scale() -> None:
    noise, log_b = torch.randn(2, 16, 16) * 0.1, torch.full((2, 16, 16), -2.0)
    plain, shifted = laplace_loss(noise, log_b, ALL), laplace_loss(noise + 1.5, log_b, ALL)
    assert float(plain) == pytest.approx(float(shifted), abs=1e-4)


def test_the_likelihood_does_not_move_depth() -> None:
    log_depth = torch.randn(2, 16, 16, requires_grad=True)
    log_b = torch.zeros(2, 16, 16, requires_grad=True)
    laplace_loss(log_depth - 1.0, log_b, ALL).backward()
    assert log_depth.grad is None
    assert log_b.grad is not None


def test_unsteady_scale_costs_its_difference_in_pairs_only() -> None:
    error = torch.tensor([0.1, 0.3, 0.9, 0.2])[:, None, None].expand(4, 16, 16)
    valid = torch.ones(4, 16, 16, dtype=torch.bool)
    assert float(temporal_loss(error, valid, torch.tensor([5, 5, -1, -1]))) == pytest.approx(0.2)
    assert float(temporal_loss(error, valid, torch.tensor([-1, -1, -1, -1]))) == 0.0
    assert float(temporal_loss(error, valid, torch.tensor([5, 5, 6, 6]))) == pytest.approx((0.2 + 0.7) / 2)


def test_images_without_truth_do_not_count() -> None:
    truth = torch.full((2, 16, 16), -3.0)
    depth = truth + torch.randn(2, 16, 16) * 0.1
    valid = ALL.clone()
    valid[1] = False
    pair, log_b = torch.tensor([-1, -1]), torch.full((2, 16, 16), -2.0)
    one = total_loss(depth[:1], log_b[:1], truth[:1], valid[:1], pair[:1], LossSettings()).total
    both = total_loss(depth, log_b, truth, valid, pair, LossSettings()).total
    assert float(both) == pytest.approx(float(one), rel=1e-5)


def test_a_batch_without_truth_costs_nothing_and_has_a_gradient() -> None:
    depth = torch.randn(2, 16, 16, requires_grad=True)
    loss = total_loss(depth, torch.zeros(2, 16, 16), depth.detach(), ~ALL, torch.tensor([3, 3]), LossSettings()).total
    loss.backward()
    assert float(loss.detach()) == 0.0
    assert depth.grad is not None
    assert torch.isfinite(depth.grad).all()
