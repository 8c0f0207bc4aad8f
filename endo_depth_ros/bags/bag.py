"""An open rosbag2: its topics and its raw messages in time order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from types import TracebackType

from rosbags.interfaces import Qos

from endo_depth_ros.bags.source import SourceError

RECOVERY = "recover it with: endo-depth convert BAG RECOVERED.mcap"


class CorruptBagError(SourceError):
    """A bag breaks off while it is read. fact: file and reason, without the advice that the text ends with."""

    def __init__(self, fact: str) -> None:
        """fact: one sentence's beginning, such as 'surgery.db3: the bag is corrupt (malformed)'."""
        super().__init__(f"{fact}; {RECOVERY}")
        self.fact = fact


@dataclass(frozen=True)
class BagTopic:
    """One topic of a bag.

    type: such as sensor_msgs/msg/Image. definition: its text in `definition_encoding` (ros2msg, ros2idl), or ''.
    qos: what the recorded publishers offered. message_count: messages in the bag.
    """

    name: str
    type: str
    definition: str = ""
    definition_encoding: str = ""
    qos: tuple[Qos, ...] = ()
    message_count: int = 0


@dataclass(frozen=True)
class RawMessage:
    """One message as recorded: CDR bytes and the time of recording."""

    topic: BagTopic
    stamp_ns: int
    data: bytes


@dataclass(frozen=True)
class Bag:
    """An open bag. start_ns, end_ns: times of the first and last message, 0 when there is none.

    warning: what was wrong with the file but could be repaired, or ''.
    """

    name: str
    topics: tuple[BagTopic, ...]
    start_ns: int
    end_ns: int
    read: Callable[[Collection[BagTopic], int], Iterator[RawMessage]]
    close: Callable[[], None]
    warning: str = ""

    @property
    def advice(self) -> str:
        """The warning and what to do about it, or ''."""
        return f"{self.warning}; {RECOVERY}" if self.warning else ""

    @property
    def message_count(self) -> int:
        """Messages of all topics."""
        return sum(topic.message_count for topic in self.topics)

    def messages(self, topics: Collection[BagTopic] | None = None, start_ns: int = 0) -> Iterator[RawMessage]:
        """Messages of the topics (None: all) from start_ns on by time. Raises SourceError where the file breaks."""
        chosen = self.topics if topics is None else topics
        return self.read(chosen, start_ns) if chosen else iter(())

    def __enter__(self) -> Bag:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
