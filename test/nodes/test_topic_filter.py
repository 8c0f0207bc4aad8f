"""Which topics are meant."""

import pytest

from endo_depth_ros.nodes.topic_filter import TopicFilter
from endo_depth_ros.settings import SettingsError


@pytest.mark.parametrize(
    ("text", "namespace", "topic", "wanted"),
    [
        ("all", "/", "/a/b", True),
        ("all", "/", "/a/_hidden", False),
        ("/image_raw", "/", "/image_raw", True),
        ("/image_raw", "/", "/image_raw/compressed", False),
        ("image_raw", "/endo", "/endo/image_raw", True),
        ("image_raw", "/endo", "/image_raw", False),
        ("/depth/.*, /tf", "/", "/depth/camera_info", True),
        ("/depth/.*, /tf", "/", "/tf", True),
        ("/depth/.*, /tf", "/", "/tf_static", False),
    ],
)
def test_a_topic_is_wanted_by_its_whole_name(text, namespace, topic, wanted):
    assert (topic in TopicFilter(text, namespace)) is wanted


def test_a_broken_expression_is_one_sentence():
    with pytest.raises(SettingsError, match="no regular expression"):
        TopicFilter("/a(b")
