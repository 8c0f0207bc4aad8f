"""Light of an endoscope on wet tissue: inverse square, soft shadows, light from other tissue, highlights."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d, interpolate, pad

from endo_depth_ros.synthetic.field import Clearance, unit
from endo_depth_ros.synthetic.light_settings import LightSettings, draw_light
from endo_depth_ros.synthetic.sparse_picture import SparsePicture, every_third
from endo_depth_ros.synthetic.surface_view import INSTRUMENT, SurfaceView
from endo_depth_ros.synthetic.visibility import openness, source_visibility
from endo_depth_ros.synthetic.wet_film import WetFilm

__all__ = ["LightSettings", "draw_light", "shade"]

REFERENCE_DISTANCE = 0.03  # where a surface that faces one source of power 1 gets irradiance 1, metres
SCATTER_RGB = (1.0, 0.45, 0.25)  # share of scattered light that spreads, against red's
AMBIENT_RGB = (1.0, 0.5, 0.38)  # light that tissue sent back is redder
_HOT_SPOT_EXPONENT = 60
_SHADOW_OFFSET = 1e-3  # sources nearer to the optical axis cast no shadow that the lens sees, metres
_SPREAD, _WIDE = 4, 8  # pixels that one of the blurred pictures takes
_METAL_EXPONENT, _METAL_HIGHLIGHT = 120, 2.4
_SHEEN_EXPONENT = 24


@dataclass(frozen=True, eq=False)
class _Source:
    """One source over all pixels: direction to it, unit [3, N]; irradiance across its rays [N]; light seen [N]."""

    direction: Tensor
    power: Tensor
    visible: Tensor


def shade(view: SurfaceView, light: LightSettings, clearance: Clearance) -> Tensor:
    """Linear radiance [3, H, W] that reaches the lens; 0 where nothing is seen.

    clearance: of points [3, N] in the optical frame, metres; it casts the shadows.
    """
    size = view.seen.shape
    sparse = SparsePicture.of(view.points[2].clamp_min(1e-3))
    sources = [_light_up(view, light, index, clearance, sparse) for index in range(len(light.positions))]
    normals = view.normals.reshape(3, -1)
    arriving = [s.power * s.visible * _diffuse((normals * s.direction).sum(0), light) for s in sources]
    direct = torch.stack(arriving).sum(0).view(size) * view.seen
    squared = view.points[2].clamp_min(1e-3) ** 2
    direct_rgb = _scatter(direct, squared, light.scatter)
    power = torch.stack([s.power for s in sources]).sum(0).view(size)
    free = openness(clearance, every_third(view.points), every_third(view.normals), light.occlusion_reach)
    reached = 1 - light.occlusion * (1 - sparse.enlarge(free))
    indirect = _bounce(view, direct_rgb * view.albedo, light) + light.ambient * power * _column(AMBIENT_RGB, power)
    radiance = view.albedo * (direct_rgb + reached * indirect)
    radiance.view(3, -1).add_(_highlights(view, sources, light))
    return radiance * _column(light.rgb, power) * view.seen


def _light_up(
    view: SurfaceView, light: LightSettings, index: int, clearance: Clearance, sparse: SparsePicture
) -> _Source:
    """One source at all pixels."""
    points = view.points.reshape(3, -1)
    position = torch.tensor(light.positions[index]).to(points)
    to_light = position[:, None] - points
    squared = (to_light * to_light).sum(0) + light.source_radius**2
    direction = to_light * squared.rsqrt()
    power = light.powers[index] * _beam(-direction[2], light) * REFERENCE_DISTANCE**2 / squared
    if math.hypot(*light.positions[index][:2]) < _SHADOW_OFFSET:
        return _Source(direction, power, torch.ones_like(power))
    surface = every_third(view.points), every_third(view.normals)
    visible = source_visibility(clearance, *surface, position, light.source_radius)
    return _Source(direction, power, sparse.enlarge(visible).view(-1))


def _beam(axial: Tensor, light: LightSettings) -> Tensor:
    """Power of a beam by the cosine of the angle off its axis, 1 on the axis without a hot spot."""
    axial = axial.clamp_min(1e-4)
    beam = axial**light.beam_exponent * (1 - light.hot_spot)
    if light.hot_spot > 0:
        beam = beam + light.hot_spot * _HOT_SPOT_EXPONENT / 6 * axial**_HOT_SPOT_EXPONENT
    return beam


def _diffuse(cosine: Tensor, light: LightSettings) -> Tensor:
    """Share of the irradiance across the rays that leaves without direction: Lambert's, wrapped round and flattened.

    Both keep the light of a wall that faces the source; flattening follows rough surfaces seen from their light.
    """
    wrapped = ((cosine + light.wrap) / (1 + light.wrap)).clamp_min(0)
    return wrapped if light.flatness == 0 else torch.lerp(wrapped, 1 - (1 - wrapped) ** 2, light.flatness)


def _scatter(direct: Tensor, squared: Tensor, share: float) -> Tensor:
    """Irradiance per channel [3, H, W] of direct [H, W] after a share has spread below the surface."""
    # Without the inverse square a near wall would leak into what lies far behind it.
    spread = _blur(direct * squared, _SPREAD, 1.0) / squared
    return direct + share * _column(SCATTER_RGB, direct) * (spread - direct)


def _bounce(view: SurfaceView, sent: Tensor, light: LightSettings) -> Tensor:
    """Irradiance [3, H, W] from what neighbouring tissue sends, [3, H, W]."""
    falloff = view.points[2].clamp_min(1e-3) ** light.bounce_falloff
    sigma = light.bounce_reach * view.seen.shape[1] / _WIDE
    return light.bounce * _blur(sent * (falloff * view.seen), _WIDE, sigma) / falloff


def _highlights(view: SurfaceView, sources: list[_Source], light: LightSettings) -> Tensor:
    """White light from the wet film and from instruments, [N] (Blinn's highlights)."""
    points, normals, gloss = view.points.reshape(3, -1), view.normals.reshape(3, -1), view.gloss.reshape(-1)
    to_lens = -unit(points)
    glint = torch.zeros_like(gloss)
    film = WetFilm(light.film_seed, light.film_slope, light.film_wave)
    metal = view.material.reshape(-1) == INSTRUMENT
    shiny = metal.nonzero()[:, 0]
    # Ripples are costly; beyond three times their slope and the lobe hardly a mirror turns light to the lens.
    widest = math.cos(min(1.5, 3 * light.film_slope + 3 / light.highlight_exponent**0.5))
    for source in sources:
        half = unit(source.direction + to_lens)
        cosine = (normals * half).sum(0).clamp_min(0)
        power = source.power * source.visible * gloss
        if light.highlight > 0:
            glint += 0.5 * light.sheen * power * cosine**_SHEEN_EXPONENT
            near = ((cosine > widest) & ~metal).nonzero()[:, 0]
            glint[near] += power[near] * _film_glint(view, film, half, near, light)
        glint[shiny] += _METAL_HIGHLIGHT * power[shiny] * cosine[shiny] ** _METAL_EXPONENT
    return glint


def _film_glint(view: SurfaceView, film: WetFilm, half: Tensor, near: Tensor, light: LightSettings) -> Tensor:
    """Reflectance of the film at the pixels `near` [M] for light half way between source and lens, [M]."""
    places, normals = (values.reshape(3, -1)[:, near] for values in (view.world_points, view.world_normals))
    film_normals, thickness = film.ripple(normals, places)
    cosine = (film_normals * (view.R_world_camera @ half[:, near])).sum(0).clamp_min(0)
    wet = (1 + 3 * (thickness + 1.5 - 3 * light.breaks)).clamp(0, 1)
    return light.highlight * wet * light.highlight_exponent / 40 * cosine**light.highlight_exponent


def _blur(picture: Tensor, cell: int, sigma: float) -> Tensor:
    """Gaussian blur of [..., H, W] on cells of cell x cell pixels; sigma in cells."""
    height, width = picture.shape[-2:]
    channels = picture.reshape(-1, 1, height, width)
    small = avg_pool2d(channels, cell, ceil_mode=True, count_include_pad=False)
    kernel = _kernel(round(sigma, 2), str(picture.device))
    half = len(kernel) // 2
    small = conv2d(pad(small, (half, half, 0, 0), mode="replicate"), kernel.view(1, 1, 1, -1))
    small = conv2d(pad(small, (0, 0, half, half), mode="replicate"), kernel.view(1, 1, -1, 1))
    return interpolate(small, size=(height, width), mode="bilinear", align_corners=False).view(picture.shape)


@lru_cache(maxsize=32)
def _kernel(sigma: float, device: str) -> Tensor:
    """Weights of a Gaussian, [2 * ceil(2.5 sigma) + 1]."""
    half = int(2.5 * sigma) + 1
    weights = torch.exp(-0.5 * (torch.arange(-half, half + 1, device=device) / sigma) ** 2)
    return weights / weights.sum()


def _column(rgb: tuple[float, float, float], like: Tensor) -> Tensor:
    return torch.tensor(rgb, dtype=like.dtype, device=like.device)[:, None, None]
