"""Colour and wetness of tissue from where it is in space: blotches, grain, vessels, lobules, pits and mucus."""

from __future__ import annotations

import numpy as np
import torch
from scipy.spatial.transform import Rotation
from torch import Tensor

from endo_depth_ros.synthetic.noise_volume import CELLS, NoiseVolume, cell_borders, smooth_noise
from endo_depth_ros.synthetic.tissue_look import draw_part_looks, draw_texture
from endo_depth_ros.synthetic.vessels import vessel_opacity

_COSTLY = ("vessels", "capillaries", "lobules", "pits", "mucus")  # left out where no part has them
_SHOWS = 0.02
_CLEFT_POWERS = torch.tensor([[0.5], [0.9], [1.1]])  # blood between lobules dims red least


class Tissue:
    """The tissue of one scene; the same seed gives the same tissue."""

    def __init__(
        self, seed: int | np.random.Generator, palettes: tuple[str, ...], device: str | torch.device = "cpu"
    ) -> None:
        """palettes: names in PALETTES, one for each part."""
        rng = np.random.default_rng(seed)
        self.texture = draw_texture(rng, palettes)
        self._looks = draw_part_looks(rng, palettes, self.texture, device)
        noise, borders = smooth_noise(rng), cell_borders(rng)
        self._wide, self._fine = NoiseVolume(noise, device), NoiseVolume(noise[:2], device)
        self._trunks, self._twigs = NoiseVolume(borders[:2], device), NoiseVolume(borders[2:], device)
        self._turns = _random_turns(rng, 3).to(device)
        self._shift = torch.tensor(rng.uniform(0, 1, 3), dtype=torch.float32, device=device)
        down = rng.standard_normal(3)
        self._up = torch.tensor(-down / np.linalg.norm(down), dtype=torch.float32, device=device)
        self._mucus_rgb = torch.tensor(self.texture.mucus_rgb, device=device)[:, None]
        self._has = {name: bool((getattr(self._looks, name) > _SHOWS).any()) for name in _COSTLY}

    def colour(self, points: Tensor, normals: Tensor, part: Tensor) -> tuple[Tensor, Tensor]:
        """Diffuse reflectance (linear RGB, [3, N]) and wetness in 0-1 [N] at world points and unit normals [3, N].

        part: index of the palette, int64 [N].
        """
        looks, size = self._looks.at(part), points.shape
        wide = self._wide.at(self._places(points, 0, self.texture.patch) / CELLS)
        fine = self._fine.at(self._places(points, 1, self.texture.fine) / CELLS)
        blotches = (0.5 + 0.5 * wide[0] + 0.12 * fine[1]) * min(1.0, self.texture.contrast)
        albedo = torch.lerp(looks.rgb.expand(size), looks.patch_rgb.expand(size), blotches)
        albedo = albedo * (1 + looks.grain * (fine[0] + wide[1])).clamp_min(0.4)
        if self._has["pits"]:
            albedo = albedo * (1 - 0.4 * looks.pits.clamp(max=1) * (fine[1] - 0.9).clamp(0, 1))
        if self._has["lobules"]:
            albedo = albedo * (1 - looks.lobules * self._clefts(points, wide)) ** _CLEFT_POWERS.to(points)
        if self._has["capillaries"]:
            albedo = torch.lerp(albedo, looks.vessel_rgb, looks.capillaries * self._capillaries(points, wide))
        if self._has["vessels"]:
            albedo = torch.lerp(albedo, looks.vessel_rgb, looks.vessels * self._vessels(points, wide))
        wetness = looks.gloss * (1 + 0.25 * wide[2])
        if self._has["mucus"]:
            cover = self._mucus(looks.mucus, wide, fine, normals)
            albedo, wetness = torch.lerp(albedo, self._mucus_rgb, 0.5 * cover), wetness + 0.6 * cover
        return albedo.clamp(0.01, 0.95), wetness.clamp(0, 1)

    def _places(self, points: Tensor, turn: int, size: float) -> Tensor:
        """Points [N, 3] in units of size, turned so that the axes of the noise show nowhere."""
        return torch.addmm(self._shift * 100, points.T, self._turns[turn] / size)

    def _vessels(self, points: Tensor, wide: Tensor) -> Tensor:
        look = self.texture
        width = look.vessel_width / look.vessel * (1 + look.taper * (wide[3] - 0.3))
        places = self._places(points, 2, look.vessel)
        return vessel_opacity(self._trunks, places, look.winding * wide[:3], width, look.edge)

    def _capillaries(self, points: Tensor, wide: Tensor) -> Tensor:
        look = self.texture
        width = look.capillary_width / look.capillary * (1 + 1.5 * look.taper * wide[1])
        places = self._places(points, 0, look.capillary)
        return vessel_opacity(self._twigs, places, 0.5 * wide[1:], width, look.edge)

    def _clefts(self, points: Tensor, wide: Tensor) -> Tensor:
        """Where fatty lobules meet, 0-1 [N]."""
        places = self._places(points, 1, 1.3 * self.texture.capillary)
        return vessel_opacity(self._twigs, places, 0.1 * wide[:3], 0.08 * (1.2 + wide[3]), 2.0)

    def _mucus(self, share: Tensor, wide: Tensor, fine: Tensor, normals: Tensor) -> Tensor:
        """Opacity of mucus, 0-1 [N]; it gathers where the wall faces up."""
        height = wide[3] + 0.12 * fine[0] + 0.5 * (self._up @ normals)
        return ((height - 1.8 + 3.2 * share) * 0.8).clamp(0, 1) * (share > 0)


def _random_turns(rng: np.random.Generator, count: int) -> Tensor:
    """Rotation matrices, float32 [count, 3, 3]."""
    quaternions = rng.standard_normal((count, 4))
    return torch.tensor(Rotation.from_quat(quaternions).as_matrix(), dtype=torch.float32)
