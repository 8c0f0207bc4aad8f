"""Bags that are written, read back, cut short and damaged."""

import errno
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rosbags.highlevel import AnyReader
from rosbags.interfaces import QosDurability
from rosbags.rosbag2 import StoragePlugin, Writer
from synthetic_media import (
    FRAME_ID,
    LATCHED,
    PERIOD_NS,
    START_NS,
    calibrated_camera,
    make_image,
    write_bag,
    write_corrupt_sqlite,
)

from endo_depth_ros.bags.bag import BagTopic, CorruptBagError
from endo_depth_ros.bags.bag_reader import open_bag
from endo_depth_ros.bags.bag_writer import BagWriter
from endo_depth_ros.bags.messages import TYPESTORE, make_depth_image, make_header, make_transforms
from endo_depth_ros.bags.output import OutputError
from endo_depth_ros.bags.source import SourceError

STRING = "std_msgs/msg/String"


def string(text: str) -> bytes:
    """CDR of a std_msgs/String."""
    return bytes(TYPESTORE.serialize_cdr(TYPESTORE.types[STRING](text), STRING))


def write_sqlite(path, count=5):
    """A rosbag2 folder with sqlite3 storage by the rosbags library."""
    with Writer(path, version=8, storage_plugin=StoragePlugin.SQLITE3) as writer:
        connection = writer.add_connection("/chatter", STRING, typestore=TYPESTORE)
        for index in range(count):
            writer.write(connection, 1000 + index, string(str(index)))
    return path


def test_a_bag_is_read_back_by_the_rosbags_library(tmp_path):
    path = write_bag(tmp_path / "bag.mcap", 3, calibrated_camera())
    with AnyReader([path]) as reader:
        topics = {connection.topic: connection.msgtype for connection in reader.connections}
        images = [
            (stamp_ns, reader.deserialize(data, connection.msgtype))
            for connection, stamp_ns, data in reader.messages()
            if connection.topic == "/image_raw"
        ]
    assert topics == {"/image_raw": "sensor_msgs/msg/Image", "/camera_info": "sensor_msgs/msg/CameraInfo"}
    for index, (stamp_ns, image) in enumerate(images):
        assert stamp_ns == START_NS + index * PERIOD_NS
        assert (image.encoding, image.step, image.header.frame_id) == ("rgb8", 64 * 3, FRAME_ID)
        np.testing.assert_array_equal(image.data.reshape(48, 64, 3), make_image(index))


def test_latched_quality_of_service_survives(tmp_path):
    path = tmp_path / "bag.mcap"
    with BagWriter(path) as writer:
        T = np.eye(4)
        T[:3, 3] = (1, 2, 3)
        writer.write_message("/tf_static", 5, make_transforms(5, "base", "camera", T), [LATCHED])
    with open_bag(path) as bag:
        (topic,) = bag.topics
        (message,) = bag.messages()
    assert [qos.durability for qos in topic.qos] == [QosDurability.TRANSIENT_LOCAL]
    transform = TYPESTORE.deserialize_cdr(message.data, topic.type).transforms[0]
    assert (transform.header.frame_id, transform.child_frame_id) == ("base", "camera")
    assert (transform.transform.translation.x, transform.transform.rotation.w) == (1, 1)


def test_depth_keeps_nan_and_infinities(tmp_path):
    depth = np.array([[0.05, np.nan], [-np.inf, np.inf]], np.float32)
    message = make_depth_image(1, "c", depth)
    assert (message.encoding, message.step) == ("32FC1", 8)
    np.testing.assert_array_equal(message.data.view("<f4").reshape(2, 2), depth)


@given(stamp_ns=st.integers(0, 2**31 * 10**9 - 1))
def test_stamps_survive_the_header(stamp_ns):
    stamp = make_header(stamp_ns, "c").stamp
    assert stamp.sec * 10**9 + stamp.nanosec == stamp_ns
    assert 0 <= stamp.nanosec < 10**9


