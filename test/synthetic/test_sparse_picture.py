"""Every third pixel and back."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from endo_depth_ros.synthetic.sparse_picture import STEP, SparsePicture, every_third


@given(height=st.integers(1, 40), width=st.integers(1, 40))
def test_pictures_of_any_size_come_back_at_their_size(height, width):
    depth = torch.ones(height, width)
    sparse = every_third(torch.full((1, height, width), 0.7))[0]
    torch.testing.assert_close(SparsePicture.of(depth).enlarge(sparse), torch.full((height, width), 0.7))


def test_ramps_on_one_wall_come_back_as_ramps():
    ramp = torch.arange(31.0).expand(22, 31)
    got = SparsePicture.of(torch.ones(22, 31)).enlarge(every_third(ramp[None])[0])
    torch.testing.assert_close(got, ramp, rtol=0, atol=0.02 * STEP)


@pytest.mark.parametrize("edge", [15, 16, 17])
def test_values_stay_on_their_side_of_an_edge(edge):
    near = (torch.arange(33) < edge).expand(24, 33)
    depth, values = torch.where(near, 0.01, 0.03), near.float()
    got = SparsePicture.of(depth).enlarge(every_third(values[None])[0])
    torch.testing.assert_close(got, values, rtol=0, atol=0.01)
