"""The scale goes over the wire without loss, and what can't be one is refused."""

import pytest
from std_msgs.msg import Header

from endo_depth_ros.contracts import Scale, ScaleState
from endo_depth_ros.nodes.scale_messages import ScaleMessageError, scale_message, scale_of

SCALE = Scale(ScaleState.METRIC, 1.0 / 3.0, 0.001, 7)


def message_with(key, value):
    message = scale_message(Header(), SCALE, "measured")
    for pair in message.status[0].values:
        pair.value = value if pair.key == key else pair.value
    return message


def test_a_scale_comes_back_to_the_bit():
    assert scale_of(scale_message(Header(), SCALE, "measured")) == SCALE


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("value", "nan", "a scale of nan is impossible"),
        ("value", "0.0", "a scale of 0.0 is impossible"),
        ("epoch", "two", "can't be read"),
        ("state", "perfect", "can't be read"),
    ],
)
def test_what_is_no_scale_is_refused(key, value, words):
    with pytest.raises(ScaleMessageError, match=words):
        scale_of(message_with(key, value))


def test_a_message_without_keys_is_refused():
    message = scale_message(Header(), SCALE, "measured")
    message.status = []
    with pytest.raises(ScaleMessageError, match="'state' is missing"):
        scale_of(message)
