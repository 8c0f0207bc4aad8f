"""Settings of replay_node."""

from __future__ import annotations

from dataclasses import dataclass

from endo_depth_ros.nodes.topic_filter import ALL
from endo_depth_ros.settings import SettingsError, setting


@dataclass(frozen=True)
class ReplaySettings:
    """Parameters of replay_node."""

    bag: str = setting("", "rosbag2 folder, .mcap or .db3")
    rate: float = setting(1.0, "Recorded seconds per second", minimum=0.001, maximum=1000.0)
    start_offset_s: float = setting(0.0, "Where in the bag to start", unit="s", minimum=0.0, maximum=1e9)
    loop: bool = setting(False, "Start again at the end; the clock jumps back")
    paused: bool = setting(False, "Start paused; ~/pause resumes")
    topics: str = setting(ALL, "Topics to replay: all, or names and regular expressions separated by commas")
    clock_rate_hz: float = setting(
        100.0, "Messages on /clock in a second; 0 publishes no clock", unit="Hz", minimum=0.0, maximum=1000.0
    )
    wait_for_subscribers: str = setting(
        "", "Topics, separated by commas, that need a subscriber before the first message"
    )
    wait_for_node: str = setting("", "Name of the node that must be their subscriber, such as depth_node; '' takes any")
    wait_timeout_s: float = setting(
        30.0, "Give up when they have none after this long; 0 waits for ever", unit="s", minimum=0.0
    )
    acknowledge_timeout_s: float = setting(
        2.0, "Longest wait at the end until reliable subscribers have received everything", unit="s", minimum=0.0
    )

    def check(self) -> None:
        """Raise SettingsError when there is nothing to replay."""
        if not self.bag:
            raise SettingsError("bag is empty; give a rosbag2 folder, .mcap or .db3")
