"""Writes a rosbag2 as one .mcap file that can be read up to the last half second even if the process is killed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from mcap.writer import CompressionType, Writer
from rosbags.interfaces import Qos
from rosbags.rosbag2.metadata import dump_qos_v8

from endo_depth_ros.bags.bag import BagTopic
from endo_depth_ros.bags.messages import TYPESTORE, definition_of
from endo_depth_ros.bags.output import OutputError

FLUSH_PERIOD_S = 0.5
COMPRESSIONS = {"none": CompressionType.NONE, "zstd": CompressionType.ZSTD}


class BagWriter:
    """One .mcap file, profile ros2, in chunks; use it as a context manager or call close. One thread at a time."""

    def __init__(
        self, path: Path, compression: str = "none", monotonic_s: Callable[[], float] = time.monotonic
    ) -> None:
        """Create the file. compression: none or zstd. Raises OutputError when the file exists or can't be created."""
        try:
            self._file = path.open("xb")
        except FileExistsError as error:
            raise OutputError(f"{path}: exists already; remove it or choose another name") from error
        except OSError as error:
            raise OutputError(f"{path}: can't be created ({error.strerror}); check the folder") from error
        self._path = path
        self._monotonic_s = monotonic_s
        self._flushed_s = monotonic_s()
        self._channels: dict[str, int] = {}
        self._schemas: dict[str, int] = {}
        self._writer = Writer(self._file, compression=COMPRESSIONS[compression])
        self._writer.start(profile="ros2", library="endo_depth_ros")
        self.flush()

    def add_topic(self, topic: BagTopic) -> None:
        """Announce a topic; one whose name is known already is ignored, a missing definition is looked up."""
        if topic.name in self._channels:
            return
        if topic.type not in self._schemas:
            text, encoding = topic.definition, topic.definition_encoding
            if not text:
                text = definition_of(topic.type)
                encoding = "ros2msg" if text else ""
            self._schemas[topic.type] = self._writer.register_schema(topic.type, encoding, text.encode())
        # Integers, the older form: every distribution reads it in a file without rosbag2's own metadata record.
        metadata = {"offered_qos_profiles": dump_qos_v8(list(topic.qos)), "topic_type_hash": _type_hash(topic.type)}
        self._channels[topic.name] = self._writer.register_channel(
            topic.name, "cdr", self._schemas[topic.type], metadata
        )

    def write(self, topic_name: str, stamp_ns: int, data: bytes) -> None:
        """Append CDR bytes to a topic that was added. Raises OutputError when the disk refuses them."""
        channel = self._channels[topic_name]
        self._attempt(lambda: self._writer.add_message(channel, stamp_ns, data, stamp_ns))
        if self._monotonic_s() - self._flushed_s >= FLUSH_PERIOD_S:
            self.flush()

    def write_message(self, topic_name: str, stamp_ns: int, message: Any, qos: Sequence[Qos] = ()) -> None:
        """Append a message of the rosbags type store; the first one of a topic adds it with the QoS."""
        if topic_name not in self._channels:
            self.add_topic(BagTopic(topic_name, message.__msgtype__, qos=tuple(qos)))
        self.write(topic_name, stamp_ns, bytes(TYPESTORE.serialize_cdr(message, message.__msgtype__)))

    def flush(self) -> None:
        """Hand everything written so far to the operating system. Call it at least every half second when idle."""
        self._attempt(self._writer.flush)
        self._flushed_s = self._monotonic_s()

    def close(self) -> None:
        """Write the index and close the file; a second call does nothing. Raises OutputError when the disk refuses."""
        if self._file.closed:
            return
        try:
            self._attempt(self._writer.finish)
        finally:
            # Hands over what the buffer still holds, so that it may fail like any write.
            self._attempt(self._file.close)

    def _attempt(self, write: Callable[[], None]) -> None:
        try:
            write()
        except OSError as error:
            raise OutputError(f"{self._path}: can't be written ({error.strerror}); free some disk space") from error

    def __enter__(self) -> BagWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _type_hash(type_name: str) -> str:
    return TYPESTORE.hash_rihs01(type_name) if type_name in TYPESTORE.fielddefs else ""
