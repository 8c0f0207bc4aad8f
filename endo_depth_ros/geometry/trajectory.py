"""Camera poses over time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


class TrajectoryError(ValueError):
    """A trajectory can't be used or compared; the text says why and what to do."""


@dataclass(frozen=True, eq=False)
class Trajectory:
    """Camera poses over time.

    stamps_ns: int64 [N], rising. T_world_camera: float64 [N, 4, 4], metres. Raises TrajectoryError for anything else.
    """

    stamps_ns: NDArray[np.int64]
    T_world_camera: NDArray[np.float64]

    def __post_init__(self) -> None:
        if self.T_world_camera.shape != (len(self.stamps_ns), 4, 4):
            raise TrajectoryError(
                f"{len(self.stamps_ns)} stamps come with poses of shape {self.T_world_camera.shape}; give [N, 4, 4]"
            )
        if np.any(np.diff(self.stamps_ns) <= 0):
            raise TrajectoryError("stamps don't rise from pose to pose; sort the poses and drop doubles")
        if not np.isfinite(self.T_world_camera).all():
            raise TrajectoryError("a pose contains NaN or infinity; leave out the frames that were not tracked")

    @property
    def positions(self) -> NDArray[np.float64]:
        """Camera centres in the world, [N, 3], metres."""
        return self.T_world_camera[:, :3, 3]

    @property
    def path_length(self) -> float:
        """Metres along the camera centres."""
        return float(np.linalg.norm(np.diff(self.positions, axis=0), axis=1).sum())

    def at(self, index: NDArray[np.intp]) -> Trajectory:
        """The poses with these indices."""
        return Trajectory(self.stamps_ns[index], self.T_world_camera[index])
