"""Fields whose depth is known in closed form, and a body that is baked once for all tests."""

from functools import lru_cache

import numpy as np
import torch

from endo_depth_ros.synthetic.anatomy import Anatomy
from endo_depth_ros.synthetic.scene import Scene
from endo_depth_ros.synthetic.tissue import Tissue
from endo_depth_ros.synthetic.voxel_field import bake


class Wall:
    """Tissue behind a plane: normal [3] towards the free space, distance from the world's origin."""

    steepness = 1.0
    extent = 1.0
    finest = 3e-4

    def __init__(self, distance, normal=(0.0, 0.0, -1.0)):
        self.normal = torch.nn.functional.normalize(torch.tensor(normal, dtype=torch.float32), dim=0)
        self.distance = distance

    def clearance(self, points):
        return self.normal @ points + self.distance


class Bubble:
    """Free space inside a sphere around the world's origin."""

    steepness = 1.0
    extent = 1.0
    finest = 3e-4

    def __init__(self, radius):
        self.radius = radius

    def clearance(self, points):
        return self.radius - points.norm(dim=0)


def folded_clearance(points):
    """A tube of 20 mm radius along z from -20 to 100 mm, narrowed every 20 mm by a fold; steeper than a distance."""
    x, y, z = points
    folds = 0.006 * torch.exp(-((((z % 0.02) - 0.01) / 0.002) ** 2))
    wall = 0.02 - torch.hypot(x, y) - folds
    return torch.minimum(wall, torch.minimum(z + 0.02, 0.1 - z))


def first_or_second_half(points):
    """Part 0 where x is negative, 1 elsewhere."""
    return (points[0] > 0).long()


WAY = np.stack([np.zeros(8), np.zeros(8), np.linspace(0, 0.09, 8)], axis=1)


def anatomy(clearance, half_size, palettes=("phantom_grey",), steepness=1.0, voxel=1e-3):
    """A body in a cube of 2 * half_size about the origin."""
    box = (-half_size,) * 3, (half_size,) * 3
    return Anatomy("known", clearance, first_or_second_half, palettes, steepness, *box, WAY, voxel)


@lru_cache(maxsize=1)
def folded_tube():
    """The anatomy of folded_clearance."""
    box = (-0.023, -0.023, -0.023), (0.023, 0.023, 0.103)
    palettes = ("mucosa_pink",)
    return Anatomy("tube", folded_clearance, first_or_second_half, palettes, 3.0, *box, WAY, 5e-4)


@lru_cache(maxsize=1)
def baked_tube():
    """The field of folded_tube."""
    return bake(folded_tube())


def bubble_scene(radius, **parts):
    """A scene inside a sphere around the world's origin."""
    body = anatomy(Bubble(radius).clearance, 1.2 * radius, voxel=radius / 40)
    return Scene(body, bake(body), Tissue(0, body.palettes), **parts)
