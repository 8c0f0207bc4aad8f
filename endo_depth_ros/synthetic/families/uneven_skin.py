"""Bodies whose skin is uneven or in lobes, as distance fields."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from endo_depth_ros.synthetic.families.shapes import Field
from endo_depth_ros.synthetic.families.volume_noise import VolumeNoise


@dataclass(frozen=True, eq=False)
class Uneven:
    """A body whose skin is moved by noise: amplitude, a standard deviation, and cell in metres."""

    body: Field
    noise: VolumeNoise
    amplitude: float
    cell: float

    def __call__(self, points: Tensor) -> Tensor:
        return self.body(points) + self.amplitude * self.noise.at(points, self.cell)[0]


@dataclass(frozen=True, eq=False)
class Lobed:
    """A body in lobes with creases between them: how far they bulge, a standard deviation, and cell in metres."""

    body: Field
    noise: VolumeNoise
    bulge: float
    cell: float

    def __call__(self, points: Tensor) -> Tensor:
        return self.body(points) - self.bulge * self.noise.at(points, self.cell)[0].abs()
