"""The motion that agrees with matches: exact where they are, as sure as they are, not moved by a few wrong ones."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from endo_depth_ros.pose.lie import exp_se3
from endo_depth_ros.pose.rigid_fit import Matches, exp_twist, fit_motion, inverse, move, project

K = torch.tensor([[[100.0, 0, 80], [0, 110, 60], [0, 0, 1]]])
STILL = torch.eye(4)[None]


def matches(T: torch.Tensor, sigma: float = 0.0, log_b: float = -3.0, count: int = 400) -> Matches:
    generator = torch.Generator().manual_seed(1)
    points = torch.rand(1, count, 3, generator=generator) * torch.tensor([1.5, 1.2, 1.0]) - torch.tensor(
        [0.75, 0.6, -0.6]
    )
    pixels = project(move(T, points), K) + sigma * torch.randn(1, count, 2, generator=generator)
    return Matches(points, pixels, torch.full((1, count), log_b), torch.ones(1, count, dtype=torch.bool), K)


@given(st.lists(st.floats(-0.12, 0.12), min_size=6, max_size=6))
@settings(max_examples=20, deadline=None)
def test_a_motion_is_found_again(twist: list[float]) -> None:
    T = exp_twist(torch.tensor([twist]))
    found, _ = fit_motion(matches(T), STILL, rounds=8)
    torch.testing.assert_close(found, T, atol=2e-3, rtol=0)


def test_the_exponential_is_that_of_the_tracker() -> None:
    twist = np.array([0.1, -0.2, 0.3, 0.4, -0.5, 0.6])
    T = exp_twist(torch.from_numpy(twist)[None])[0]
    np.testing.assert_allclose(T.numpy(), exp_se3(twist), atol=1e-12)
    np.testing.assert_allclose((inverse(T[None])[0] @ T).numpy(), np.eye(4), atol=1e-12)


def test_without_points_the_camera_stands_still() -> None:
    nothing = matches(exp_twist(torch.full((1, 6), 0.1)))
    found, information = fit_motion(nothing._replace(known=torch.zeros(1, 400, dtype=torch.bool)), STILL, rounds=3)
    torch.testing.assert_close(found, STILL)
    assert information[0].diagonal().max() < 100


def test_one_point_in_five_may_be_wrong() -> None:
    T = exp_twist(torch.tensor([[0.05, -0.03, 0.1, 0.1, 0.0, -0.1]]))
    right = matches(T, sigma=0.2, log_b=-1.5)
    pixels = right.pixels.clone()
    pixels[:, ::5] += 15.0
    found, _ = fit_motion(right._replace(pixels=pixels), STILL, rounds=15)
    torch.testing.assert_close(found, T, atol=0.02, rtol=0)


@pytest.mark.parametrize("sigma", [0.1, 0.5])
def test_the_covariance_is_that_of_the_errors(sigma: float) -> None:
    T = exp_twist(torch.tensor([[0.02, 0.03, -0.05, 0.02, 0.05, 0.1]]))
    one = matches(T, count=200, log_b=float(np.log(sigma / np.sqrt(3))))
    many = Matches(*(value.expand(300, *value.shape[1:]) for value in one))
    noise = sigma * torch.randn(many.pixels.shape, generator=torch.Generator().manual_seed(2))
    # Huber's weights lower the information of normal errors; half of it is left at least.
    found, information = fit_motion(many._replace(pixels=many.pixels + noise), STILL.expand(300, 4, 4), rounds=8)
    difference = found @ inverse(T)
    twist = torch.stack([difference[:, 2, 1], difference[:, 0, 2], difference[:, 1, 0], *difference[:, :3, 3].T], 1)
    squared = torch.einsum("bi,bij,bj->b", twist, information, twist)
    assert 1.5 < float(squared.mean()) < 9


def test_gradients_lead_from_the_motion_to_the_matches() -> None:
    T = exp_twist(torch.tensor([[0.0, 0.0, 0.0, 0.1, 0.0, 0.0]]))
    some = matches(T)
    pixels = some.pixels.clone().requires_grad_()
    found, _ = fit_motion(some._replace(pixels=pixels), STILL, rounds=6)
    (gradient,) = torch.autograd.grad(found[0, 0, 3], pixels)
    moved = pixels.detach() + 0.01 * gradient / gradient.norm()
    after, _ = fit_motion(some._replace(pixels=moved), STILL, rounds=6)
    assert float(after[0, 0, 3]) > float(found[0, 0, 3].detach())
