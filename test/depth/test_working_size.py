"""Which size an image is worked on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endo_depth_ros.depth.working_size import MOST_LOSS, WorkingSize, shrinkage

NETWORK = WorkingSize(320, 256, 32)


def padded(size):
    return tuple(-(-side // 32) * 32 for side in size)


@pytest.mark.parametrize(
    ("image", "network"),
    [
        ((640, 512), (320, 256)),
        ((516, 512), (256, 256)),
        ((1920, 1080), (320, 192)),
        ((640, 480), (320, 256)),
        ((268, 256), (256, 256)),
        ((200, 200), (192, 192)),
        ((20, 10), (32, 32)),
    ],
)
def test_the_networks_size_has_little_padding(image, network):
    assert padded(NETWORK.of(*image)) == network


def test_a_model_that_pads_nothing_gets_the_settings_bounds():
    assert WorkingSize(320, 256).of(640, 512) == (320, 256)
    assert WorkingSize(320, 256).of(516, 512) == (258, 256)


@given(width=st.integers(1, 4000), height=st.integers(1, 4000))
def test_little_resolution_is_lost_and_the_settings_bounds_hold(width, height):
    size = NETWORK.of(width, height)
    assert size[0] <= 320
    assert size[1] <= 256
    full = shrinkage(width, height, (320, 256))
    # A side is rounded to whole pixels.
    assert shrinkage(width, height, size) >= (1 - MOST_LOSS) * full - 0.5 / min(width, height) - 1e-9
