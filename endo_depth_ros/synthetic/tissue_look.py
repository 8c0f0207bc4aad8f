"""How the tissues of one scene look: drawn from their palettes, far enough from them that colour tells no distance."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from endo_depth_ros.synthetic.palettes import PALETTES, Palette


@dataclass(frozen=True, eq=False)
class PartLooks:
    """What differs between the parts of a scene: colours, float32 [3, P], and numbers, [P]. Meanings: see Palette."""

    rgb: Tensor
    patch_rgb: Tensor
    vessel_rgb: Tensor
    vessels: Tensor
    capillaries: Tensor
    grain: Tensor
    gloss: Tensor
    lobules: Tensor
    pits: Tensor
    mucus: Tensor

    @staticmethod
    def from_table(table: Tensor) -> PartLooks:
        """Looks from all numbers in the order of the fields, [16, P]."""
        return PartLooks(table[:3], table[3:6], table[6:9], *table[9:])

    def at(self, part: Tensor) -> PartLooks:
        """The looks at surfaces of parts [N]: [3, N] and [N], or 1 for N when there is but one part."""
        if self.rgb.shape[1] == 1:
            return self
        table = torch.stack([*self.rgb, *self.patch_rgb, *self.vessel_rgb, *self._numbers()])
        return PartLooks.from_table(table.index_select(1, part))

    def _numbers(self) -> tuple[Tensor, ...]:
        return (self.vessels, self.capillaries, self.grain, self.gloss, self.lobules, self.pits, self.mucus)


@dataclass(frozen=True)
class Texture:
    """What the parts of a scene share.

    patch, fine, vessel, capillary: sizes of blotches, grain and of the meshes of the vessel nets, metres.
    vessel_width, capillary_width: half widths, metres. winding: of vessels, in meshes. edge: softness of their rims, 0
    is hard. taper: how much their width varies, 0-1. contrast: of all texture but vessels. mucus_rgb: linear.
    """

    patch: float
    fine: float
    vessel: float
    capillary: float
    vessel_width: float
    capillary_width: float
    winding: float
    edge: float
    taper: float
    contrast: float
    mucus_rgb: tuple[float, float, float]


_MOST_COLOURED = 2.4  # log ratio of the strongest channel to the weakest that saturation may reach
_MUCUS_RGB = ((0.80, 0.72, 0.42), (0.86, 0.84, 0.78), (0.66, 0.60, 0.20))
# Chance of a scene and the contrast of its tissue: nearly none, ordinary, strong.
_CONTRASTS = ((0.12, (0.0, 0.2)), (0.66, (0.6, 1.4)), (0.22, (1.4, 2.6)))


def draw_texture(rng: np.random.Generator, palettes: tuple[str, ...]) -> Texture:
    """The shared texture of one scene."""
    feature = math.exp(float(np.mean([math.log(PALETTES[name].feature) for name in palettes])))
    size = feature * _log_uniform(rng, 0.6, 1.6)
    vessel, capillary = size * _log_uniform(rng, 0.006, 0.028), size * _log_uniform(rng, 0.0025, 0.007)
    vessel_width = vessel * _log_uniform(rng, 0.008, 0.03)
    low, high = _CONTRASTS[rng.choice(len(_CONTRASTS), p=[chance for chance, _ in _CONTRASTS])][1]
    painted = np.mean([PALETTES[name].painted for name in palettes]) > 0.5
    return Texture(
        patch=size * _log_uniform(rng, 0.004, 0.02),
        fine=size * _log_uniform(rng, 0.0006, 0.0016),
        vessel=vessel,
        capillary=capillary,
        vessel_width=vessel_width,
        capillary_width=min(0.6 * vessel_width, capillary * _log_uniform(rng, 0.015, 0.035)),
        winding=rng.uniform(0.06, 0.15),
        edge=rng.uniform(0.15, 0.3) if painted else rng.uniform(0.5, 1.5),
        taper=rng.uniform(0.0, 0.3) if painted else rng.uniform(0.4, 1.2),
        contrast=rng.uniform(low, high),
        mucus_rgb=_MUCUS_RGB[rng.integers(len(_MUCUS_RGB))],
    )


def draw_part_looks(
    rng: np.random.Generator, palettes: tuple[str, ...], texture: Texture, device: str | torch.device
) -> PartLooks:
    """Looks of all parts of one scene."""
    tint = _draw_tint(rng)
    plain = texture.contrast < 0.3  # such tissue shows hardly any vessel either
    vessel_gain = rng.choice([0.0, 0.6, 1.0, 1.5], p=[0.15, 0.25, 0.4, 0.2]) * (0.2 if plain else 1)
    capillary_gain = rng.choice([0.0, 0.5, 1.2], p=[0.35, 0.35, 0.3]) * (0.2 if plain else 1)
    mucus_gain, gloss_gain = rng.choice([0.0, 1.0, 2.5], p=[0.65, 0.25, 0.1]), rng.uniform(0.4, 1.5)
    columns = []
    for palette in (PALETTES[name] for name in palettes):
        rgb, patch = tint.of(rng, palette)
        columns.append(
            [
                *rgb,
                *patch,
                *np.clip(np.asarray(palette.vessel_rgb) * np.exp(rng.normal(0, 0.2, 3)), 0.01, 0.9),
                min(0.95, palette.vessels * vessel_gain * rng.uniform(0.6, 1.3)),
                min(0.8, palette.capillaries * capillary_gain * rng.uniform(0.4, 1.3)),
                palette.grain * texture.contrast * rng.uniform(0.4, 1.6),
                min(1.0, palette.gloss * gloss_gain * rng.uniform(0.7, 1.2)),
                palette.lobules * rng.uniform(0.4, 1.0) * min(1.0, texture.contrast),
                palette.pits * texture.contrast * rng.choice([0.0, 1.0, 2.0]),
                min(0.5, palette.mucus * mucus_gain * rng.uniform(0.3, 1.6)),
            ]
        )
    return PartLooks.from_table(torch.tensor(np.array(columns).T, dtype=torch.float32, device=device))


@dataclass(frozen=True, eq=False)
class _Tint:
    """Colours of a scene against those of the palettes.

    gain: per channel, [3]. saturation: power of the ratio to grey. patchiness: how far blotches reach for their colour.
    """

    gain: NDArray[np.float64]
    saturation: float
    patchiness: float

    def of(self, rng: np.random.Generator, palette: Palette) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Reflectance of a part and of its patches, [3] each."""
        drawn = np.exp(rng.normal(0, palette.spread) + rng.normal(0, 0.5 * palette.spread, 3)) * self.gain
        rgb = np.asarray(palette.rgb) * drawn
        patch = rgb + (np.asarray(palette.patch_rgb) * drawn - rgb) * self.patchiness
        return self._saturated(rgb), self._saturated(patch)

    def _saturated(self, rgb: NDArray[np.float64]) -> NDArray[np.float64]:
        grey = float(rgb @ (0.3, 0.5, 0.2))
        power = min(self.saturation, max(1.0, _MOST_COLOURED / math.log(rgb.max() / rgb.min())))
        return np.clip(grey * (rgb / grey) ** power, 0.015, 0.92)


def _draw_tint(rng: np.random.Generator) -> _Tint:
    strange = rng.random() < 0.08  # dyes, narrow-band light, odd white balance
    gain = np.exp(rng.normal(0, 0.12) + rng.normal(0, 0.35 if strange else 0.1, 3))
    return _Tint(gain, rng.uniform(0.0, 0.5) if strange else rng.uniform(0.8, 2.6), rng.uniform(-0.4, 1.3))


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return math.exp(rng.uniform(math.log(low), math.log(high)))
