"""What is sent to depth_node and how its parameters are written; the whole is run by the command's tests."""

import numpy as np
import pytest
from std_msgs.msg import Header
from wall import CAMERA, Wall

from endo_depth_ros.benchmark.images import encode
from endo_depth_ros.benchmark.over_graph import message_of, parameters_of
from endo_depth_ros.nodes.depth_settings import DepthNodeSettings
from endo_depth_ros.nodes.image_input import rgb_of_compressed, rgb_of_image
from endo_depth_ros.settings import make


def test_only_parameters_that_were_chosen_are_given_each_in_its_type():
    assert parameters_of(DepthNodeSettings()) == {}
    chosen = make(DepthNodeSettings, {"weights": "a b.safetensors", "allow_relative": True, "hfov_deg": 70.0})
    assert parameters_of(chosen) == {"weights": '"a b.safetensors"', "allow_relative": "true", "hfov_deg": "70.0"}


@pytest.mark.parametrize(("as_jpeg", "tolerance"), [(False, 0), (True, 5)])
def test_depth_node_reads_what_is_sent(as_jpeg, tolerance):
    image = Wall().frame(0)[0].image
    message = message_of(Header(frame_id="scope"), encode(image, CAMERA, as_jpeg))
    received = rgb_of_compressed(message, 10**6) if as_jpeg else rgb_of_image(message)
    assert np.abs(received.astype(int) - image).mean() <= tolerance
    assert message.header.frame_id == "scope"
