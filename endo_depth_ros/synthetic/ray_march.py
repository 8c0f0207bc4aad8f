"""Depth of a field along the rays of a camera: a march to the first sign change of clearance, then false position."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

from endo_depth_ros.synthetic.field import Field

NEAR = 5e-4  # from the lens, which touches what is nearer, metres
TOLERANCE = 2e-6  # clearance that counts as on the surface, metres
_COARSEST = 40  # pixels on the short side at which rays start at the lens
_SMOOTH = 1.12  # ratio of the depths of neighbours on one smooth surface
_MAX_STEPS = 400
_REFINEMENTS = 30


def cast_rays(field: Field, origin: Tensor, rays: Tensor) -> Tensor:
    """Ray parameter [H, W] at which the rays [3, H, W] from origin [3] (world, metres) meet the surface; NaN for none.

    With rays of z = 1 in the optical frame that is the depth. Every second pixel is cast first. Where the surface is
    smooth there, it is sought just around the depths of the neighbours; other rays start a little before the nearest
    of them, since what hides them is rarely thinner than a pixel.
    """
    _, height, width = rays.shape
    flat = rays.reshape(3, -1).contiguous()
    shares = flat.square().sum(0).rsqrt()  # of a way along the ray that z is
    limit, near = field.extent * shares, NEAR * shares
    if min(height, width) < 2 * _COARSEST:
        return march(field, origin, flat, near, limit).view(height, width)
    nearest, farthest = _neighbours(cast_rays(field, origin, rays[:, ::2, ::2]), height, width)
    depth = torch.full_like(limit, torch.nan)
    smooth = (farthest < _SMOOTH * nearest).nonzero()[:, 0]
    depth[smooth] = _close_in(field, origin, flat[:, smooth], 0.985 * nearest[smooth], 1.015 * farthest[smooth])
    left = depth.isnan().nonzero()[:, 0]
    start = torch.maximum(0.97 * nearest[left] - 3e-4, near[left])
    depth[left] = march(field, origin, flat[:, left], start, limit[left])
    return depth.view(height, width)


def _neighbours(coarse: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Nearest and farthest depth [H * W] about each pixel in the depths of every second one; 0, infinite for NaN."""
    planes = torch.stack([-coarse.nan_to_num(nan=0.0), coarse.nan_to_num(nan=torch.inf)])
    planes = max_pool2d(planes, 3, stride=1, padding=1)
    planes = planes.repeat_interleave(2, 1)[:, :height].repeat_interleave(2, 2)[:, :, :width].reshape(2, -1)
    return -planes[0], planes[1]


def _close_in(field: Field, origin: Tensor, rays: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Depth between a and b, [N], where the clearance changes its sign from one to the other, else NaN."""
    fa, fb = (field.clearance(torch.addcmul(origin[:, None], end, rays)) for end in (a, b))
    depth = torch.full_like(a, torch.nan)
    met = ((fa > 0) & (fb <= 0)).nonzero()[:, 0]
    if len(met):
        depth[met] = _refine(field, origin[:, None], rays[:, met], a[met], b[met], fa[met], fb[met])
    return depth


def march(field: Field, origin: Tensor, rays: Tensor, start: Tensor, limit: Tensor) -> Tensor:
    """Parameter of the first sign change between start and limit, [N] each, on rays [3, N]; NaN where there is none."""
    length, all_rays = rays.square().sum(0).sqrt(), rays
    found = []
    index = torch.arange(len(start), device=start.device)
    origin, t = origin[:, None], start
    clearance = field.clearance(origin + t * rays)
    buried = clearance <= 0
    if buried.any():
        t = torch.where(buried, NEAR / length, t)
        clearance = field.clearance(origin + t * rays)
    for _ in range(_MAX_STEPS):
        # Steps never shrink below a fraction of a pixel's footprint: grazing rays would take thousands.
        ahead = torch.minimum(t + (clearance / field.steepness).clamp_min(field.finest + 4e-3 * t) / length, limit)
        clearance_ahead = field.clearance(origin + ahead * rays)
        hit = (clearance_ahead <= 0).nonzero()[:, 0]
        if len(hit):
            found.append(tuple(values[hit] for values in (index, t, ahead, clearance, clearance_ahead)))
        alive = ((clearance_ahead > 0) & (ahead < limit)).nonzero()[:, 0]
        if len(alive) < len(index):
            index, length, limit, rays = index[alive], length[alive], limit[alive], rays.index_select(1, alive)
            ahead, clearance_ahead = ahead[alive], clearance_ahead[alive]
        t, clearance = ahead, clearance_ahead
        if len(index) == 0:
            break
    depth = torch.full_like(start, torch.nan)
    if found:
        index, *bracket = (torch.cat(parts) for parts in zip(*found, strict=True))
        depth[index] = _refine(field, origin, all_rays[:, index], *bracket)
    return depth


def _refine(field: Field, origin: Tensor, rays: Tensor, a: Tensor, b: Tensor, fa: Tensor, fb: Tensor) -> Tensor:
    """Root of clearance between a (positive) and b (negative), [N]: false position with the Illinois weighting."""
    root = b.clone()
    index = torch.arange(len(b), device=b.device)
    kept = torch.zeros_like(b)  # which end stayed in the last step: +1 a, -1 b
    for _ in range(_REFINEMENTS):
        middle = (a * fb - b * fa) / (fb - fa)
        middle = torch.where(middle.isfinite(), middle, 0.5 * (a + b))
        value = field.clearance(origin + middle * rays)
        root[index] = middle
        left = (value.abs() > TOLERANCE).nonzero()[:, 0]
        if len(left) == 0:
            break
        free = value > 0
        fb = torch.where(free, torch.where(kept < 0, fb / 2, fb), value)
        fa = torch.where(free, value, torch.where(kept > 0, fa / 2, fa))
        a, b = torch.where(free, middle, a), torch.where(free, b, middle)
        kept = torch.where(free, -torch.ones_like(kept), torch.ones_like(kept))
        if len(left) < len(index):
            index, kept, rays = index[left], kept[left], rays.index_select(1, left)
            a, b, fa, fb = a[left], b[left], fa[left], fb[left]
    return root
