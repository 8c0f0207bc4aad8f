"""The size at which an image is worked on: within the settings, and with little that is only padding."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

# A network pads images to whole multiples; up to this share of resolution is given up for less of that.
MOST_LOSS = 0.05


@dataclass(frozen=True)
class WorkingSize:
    """Bounds in pixels of the rectified image and of the model's, which is padded to multiples of `multiple`."""

    width: int
    height: int
    multiple: int = 1

    def of(self, width: int, height: int) -> tuple[int, int]:
        """Bounds (width, height) for the rectified form of an image of this size.

        Those with the fewest pixels after padding at which the picture loses at most MOST_LOSS of its resolution.
        """
        full = shrinkage(width, height, (self.width, self.height))
        columns, rows = round(full * width), round(full * height)
        candidates = product((columns, self._whole(columns)), (rows, self._whole(rows)))
        good = [size for size in candidates if shrinkage(width, height, size) >= (1 - MOST_LOSS) * full]
        return min(
            good or [(self.width, self.height)],
            key=lambda size: (self._padded_area(size), -shrinkage(width, height, size)),
        )

    def _whole(self, side: int) -> int:
        return side // self.multiple * self.multiple

    def _padded_area(self, size: tuple[int, int]) -> int:
        across, down = (-(-side // self.multiple) for side in size)
        return across * down


def shrinkage(width: int, height: int, bounds: tuple[int, int]) -> float:
    """Factor by which an image shrinks to fit the bounds; it is never enlarged."""
    return min(1.0, bounds[0] / width, bounds[1] / height)