@settings(max_examples=20, deadline=None)
@given(stamps=st.lists(st.integers(0, 2**62), min_size=1, max_size=40), compression=st.sampled_from(["none", "zstd"]))
def test_messages_come_back_in_time_order_whole_or_cut(tmp_path_factory, stamps, compression):
    path = tmp_path_factory.mktemp("bag") / "bag.mcap"
    ticks = iter(range(10**6))
    with BagWriter(path, compression, monotonic_s=lambda: 0.3 * next(ticks)) as writer:
        writer.add_topic(BagTopic("/chatter", STRING))
        for index, stamp_ns in enumerate(stamps):
            writer.write("/chatter", stamp_ns, string(str(index)))
        writer.flush()
        size = path.stat().st_size
    with open_bag(path) as bag:
        whole = [message.stamp_ns for message in bag.messages()]
    path.write_bytes(path.read_bytes()[:size])
    with open_bag(path) as bag:
        cut = [message.stamp_ns for message in bag.messages()]
        assert bag.warning
        assert (bag.start_ns, bag.end_ns, bag.message_count) == (min(stamps), max(stamps), len(stamps))
    assert whole == cut == sorted(stamps)


def test_a_message_is_on_disk_after_half_a_second(tmp_path):
    now_s = 0.0
    path = tmp_path / "bag.mcap"
    writer = BagWriter(path, monotonic_s=lambda: now_s)
    writer.add_topic(BagTopic("/chatter", STRING))
    for index in range(11):
        now_s = index * 0.1
        writer.write("/chatter", index, string("x"))
    with open_bag(path) as bag:
        assert bag.message_count == 11
        assert "ends in mid-recording" in bag.warning
    writer.close()
    with open_bag(path) as bag:
        assert bag.message_count == 11
        assert not bag.warning


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_bag_cut_anywhere_keeps_what_was_before(tmp_path, share):
    path = write_bag(tmp_path / "bag.mcap", 400, calibrated_camera())
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with open_bag(path) as bag:
        stamps_ns = [m.stamp_ns for m in bag.messages() if m.topic.name == "/image_raw"]
        assert "bag.mcap" in bag.warning
    assert stamps_ns == [START_NS + index * PERIOD_NS for index in range(len(stamps_ns))]
    # What is lost is at most the chunk, about 1 MiB or 110 images, in which the file ends.
    assert len(stamps_ns) > 400 * share - 130


def test_a_damaged_chunk_costs_only_itself(tmp_path):
    path = write_bag(tmp_path / "bag.mcap", 400)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content[:-8])
    with open_bag(path) as bag:
        count = sum(1 for _ in bag.messages())
        assert "1 damaged parts were left out" in bag.warning
    assert 200 < count < 400


def test_reading_can_start_later_and_choose_topics(tmp_path):
    path = write_bag(tmp_path / "bag.mcap", 10, calibrated_camera())
    with open_bag(path) as bag:
        images = [topic for topic in bag.topics if topic.name == "/image_raw"]
        messages = list(bag.messages(images, START_NS + 4 * PERIOD_NS))
    assert [message.stamp_ns for message in messages] == [START_NS + i * PERIOD_NS for i in range(4, 10)]
    assert {message.topic.name for message in messages} == {"/image_raw"}


def test_a_sqlite_folder_and_its_bare_file_are_read(tmp_path):
    folder = write_sqlite(tmp_path / "bag")
    for path in (folder, next(folder.glob("*.db3"))):
        with open_bag(path) as bag:
            assert [message.stamp_ns for message in bag.messages()] == [1000, 1001, 1002, 1003, 1004]
            assert (bag.message_count, bag.start_ns, bag.end_ns) == (5, 1000, 1004)


def test_a_folder_whose_recorder_died_is_read_with_a_warning(tmp_path):
    folder = write_sqlite(tmp_path / "bag")
    (folder / "metadata.yaml").unlink()
    with open_bag(folder) as bag:
        assert len(list(bag.messages())) == 5
        assert "no metadata.yaml" in bag.warning


