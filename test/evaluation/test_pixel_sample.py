"""A sample is everything while it fits, and an even part of the stream beyond."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from endo_depth_ros.evaluation.pixel_sample import PixelSample


@given(st.lists(st.integers(0, 40), max_size=12), st.integers(1, 20))
def test_what_is_kept_is_every_stride_th_of_the_stream(lengths, limit):
    sample, start = PixelSample(1, limit), 0
    for length in lengths:
        sample.add(np.arange(start, start + length, dtype=np.float64)[:, None])
        start += length
    kept = sample.rows()[:, 0]
    assert len(kept) <= limit
    np.testing.assert_array_equal(kept, np.arange(0, start, sample.stride))
    assert sample.stride == 1 or start > limit
