"""Raw messages of a rosbag2 in time order: mcap or sqlite3, a folder or a bare file, even if its recorder died."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

from rosbags.interfaces import Connection, ConnectionExtRosbag2, MessageDefinitionFormat
from rosbags.rosbag2 import Reader

from endo_depth_ros.bags.bag import Bag, BagTopic, CorruptBagError, RawMessage
from endo_depth_ros.bags.source import SourceError, check_readable
from endo_depth_ros.bags.truncated_mcap import open_truncated

METADATA = "metadata.yaml"
MCAP, SQLITE = ".mcap", ".db3"
SUFFIXES = (MCAP, SQLITE)
SCHEMA_ENCODINGS = {MessageDefinitionFormat.MSG: "ros2msg", MessageDefinitionFormat.IDL: "ros2idl"}


def is_bag(path: Path) -> bool:
    """Whether the path looks like a rosbag2: its folder or one of its files. Raises SourceError if none may tell."""
    check_readable(path, "file or folder")
    if path.is_dir():
        return (path / METADATA).is_file() or bool(_bag_files(path))
    return path.suffix in SUFFIXES


def open_bag(path: Path) -> Bag:
    """Open a rosbag2 folder or file. What a killed recorder leaves, without index or metadata, is read by scanning it.

    Raises SourceError for missing, empty or corrupt files and folders that are no bag.
    """
    check_readable(path, "bag")
    if path.is_dir() and not (path / METADATA).is_file():
        return _open_files_of(path, f"{path}: has no {METADATA}, as if its recorder had been killed")
    if path.suffix == MCAP and path.is_file() and not _has_end(path):
        return open_truncated(path)
    try:
        return _open_by_rosbags(path)
    except SourceError as error:
        if path.is_dir() and _bag_files(path):
            return _open_files_of(path, str(error))
        if path.suffix == MCAP:
            return open_truncated(path)
        raise


def _open_by_rosbags(path: Path) -> Bag:
    try:
        reader = Reader(path)
        reader.open()
    # The library lets errors of its parsers and of sqlite through, whose classes depend on where the file is broken.
    except Exception as error:
        why = _one_line(error).replace(str(path), "it")
        raise SourceError(f"{path}: not a readable bag ({why}); give a rosbag2 folder, .mcap or .db3") from error
    topics, topic_of = _merge_connections(reader.connections)

    def read(chosen: Collection[BagTopic], start_ns: int) -> Iterator[RawMessage]:
        connections = [connection for connection in reader.connections if topic_of[connection.id] in chosen]
        try:
            for connection, stamp_ns, data in reader.messages(connections, start=start_ns or None):
                yield RawMessage(topic_of[connection.id], stamp_ns, bytes(data))
        # As above: the parsers' and sqlite's own classes come through here too.
        except Exception as error:
            raise CorruptBagError(f"{path}: the bag is corrupt ({_one_line(error)})") from error

    empty = reader.message_count == 0
    start_ns, end_ns = (0, 0) if empty else (reader.start_time, reader.end_time - 1)
    return Bag(str(path), topics, start_ns, end_ns, read, reader.close)


def _merge_connections(connections: list[Connection]) -> tuple[tuple[BagTopic, ...], dict[int, BagTopic]]:
    """One BagTopic for all connections of one name and type, and which connection id belongs to which."""
    merged: dict[tuple[str, str], BagTopic] = {}
    for connection in connections:
        key = (connection.topic, connection.msgtype)
        encoding = SCHEMA_ENCODINGS.get(connection.msgdef.format, "")
        seen = merged.get(key, BagTopic(*key, connection.msgdef.data if encoding else "", encoding))
        offered = connection.ext.offered_qos_profiles if isinstance(connection.ext, ConnectionExtRosbag2) else []
        merged[key] = replace(seen, qos=(*seen.qos, *offered), message_count=seen.message_count + connection.msgcount)
    return tuple(merged.values()), {c.id: merged[(c.topic, c.msgtype)] for c in connections}


def _open_files_of(path: Path, complaint: str) -> Bag:
    """The files of a folder as one bag, where metadata.yaml is missing or wrong."""
    files = _bag_files(path)
    if not files:
        raise SourceError(f"{path}: not a bag: it has no {METADATA}, .mcap or .db3; give a rosbag2 folder or file")
    bags, complaints = _open_readable(files)
    if not bags:
        raise SourceError(complaints[0])
    topics = _merge_topics(bags)

    def read(chosen: Collection[BagTopic], start_ns: int) -> Iterator[RawMessage]:
        keys = {(topic.name, topic.type) for topic in chosen}
        chosen_of = [[topic for topic in bag.topics if (topic.name, topic.type) in keys] for bag in bags]
        streams = [bag.messages(chosen, start_ns) for bag, chosen in zip(bags, chosen_of, strict=True)]
        for message in heapq.merge(*streams, key=lambda message: message.stamp_ns):
            yield replace(message, topic=topics[message.topic.name, message.topic.type])

    def close() -> None:
        for bag in bags:
            bag.close()

    filled = [bag for bag in bags if bag.message_count]
    start_ns = min((bag.start_ns for bag in filled), default=0)
    end_ns = max((bag.end_ns for bag in filled), default=0)
    warning = ". ".join([complaint, *complaints, *(bag.warning for bag in bags if bag.warning)])
    return Bag(str(path), tuple(topics.values()), start_ns, end_ns, read, close, warning)


def _open_readable(files: list[Path]) -> tuple[list[Bag], list[str]]:
    bags, complaints = [], []
    for file in files:
        try:
            bags.append(open_bag(file))
        except SourceError as error:
            complaints.append(str(error))
    return bags, complaints


def _merge_topics(bags: list[Bag]) -> dict[tuple[str, str], BagTopic]:
    merged: dict[tuple[str, str], BagTopic] = {}
    for topic in (topic for bag in bags for topic in bag.topics):
        key = (topic.name, topic.type)
        seen = merged.get(key, replace(topic, message_count=0))
        merged[key] = replace(seen, message_count=seen.message_count + topic.message_count)
    return merged


def _bag_files(path: Path) -> list[Path]:
    files = [file for file in path.iterdir() if file.suffix in SUFFIXES and not file.name.startswith(".")]
    return sorted(files, key=lambda file: (len(file.name), file.name))


def _has_end(path: Path) -> bool:
    """Whether the .mcap ends as it should; False for one that can't be read, of which the scan says why."""
    magic = b"\x89MCAP0\r\n"
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(size - len(magic), 0))
            return file.read() == magic
    except OSError:
        return False


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
