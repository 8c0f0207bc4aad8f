"""A body with everything in it that moves, and what it is at one moment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from endo_depth_ros.synthetic.anatomy import Anatomy
from endo_depth_ros.synthetic.deformation import Deformation, Warp, WarpedField
from endo_depth_ros.synthetic.field import Field
from endo_depth_ros.synthetic.solid import PlacedSolid, Solid
from endo_depth_ros.synthetic.tissue import Tissue
from endo_depth_ros.synthetic.voxel_field import VoxelField


@dataclass(frozen=True, eq=False)
class Scene:
    """walls: of the anatomy at rest; tissue: their look; solids: instruments and debris; deformation: of the walls."""

    anatomy: Anatomy
    walls: VoxelField
    tissue: Tissue
    solids: tuple[Solid, ...] = ()
    deformation: Deformation | None = None

    def at(self, time_s: float, T_world_camera: NDArray[np.float64]) -> Moment:
        """The scene at a time, with what the camera [4, 4] holds."""
        device = self.walls.distance.values.device
        warp = None if self.deformation is None else self.deformation.at(time_s, device)
        solids = tuple(solid.at(time_s, T_world_camera, device) for solid in self.solids)
        return Moment(self, warp, solids)


@dataclass(frozen=True, eq=False)
class Moment:
    """A scene at one time, in world coordinates."""

    scene: Scene
    warp: Warp | None
    solids: tuple[PlacedSolid, ...]

    @property
    def walls(self) -> Field:
        """The tissue's surface."""
        return self.scene.walls if self.warp is None else WarpedField(self.scene.walls, self.warp)

    def to_rest(self, points: Tensor) -> Tensor:
        """Where the tissue at world points [3, N] lies at rest."""
        return points if self.warp is None else self.warp.to_rest(points)

    def clearance(self, points: Tensor) -> Tensor:
        """Distance [N] from world points [3, N] to the nearest tissue or thing, negative inside."""
        clearance = self.walls.clearance(points)
        for solid in self.solids:
            clearance = torch.minimum(clearance, solid.clearance(points))
        return clearance
