"""Settings of record_node."""

from __future__ import annotations

from dataclasses import dataclass

from endo_depth_ros.bags.bag_reader import MCAP
from endo_depth_ros.bags.bag_writer import COMPRESSIONS
from endo_depth_ros.nodes.topic_filter import ALL
from endo_depth_ros.settings import SettingsError, setting


@dataclass(frozen=True)
class RecordSettings:
    """Parameters of record_node."""

    output: str = setting("", "File to write, NAME.mcap; it must not exist")
    topics: str = setting(ALL, "Topics to record: all, or names and regular expressions separated by commas")
    compression: str = setting("none", "Compression of the file's chunks", choices=tuple(COMPRESSIONS))
    max_queue_mb: int = setting(
        512, "Memory for messages that wait for the disk; more are dropped and counted", unit="MB", minimum=16
    )

    def check(self) -> None:
        """Raise SettingsError when there is nowhere to write."""
        if not self.output.endswith(MCAP):
            raise SettingsError(f"output is '{self.output}'; give the file to write, NAME.mcap")
