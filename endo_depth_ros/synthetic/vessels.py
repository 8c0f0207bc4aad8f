"""Blood vessels as a net of lines on any surface: borders of warped cells in space, cut by the wall."""

from __future__ import annotations

from torch import Tensor

from endo_depth_ros.synthetic.noise_volume import NoiseVolume

BORDER_CELLS = 5  # cells of the border volume along one period


def vessel_opacity(borders: NoiseVolume, places: Tensor, warp: Tensor, half_width: Tensor, edge: float) -> Tensor:
    """How much of the wall a vessel covers, 0-1, [N].

    borders: two splits of the same cells. places: points in meshes of the net, [N, 3]. warp: added to them, [3, N].
    half_width: of the vessels in meshes, [N], not above zero where there are none. edge: width of the rim against it.
    """
    distance = borders.at((places + warp.T) / BORDER_CELLS).abs()
    covered = 1 + (1 - distance / (2 * half_width.clamp_min(1e-4))) / edge
    return covered.clamp(0, 1).amax(0) * (half_width * 200).clamp(0, 1)
