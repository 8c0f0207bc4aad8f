"""Message classes and definitions by name."""

import pytest
from sensor_msgs.msg import Image

from endo_depth_ros.nodes import message_types
from endo_depth_ros.nodes.message_types import UnknownTypeError, full_definition, message_class


def test_a_class_is_found_by_its_type_name():
    assert message_class("sensor_msgs/msg/Image") is Image


@pytest.mark.parametrize("name", ["acme_msgs/msg/Thing", "sensor_msgs/msg/Nothing", "nonsense"])
def test_an_unknown_type_names_the_package_to_install(name):
    with pytest.raises(UnknownTypeError, match=f"{name} is not installed; install the package {name.split('/')[0]}"):
        message_class(name)


def test_standard_definitions_bring_what_they_need():
    text = full_definition("sensor_msgs/msg/Image")
    assert "uint8[] data" in text
    assert "MSG: std_msgs/Header" in text


def test_definitions_of_other_packages_are_read_from_their_files(tmp_path, monkeypatch):
    files = {
        "acme_msgs": {
            "Thing": "# a comment\nstd_msgs/Header header\nPart[] parts # more\nint32 ANSWER=42\nstring<=10 name\n",
            "Part": "float64[3] size\n",
        },
        "std_msgs": {"Header": "builtin_interfaces/Time stamp\nstring frame_id\n"},
        "builtin_interfaces": {"Time": "int32 sec\nuint32 nanosec\n"},
    }
    for package, messages in files.items():
        (tmp_path / package / "msg").mkdir(parents=True)
        for name, text in messages.items():
            (tmp_path / package / "msg" / f"{name}.msg").write_text(text)
    monkeypatch.setattr(message_types, "get_package_share_directory", lambda package: str(tmp_path / package))
    definition = full_definition("acme_msgs/msg/Thing")
    assert definition.startswith("# a comment")
    for name in ("acme_msgs/Part", "std_msgs/Header", "builtin_interfaces/Time"):
        assert f"MSG: {name}\n" in definition
    assert definition.count("MSG: ") == 3


def test_a_definition_that_is_nowhere_is_empty():
    assert full_definition("acme_msgs/msg/Thing") == ""
