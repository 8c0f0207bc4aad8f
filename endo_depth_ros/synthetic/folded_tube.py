"""A colon-like scene: a bent tube with sharp, crescent-shaped folds, a polyp, and a lobed wall at its end."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import grid_sample

from endo_depth_ros.synthetic.noise import noise_map
from endo_depth_ros.synthetic.scene import smooth_minimum
from endo_depth_ros.synthetic.tissue import mucosa_map

POLYP_TINT = (1.02, 0.72, 0.70)
_BEHIND = 0.02  # tube behind the first centre line point, metres
_ROWS, _COLUMNS = 1152, 1024


@dataclass(frozen=True)
class FoldedTubeSettings:
    """Sizes in metres; every seed draws its own folds, bends, lobes and polyp within them."""

    radius: float = 0.024
    length: float = 0.16
    fold_spacing: float = 0.019
    fold_height: float = 0.0085
    polyp_radius: float = 0.0042


class FoldedTube:
    """The scene of one seed; a renderable `Scene`.

    World: the centre line starts near the origin, runs along z and bends in the plane of x and z.
    Surface coordinates: s along the centre line, (u, v) across it, phi = atan2(v, u).
    """

    steepness = 4.0
    extent = 0.3

    def __init__(
        self, seed: int, settings: FoldedTubeSettings | None = None, device: str | torch.device = "cpu"
    ) -> None:
        rng, settings = np.random.default_rng([seed, 1]), settings or FoldedTubeSettings()
        self.settings = settings
        self.bend_radius = float(rng.uniform(0.13, 0.2) * rng.choice([-1, 1]))
        self._sway = [(float(rng.uniform(0.002, 0.005)), 2 * math.pi / rng.uniform(0.06, 0.1)) for _ in range(2)]
        self._sway_phases = [float(rng.uniform(0, 2 * math.pi)) for _ in range(2)]
        self._rows_s = np.linspace(-_BEHIND, settings.length + _BEHIND, _ROWS)
        phi = np.linspace(-np.pi, np.pi, _COLUMNS, endpoint=False)
        radius = _tube_radius(rng, settings, self._rows_s, phi)
        self._radius = _as_ring(radius[..., None], device)
        self._end = _as_grid(_end_wall(rng, settings)[..., None], device)
        pixel_m = (self._rows_s[1] - self._rows_s[0], 2 * math.pi * settings.radius / _COLUMNS)
        self._tube_color = _as_ring(mucosa_map(rng, (_ROWS, _COLUMNS), pixel_m), device)
        self._end_half_width = 1.5 * settings.radius
        end_pixel_m = 2 * self._end_half_width / 512
        self._end_color = _as_grid(mucosa_map(rng, (512, 512), (end_pixel_m, end_pixel_m)), device)
        self._polyp = _polyp_centre(rng, settings, self._rows_s, phi, radius)

    def clearance(self, points: Tensor) -> Tensor:
        """See Scene."""
        s, u, v = self._surface_coordinates(points)
        wall, end, polyp = self._parts(s, u, v)
        return smooth_minimum(smooth_minimum(wall, end, 0.006), polyp, 0.005)

    def albedo(self, points: Tensor) -> Tensor:
        """See Scene."""
        s, u, v = self._surface_coordinates(points)
        wall, end, polyp = self._parts(s, u, v)
        tube = self._look_up_tube(self._tube_color, s, u, v)
        cap = self._look_up_end(self._end_color, u, v)
        color = torch.lerp(tube, cap, torch.sigmoid((wall - end) / 0.0015))
        on_polyp = torch.sigmoid((torch.minimum(wall, end) - polyp - 5e-4) / 3e-4)
        tint = torch.tensor(POLYP_TINT, device=points.device)[:, None]
        return color * torch.lerp(torch.ones_like(tint), tint, on_polyp)

    def centre_line(self, s: float) -> NDArray[np.float64]:
        """World point on the centre line, float64 [3], s metres along it."""
        lateral, y = self._sway_at(s)
        angle = s / self.bend_radius
        arm = self.bend_radius - lateral
        return np.array([self.bend_radius - arm * math.cos(angle), y, arm * math.sin(angle)])

    def _parts(self, s: Tensor, u: Tensor, v: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Clearances from the tube's wall, its end and the polyp."""
        wall = self._look_up_tube(self._radius, s, u, v)[0] - torch.hypot(u, v)
        end = self._look_up_end(self._end, u, v)[0] - s
        ps, pu, pv = self._polyp
        distance = torch.sqrt((s - ps) ** 2 + (u - pu) ** 2 + (v - pv) ** 2)
        lumps = 4e-4 * torch.sin(1700 * u) * torch.sin(1500 * v + 1300 * s)
        polyp = distance - self.settings.polyp_radius - lumps
        return wall, end, polyp

    def _surface_coordinates(self, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x, y, z = points
        side = math.copysign(1.0, self.bend_radius)
        arm = side * (self.bend_radius - x)
        s = abs(self.bend_radius) * torch.atan2(z, arm)
        lateral = self.bend_radius - side * torch.hypot(z, arm)
        (a, ka), (b, kb) = self._sway
        pa, pb = self._sway_phases
        return s, lateral - a * torch.sin(ka * s + pa), y - b * torch.sin(kb * s + pb)

    def _sway_at(self, s: float) -> tuple[float, float]:
        (a, ka), (b, kb) = self._sway
        return a * math.sin(ka * s + self._sway_phases[0]), b * math.sin(kb * s + self._sway_phases[1])

    def _look_up_tube(self, grid: Tensor, s: Tensor, u: Tensor, v: Tensor) -> Tensor:
        first, last = float(self._rows_s[0]), float(self._rows_s[-1])
        return _look_up(grid, torch.atan2(v, u) / math.pi, (s - first) * (2 / (last - first)) - 1)

    def _look_up_end(self, grid: Tensor, u: Tensor, v: Tensor) -> Tensor:
        return _look_up(grid, u / self._end_half_width, v / self._end_half_width)


def _look_up(grid: Tensor, column: Tensor, row: Tensor) -> Tensor:
    """Bilinear values [C, N] of a grid [1, C, H, W] at positions in -1..1."""
    where = torch.stack([column, row], dim=-1)[None, None]
    return grid_sample(grid, where, padding_mode="border", align_corners=True)[0, :, 0]


def _as_grid(values: NDArray[np.floating], device: str | torch.device) -> Tensor:
    """Tensor [1, C, H, W] of a map [H, W, C]."""
    return torch.from_numpy(np.ascontiguousarray(values.transpose(2, 0, 1), np.float32))[None].to(device)


def _as_ring(values: NDArray[np.floating], device: str | torch.device) -> Tensor:
    """Tensor [1, C, H, W + 1] of a map [H, W, C] that is periodic along its columns."""
    return _as_grid(np.concatenate([values, values[:, :1]], axis=1), device)


def _tube_radius(
    rng: np.random.Generator, settings: FoldedTubeSettings, s: NDArray[np.float64], phi: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Distance of the wall from the centre line, [S, PHI], metres."""
    pixel = (s[1] - s[0], 2 * np.pi * settings.radius / len(phi))
    bulges = noise_map(rng, (len(s), len(phi)), (0.03 / pixel[0], 0.03 / pixel[1]))
    ripples = noise_map(rng, (len(s), len(phi)), (0.005 / pixel[0], 0.005 / pixel[1]))
    corner = rng.uniform(0, 2 * np.pi)
    # Three bands of muscle (taeniae) pull the cross-section into a rounded triangle.
    triangle = 0.07 * np.cos(3 * (phi - corner))[None] * (1 + 0.2 * np.sin(s / 0.03)[:, None])
    radius = settings.radius * (1 + triangle + 0.035 * bulges) + 1.2e-4 * ripples
    position = -_BEHIND
    while position < settings.length + _BEHIND:
        position += settings.fold_spacing * rng.uniform(0.7, 1.35)
        radius -= _fold(rng, settings, s, phi, position, corner)
    return radius


def _fold(
    rng: np.random.Generator,
    settings: FoldedTubeSettings,
    s: NDArray[np.float64],
    phi: NDArray[np.float64],
    position: float,
    corner: float,
) -> NDArray[np.float64]:
    """Height of one haustral fold over the wall, [S, PHI]: up to three crescents between the taeniae."""
    height = np.zeros_like(phi)
    for crescent in range(3):
        middle = corner + np.pi / 3 + crescent * 2 * np.pi / 3 + rng.normal(0, 0.12)
        away = (phi - middle + np.pi) % (2 * np.pi) - np.pi
        strength = rng.uniform(0.25, 1.0) * settings.fold_height
        height += strength * np.exp(-((np.abs(away) / rng.uniform(0.75, 1.05)) ** 4))
    wander = 0.0022 * np.sin(phi + rng.uniform(0, 2 * np.pi)) + 0.0011 * np.sin(2 * phi + rng.uniform(0, 2 * np.pi))
    wander += 0.0005 * np.sin(5 * phi + rng.uniform(0, 2 * np.pi))
    ds = s[:, None] - position - wander[None]
    crest = 5e-4  # the edge is this blunt
    profile = np.exp(-(np.sqrt(ds**2 + crest**2) - crest) / rng.uniform(0.0026, 0.0038))
    return height[None] * profile


def _end_wall(rng: np.random.Generator, settings: FoldedTubeSettings) -> NDArray[np.float64]:
    """Where the tube ends, s over (v, u), [512, 512]: a bowl with convex lobes and creases between them."""
    half = 1.5 * settings.radius
    axis = np.linspace(-half, half, 512)
    v, u = np.meshgrid(axis, axis, indexing="ij")
    lobes = np.full(u.shape, -0.01)
    turn = rng.uniform(0, 2 * np.pi)
    for lobe in range(4):
        angle, distance = turn + lobe * np.pi / 2 + rng.normal(0, 0.25), settings.radius * rng.uniform(0.35, 0.6)
        squared = (u - distance * np.cos(angle)) ** 2 + (v - distance * np.sin(angle)) ** 2
        lobes = np.maximum(lobes, rng.uniform(0.004, 0.009) - squared / rng.uniform(0.028, 0.045))
    bumps = noise_map(rng, (512, 512), (80.0, 80.0))
    return settings.length + 0.006 - lobes - 0.25 * (u**2 + v**2) / settings.radius + 4e-4 * bumps


def _polyp_centre(
    rng: np.random.Generator,
    settings: FoldedTubeSettings,
    s: NDArray[np.float64],
    phi: NDArray[np.float64],
    radius: NDArray[np.float64],
) -> tuple[float, float, float]:
    """Centre of the polyp (s, u, v), a little inside the free space in front of the wall."""
    row = int(np.argmin(np.abs(s - rng.uniform(0.45, 0.6) * settings.length)))
    column = int(rng.integers(len(phi)))
    rho = radius[row, column] - 0.5 * settings.polyp_radius
    return float(s[row]), float(rho * np.cos(phi[column])), float(rho * np.sin(phi[column]))
