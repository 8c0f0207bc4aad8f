"""What the rays of one view met: the input of shading."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

TISSUE, INSTRUMENT, DEBRIS = 0, 1, 2


@dataclass(frozen=True, eq=False)
class SurfaceView:
    """Surfaces under the pixels of one view, float32 unless said otherwise, metres.

    points, normals: optical frame (z forward, x right, y down), [3, H, W]; normals are unit, into the free space.
    world_points: the same points in the world, where the tissue lay at rest when walls move, [3, H, W]; what is fixed
    to the tissue depends on these. world_normals: [3, H, W].
    seen: the ray met something, bool [H, W]. Where it is False, everything else is finite but means nothing.
    albedo: diffuse reflectance, linear RGB in 0-1, [3, H, W]. gloss: wetness in 0-1, [H, W].
    material: TISSUE, INSTRUMENT or DEBRIS, int64 [H, W].
    R_world_camera: [3, 3]; origin: of the camera in the world, [3].
    """

    points: Tensor
    normals: Tensor
    world_points: Tensor
    world_normals: Tensor
    seen: Tensor
    albedo: Tensor
    gloss: Tensor
    material: Tensor
    R_world_camera: Tensor
    origin: Tensor
