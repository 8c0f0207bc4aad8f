"""The way of maps from the device to NumPy."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class HostCopy:
    """Brings maps of one shape from a GPU in one transfer, through pinned memory that is kept."""

    def __init__(self) -> None:
        """Memory is taken at the first transfer."""
        self._pinned = torch.empty(0)

    def fetch(self, *maps: Tensor) -> list[NDArray[np.float32]]:
        """Each map [H, W] as a float array of its own. Raises RuntimeError when the device fails."""
        if maps[0].device.type == "cpu":
            return [each.float().numpy() for each in maps]
        together = torch.stack([each.float() for each in maps])
        if self._pinned.shape != together.shape:
            self._pinned = torch.empty(together.shape, pin_memory=True)
        self._pinned.copy_(together, non_blocking=True)
        torch.cuda.current_stream(together.device).synchronize()
        return list(self._pinned.numpy().copy())