def test_split_files_without_metadata_are_one_bag(tmp_path):
    folder = tmp_path / "bag"
    folder.mkdir()
    for part in range(2):
        with BagWriter(folder / f"bag_{part}.mcap") as writer:
            writer.add_topic(BagTopic("/chatter", STRING))
            writer.write("/chatter", 10 + part, string(str(part)))
    (folder / "bag_2.mcap").touch()
    with open_bag(folder) as bag:
        assert [(m.stamp_ns, m.topic.name) for m in bag.messages(bag.topics)] == [(10, "/chatter"), (11, "/chatter")]
        assert bag.message_count == 2
        assert "bag_2.mcap" in bag.warning


@pytest.mark.parametrize("name", ["bag.mcap", "bag.db3"])
@pytest.mark.parametrize("content", [b"", b"\x89MCAP0\r\n", b"garbage" * 1000])
def test_a_file_that_is_no_bag_is_one_sentence(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SourceError, match=name) as caught:
        open_bag(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("metadata", ["", "a: b", "rosbag2_bagfile_information: 3", ": {"])
def test_a_folder_with_broken_metadata_and_no_files_is_one_sentence(tmp_path, metadata):
    (tmp_path / "metadata.yaml").write_text(metadata)
    with pytest.raises(SourceError, match="not a readable bag"):
        open_bag(tmp_path)


def test_a_folder_that_is_no_bag_is_one_sentence(tmp_path):
    with pytest.raises(SourceError, match="not a bag"):
        open_bag(tmp_path)


def test_an_existing_file_is_not_overwritten(tmp_path):
    path = tmp_path / "bag.mcap"
    path.write_text("precious")
    with pytest.raises(OutputError, match="exists already"):
        BagWriter(path)
    assert path.read_text() == "precious"


def test_a_full_disk_is_one_sentence(tmp_path, monkeypatch):
    def fail():
        raise OSError(errno.ENOSPC, "No space left on device")

    writer = BagWriter(tmp_path / "bag.mcap")
    monkeypatch.setattr(writer._writer, "flush", fail)
    with pytest.raises(OutputError, match=r"bag\.mcap: can't be written \(No space left on device\); free"):
        writer.flush()


def test_a_disk_that_is_full_at_the_end_is_one_sentence(tmp_path, full_disk):
    writer = BagWriter(tmp_path / "bag.mcap")
    writer.add_topic(BagTopic("/chatter", STRING))
    # Little enough to stay in Python's buffer until the file is closed.
    writer.write("/chatter", 1, string("x" * 100))
    sentence = r"bag\.mcap: can't be written \(.*\); free some disk space"
    with full_disk((tmp_path / "bag.mcap").stat().st_size), pytest.raises(OutputError, match=sentence):
        writer.close()
    writer.close()


def test_a_corrupt_sqlite_bag_is_one_sentence(tmp_path):
    path = write_corrupt_sqlite(tmp_path / "bag")
    stamps_ns = []
    with open_bag(path) as bag, pytest.raises(CorruptBagError, match=r"\.db3: the bag is corrupt .*; recover it with"):
        stamps_ns.extend(message.stamp_ns for message in bag.messages())
    assert stamps_ns == list(range(len(stamps_ns)))
    assert 0 < len(stamps_ns) < 2000


def test_an_unknown_type_is_kept_without_a_definition(tmp_path):
    path = tmp_path / "bag.mcap"
    with BagWriter(path) as writer:
        writer.add_topic(BagTopic("/x", "acme_msgs/msg/Thing"))
        writer.write("/x", 1, b"\x00\x01\x00\x00abcd")
    with open_bag(path) as bag:
        (message,) = bag.messages()
    assert (message.topic.type, message.data) == ("acme_msgs/msg/Thing", b"\x00\x01\x00\x00abcd")


def test_a_bag_that_may_not_be_read_is_one_sentence(tmp_path, monkeypatch):
    path = write_bag(tmp_path / "bag.mcap", 2)

    def refuse(*arguments, **options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(SourceError, match=r"bag\.mcap: can't be read \(Permission denied\)"):
        open_bag(path)
