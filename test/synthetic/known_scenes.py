"""Scenes whose depth is known in closed form, and tubes that are built once for all tests."""

from functools import lru_cache

import torch

from endo_depth_ros.synthetic.folded_tube import FoldedTube


@lru_cache(maxsize=8)
def tube(seed):
    """The folded tube of a seed."""
    return FoldedTube(seed)


class Wall:
    """Tissue behind a plane: normal [3] towards the free space, distance from the world's origin."""

    steepness = 1.0
    extent = 1.0

    def __init__(self, distance, normal=(0.0, 0.0, -1.0)):
        self.normal = torch.nn.functional.normalize(torch.tensor(normal, dtype=torch.float32), dim=0)
        self.distance = distance

    def clearance(self, points):
        return self.normal @ points + self.distance

    def albedo(self, points):
        return torch.full_like(points, 0.5)


class Bubble:
    """Free space inside a sphere around the world's origin."""

    steepness = 1.0
    extent = 1.0

    def __init__(self, radius):
        self.radius = radius

    def clearance(self, points):
        return self.radius - points.norm(dim=0)

    def albedo(self, points):
        return torch.full_like(points, 0.5)
