"""An .mcap without its index, as a killed recorder leaves it: everything up to where it breaks, in time order."""

from __future__ import annotations

import heapq
import struct
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from mcap.exceptions import McapError
from mcap.records import Channel, Chunk, DataEnd, McapRecord, Message, Schema
from mcap.stream_reader import StreamReader, breakup_chunk
from rosbags.rosbag2 import ReaderError
from rosbags.rosbag2.metadata import parse_qos
from zstandard import ZstdError

from endo_depth_ros.bags.bag import Bag, BagTopic, RawMessage
from endo_depth_ros.bags.source import SourceError

# What the parsers and decompressors raise for bytes that are no record.
BROKEN = (McapError, ZstdError, struct.error, ValueError, RuntimeError, MemoryError, EOFError)
RECORD_LIMIT = 2**30


@dataclass(order=True)
class _Block:
    """A chunk, or a message that stands alone: time of its first message and place in the file."""

    start_ns: int
    offset: int


@dataclass
class _Index:
    """What a scan of the file finds."""

    blocks: list[_Block] = field(default_factory=list)
    schemas: dict[int, Schema] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict)
    counts: Counter[int] = field(default_factory=Counter)
    start_ns: int = 2**63 - 1
    end_ns: int = 0
    broken_chunks: int = 0
    complete: bool = False

    def add(self, records: list[McapRecord], offset: int) -> None:
        """Take in the records of one block."""
        stamps = [record.log_time for record in records if isinstance(record, Message)]
        for record in records:
            if isinstance(record, Schema):
                self.schemas[record.id] = record
            elif isinstance(record, Channel):
                self.channels[record.id] = record
            elif isinstance(record, Message):
                self.counts[record.channel_id] += 1
        if stamps:
            self.blocks.append(_Block(min(stamps), offset))
            self.start_ns, self.end_ns = min(self.start_ns, *stamps), max(self.end_ns, *stamps)


def open_truncated(path: Path) -> Bag:
    """Open an .mcap by scanning all of it. Raises SourceError when it holds no message or isn't an .mcap."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise SourceError(f"{path}: can't be read ({error.strerror}); check the path and permissions") from error
    index = _scan(file)
    topics = {channel.id: _topic(channel, index) for channel in index.channels.values()}
    if not index.blocks:
        file.close()
        raise SourceError(f"{path}: not a readable bag: no message can be found in it; record it again")

    def read(chosen: Collection[BagTopic], start_ns: int) -> Iterator[RawMessage]:
        wanted = {id_: topic for id_, topic in topics.items() if topic in chosen}
        for message in _messages_in_order(file, index):
            topic = wanted.get(message.channel_id)
            if topic is not None and message.log_time >= start_ns:
                yield RawMessage(topic, message.log_time, message.data)

    return Bag(str(path), tuple(topics.values()), index.start_ns, index.end_ns, read, file.close, _warning(path, index))


def _scan(file: BinaryIO) -> _Index:
    """Index the blocks up to the first byte that is no complete record."""
    index = _Index()
    offset = 0
    try:
        for record in StreamReader(file, emit_chunks=True, record_size_limit=RECORD_LIMIT).records:
            if isinstance(record, DataEnd):
                index.complete = True
                break
            if isinstance(record, Chunk):
                try:
                    index.add(breakup_chunk(record, validate_crc=True), offset)
                except BROKEN:
                    index.broken_chunks += 1
            else:
                index.add([record], offset)
            offset = file.tell()
    except BROKEN:
        pass
    return index


def _messages_in_order(file: BinaryIO, index: _Index) -> Iterator[Message]:
    """Messages by time; a message waits until no later block can hold an earlier one."""
    waiting: list[tuple[int, int, Message]] = []
    arrival = 0
    for block in sorted(index.blocks):
        while waiting and waiting[0][0] < block.start_ns:
            yield heapq.heappop(waiting)[2]
        for message in _read_block(file, block.offset):
            heapq.heappush(waiting, (message.log_time, arrival, message))
            arrival += 1
    while waiting:
        yield heapq.heappop(waiting)[2]


def _read_block(file: BinaryIO, offset: int) -> list[Message]:
    file.seek(offset)
    # The first record of the file stands behind the magic bytes; a block never does.
    record = next(StreamReader(file, skip_magic=True, emit_chunks=True).records)
    records = breakup_chunk(record) if isinstance(record, Chunk) else [record]
    return [record for record in records if isinstance(record, Message)]


def _topic(channel: Channel, index: _Index) -> BagTopic:
    schema = index.schemas.get(channel.schema_id)
    try:
        qos = tuple(parse_qos(channel.metadata.get("offered_qos_profiles", "")))
    except (ReaderError, KeyError, TypeError):
        qos = ()
    if schema is None:
        return BagTopic(channel.topic, "", qos=qos, message_count=index.counts[channel.id])
    text = schema.data.decode(errors="replace")
    return BagTopic(channel.topic, schema.name, text, schema.encoding, qos, index.counts[channel.id])


def _warning(path: Path, index: _Index) -> str:
    if index.complete and not index.broken_chunks:
        return f"{path}: its index is unusable, so it was read by scanning"
    what = f"{index.broken_chunks} damaged parts were left out" if index.broken_chunks else "it ends in mid-recording"
    return f"{path}: {what}, {sum(index.counts.values())} messages could be read"
