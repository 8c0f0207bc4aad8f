"""Moves points out of tissue and away from walls."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def _sphere(count: int) -> NDArray[np.float64]:
    """Unit vectors [count, 3] spread evenly (Fibonacci's spiral)."""
    i = np.arange(count) + 0.5
    z, turn = 1 - 2 * i / count, np.pi * (1 + np.sqrt(5)) * i
    rho = np.sqrt(1 - z * z)
    return np.stack([rho * np.cos(turn), rho * np.sin(turn), z], axis=1)


PROBES = _sphere(26)


def is_clear(
    clearance: Callable[[Tensor], Tensor], points: NDArray[np.float64], margin: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Whether each point [N, 3] and what is `margin` metres [N] around it is free, [N]."""
    free = _free(clearance, points, margin).all(axis=1)
    centre = clearance(torch.tensor(points.T, dtype=torch.float32)).cpu().numpy() > 0
    return free & centre


def keep_clear(
    clearance: Callable[[Tensor], Tensor], points: NDArray[np.float64], margin: NDArray[np.float64], rounds: int = 40
) -> NDArray[np.float64]:
    """Points [N, 3] moved until what is `margin` metres [N] around them is free, or as nearly as `rounds` allow.

    Probes on a sphere rather than the gradient of clearance: that is not a distance, and jumps at edges.
    """
    points = np.array(points, np.float64)
    todo = np.arange(len(points))
    for _ in range(rounds):
        free = _free(clearance, points[todo], margin[todo])
        todo, free = todo[~free.all(axis=1)], free[~free.all(axis=1)]
        if len(todo) == 0:
            break
        blocked = (~free).astype(np.float64)
        away = -(blocked @ PROBES) / blocked.sum(axis=1, keepdims=True)
        buried = free.sum(axis=1) == 0
        away[buried] = _uphill(clearance, points[todo[buried]])
        points[todo] += 0.35 * margin[todo, None] * away
    return points


def first_wall(
    clearance: Callable[[Tensor], Tensor], points: NDArray[np.float64], direction: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How far it is, metres [N], from points [N, 3] to tissue along a direction [3] or [N, 3]; at most 12 cm."""
    distances = 0.0005 * 1.16 ** np.arange(38)
    along = points[:, None] + distances[:, None] * np.broadcast_to(direction, points.shape)[:, None]
    values = clearance(torch.tensor(along.reshape(-1, 3).T, dtype=torch.float32)).cpu().numpy()
    buried = values.reshape(len(points), -1) <= 0
    return np.where(buried.any(axis=1), distances[buried.argmax(axis=1)] / 1.16, distances[-1])


def _free(
    clearance: Callable[[Tensor], Tensor], points: NDArray[np.float64], margin: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Whether the probes around each point are free, [N, 26]."""
    around = points[:, None] + margin[:, None, None] * PROBES
    values = clearance(torch.tensor(around.reshape(-1, 3).T, dtype=torch.float32))
    return values.cpu().numpy().reshape(len(points), -1) > 0


def _uphill(clearance: Callable[[Tensor], Tensor], points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit directions [N, 3] in which clearance grows."""
    step = 5e-4
    around = points[:, None] + step * np.concatenate([np.eye(3), -np.eye(3)])
    values = clearance(torch.tensor(around.reshape(-1, 3).T, dtype=torch.float32)).cpu().numpy().reshape(-1, 6)
    gradient = values[:, :3] - values[:, 3:]
    return gradient / np.maximum(np.linalg.norm(gradient, axis=1, keepdims=True), 1e-12)
