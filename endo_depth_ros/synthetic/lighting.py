"""Light of an endoscope on wet tissue: small sources beside the lens, inverse-square, with highlights."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from endo_depth_ros.synthetic.field import unit

REFERENCE_DISTANCE = 0.03  # where a surface that faces one source of power 1 gets irradiance 1, metres
WAVES = 14  # of which the film's ripples are the sum
FILL_RGB = (1.0, 0.5, 0.38)  # light that tissue sent back once is redder


@dataclass(frozen=True)
class LightSettings:
    """Light sources and the wet film.

    positions: of the sources in the optical frame, metres; they share a total power of 1.
    beam_exponent: sources fade as cos(angle off the optical axis)^exponent. fill: share that comes back from other
    tissue, without direction. highlight: reflectance of the film. film_slope: rms slope of its ripples.
    """

    positions: tuple[tuple[float, float, float], ...] = ((0.0032, -0.001, 0.0), (-0.0028, 0.0014, 0.0))
    beam_exponent: float = 1.5
    fill: float = 0.08
    highlight: float = 0.35
    film_slope: float = 0.08


class WetFilm:
    """Ripples of the fluid on the tissue, fixed to the world; they break highlights up."""

    def __init__(self, seed: int, slope: float) -> None:
        rng = np.random.default_rng([seed, 3])
        directions = rng.standard_normal((WAVES, 3))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        wavelengths = np.exp(rng.uniform(math.log(0.0012), math.log(0.006), (WAVES, 1)))
        self._vectors = torch.tensor(2 * math.pi / wavelengths * directions, dtype=torch.float32)
        self._phases = torch.tensor(rng.uniform(0, 2 * math.pi, (WAVES, 1)), dtype=torch.float32)
        self._tilts = torch.tensor(directions.T * slope * math.sqrt(2 * 3 / WAVES), dtype=torch.float32)

    def tilted(self, normals: Tensor, points: Tensor) -> Tensor:
        """Unit normals of the film at world points, [3, N] each."""
        waves = torch.cos(self._vectors.to(points) @ points + self._phases.to(points))
        return unit(normals + self._tilts.to(points) @ waves)


def shade(points: Tensor, normals: Tensor, film: Tensor, albedo: Tensor, light: LightSettings) -> Tensor:
    """Linear radiance [3, N] that reaches the lens.

    points, normals, film (normals of the wet film): in the optical frame, [3, N], metres; albedo: RGB [3, N].
    Lambert's law and the inverse square of the distance per source, plus Blinn's highlights; no shadows.
    """
    to_lens = -unit(points)
    diffuse, glint = torch.zeros_like(points[0]), torch.zeros_like(points[0])
    fill = torch.zeros_like(diffuse)
    for position in light.positions:
        to_light = torch.tensor(position).to(points)[:, None] - points
        squared = (to_light * to_light).sum(0)
        direction = to_light * squared.rsqrt()
        beam = (-direction[2]).clamp_min(0) ** light.beam_exponent / len(light.positions)
        power = beam * REFERENCE_DISTANCE**2 / squared
        diffuse += power * (normals * direction).sum(0).clamp_min(0)
        fill += light.fill * power
        half = unit(direction + to_lens)
        cosine = (film * half).sum(0).clamp_min(0)
        glint += power * (cosine**350 * 9 + cosine**40 * 0.22)
    fill_rgb = torch.tensor(FILL_RGB).to(points)[:, None]
    return albedo * (diffuse + fill * fill_rgb) + light.highlight * glint
