"""The rigid motion that agrees with matches of points of known depth, differentiable, in batches (PyTorch)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

# What a motion may be before anything is seen, one standard deviation: radians, and median depths of the first frame.
TURN_SIGMA, SHIFT_SIGMA = 0.3, 0.5
# Residuals beyond so many Laplace scales count no more than in proportion.
LINEAR_FROM = 1.0
NEAREST = 0.05  # z behind which a point counts as behind the camera, median depths


class Matches(NamedTuple):
    """Points seen by a first camera and where a second one sees them.

    points: [B, N, 3], in the first camera. pixels: [B, N, 2], in the second image. log_b: [B, N], log of the Laplace
    scale of the pixels' error. known: [B, N], bool, False for what doesn't count. K: [B, 3, 3].
    """

    points: Tensor
    pixels: Tensor
    log_b: Tensor
    known: Tensor
    K: Tensor


def fit_motion(matches: Matches, start: Tensor, rounds: int) -> tuple[Tensor, Tensor]:
    """T_second_first [B, 4, 4] and the inverse covariance [B, 6, 6] of its twist from the left, rotation first.

    start: [B, 4, 4]. Gauss-Newton with Huber's weights and a prior that the camera stands still. Gradients pass through
    the last round only: at the optimum it depends on the matches as the whole fit does.
    """
    with torch.no_grad():
        T = start
        for _ in range(rounds - 1):
            T, _ = _step(matches, T)
    return _step(matches, T)


def project(points: Tensor, K: Tensor) -> Tensor:
    """Pixels [B, N, 2] of points [B, N, 3]."""
    z = points[..., 2:].clamp_min(NEAREST)
    return points[..., :2] / z * torch.stack([K[:, 0, 0], K[:, 1, 1]], -1)[:, None] + K[:, None, :2, 2]


def move(T: Tensor, points: Tensor) -> Tensor:
    """Points [B, N, 3] by T [B, 4, 4]."""
    return points @ T[:, :3, :3].transpose(1, 2) + T[:, None, :3, 3]


def exp_twist(twist: Tensor) -> Tensor:
    """T [B, 4, 4] of twists [B, 6], rotation first."""
    x, y, z, a, b, c = twist.unbind(-1)
    o = torch.zeros_like(x)
    rows = [o, -z, y, a, z, o, -x, b, -y, x, o, c, o, o, o, o]
    return torch.linalg.matrix_exp(torch.stack(rows, -1).view(-1, 4, 4))


def inverse(T: Tensor) -> Tensor:
    """Of rigid transforms [B, 4, 4]."""
    R = T[:, :3, :3].transpose(1, 2)
    upper = torch.cat([R, -R @ T[:, :3, 3:]], 2)
    return torch.cat([upper, T[:, 3:]], 1)


def small_twist(T: Tensor) -> Tensor:
    """The twist [B, 6] of a small motion [B, 4, 4], to first order."""
    R = T[:, :3, :3]
    turn = torch.stack([R[:, 2, 1] - R[:, 1, 2], R[:, 0, 2] - R[:, 2, 0], R[:, 1, 0] - R[:, 0, 1]], -1) / 2
    return torch.cat([turn, T[:, :3, 3]], -1)


def _step(matches: Matches, T: Tensor) -> tuple[Tensor, Tensor]:
    points = move(T, matches.points)
    ahead = matches.known & (points[..., 2] > NEAREST)
    residual = project(points, matches.K) - matches.pixels
    b = matches.log_b.exp()
    linear = (LINEAR_FROM * b / residual.detach().norm(dim=-1).clamp_min(1e-6)).clamp_max(1)
    weight = torch.where(ahead, linear / (3 * b * b), 0.0)  # r exp(-r / b) has the variance 3 b^2 along an axis
    J = _jacobian(points, matches.K)  # [B, N, 2, 6]
    JW = J * weight[..., None, None]
    prior = torch.tensor([TURN_SIGMA**-2] * 3 + [SHIFT_SIGMA**-2] * 3, dtype=T.dtype, device=T.device)
    H = torch.einsum("bnri,bnrj->bij", JW, J) + torch.diag(prior)
    g = torch.einsum("bnri,bnr->bi", JW, residual) + prior * small_twist(T)
    twist = torch.linalg.solve(H, -g).clamp(-1, 1)
    return exp_twist(twist) @ T, H


def _jacobian(points: Tensor, K: Tensor) -> Tensor:
    """Of pixels with respect to a twist of the points from the left, [B, N, 2, 6]."""
    z = points[..., 2].clamp_min(NEAREST)
    x, y = points[..., 0] / z, points[..., 1] / z
    o = torch.zeros_like(x)
    across = torch.stack([-x * y, 1 + x * x, -y, 1 / z, o, -x / z], -1) * K[:, None, 0, :1]
    down = torch.stack([-1 - y * y, x * y, x, o, 1 / z, -y / z], -1) * K[:, None, 1, 1:2]
    return torch.stack([across, down], -2)
