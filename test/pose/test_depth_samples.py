"""Values of an image at single pixels."""

from __future__ import annotations

import numpy as np

from endo_depth_ros.pose.depth_samples import sample_nearest


def test_the_nearest_pixel_counts_also_beyond_the_rim() -> None:
    image = np.arange(12, dtype=np.float32).reshape(3, 4)
    pixels = np.array([[1.4, 0.4], [1.6, 1.6], [-3.0, 1.0], [9.0, 9.0]])
    np.testing.assert_array_equal(sample_nearest(image, pixels), [1, 10, 4, 11])


def test_what_is_not_known_stays_unknown() -> None:
    image = np.array([[np.nan, 1.0, np.inf]], np.float32)
    found = sample_nearest(image, np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]]))
    np.testing.assert_array_equal(found, [np.nan, 1.0, np.inf])
