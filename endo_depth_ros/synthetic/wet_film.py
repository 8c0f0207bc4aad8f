"""The film of fluid on tissue: ripples fixed to it, which break highlights up."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from endo_depth_ros.synthetic.field import unit

WAVES = 14  # of which the ripples are the sum


class WetFilm:
    """Ripples of one seed."""

    def __init__(self, seed: int, slope: float, wave: float) -> None:
        """slope: rms, per axis across the surface. wave: length in the middle of the band, metres."""
        rng = np.random.default_rng([seed, 3])
        directions = rng.standard_normal((WAVES, 3))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        wavelengths = wave * np.exp(rng.uniform(math.log(0.45), math.log(2.2), (WAVES, 1)))
        self._vectors = torch.tensor(2 * math.pi / wavelengths * directions, dtype=torch.float32)
        self._phases = torch.tensor(rng.uniform(0, 2 * math.pi, (WAVES, 1)), dtype=torch.float32)
        self._tilts = torch.tensor(directions.T * slope * math.sqrt(2 * 3 / WAVES), dtype=torch.float32)

    def ripple(self, normals: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
        """Unit normals of the film [3, N] over surfaces at points with normals [3, N], and its thickness [N].

        points: where the tissue lies at rest. thickness: mean 0, standard deviation 1.
        """
        waves = torch.cos(torch.addmm(self._phases.to(points), self._vectors.to(points), points))
        return unit(normals + self._tilts.to(points) @ waves), waves.sum(0) * math.sqrt(2 / WAVES)
