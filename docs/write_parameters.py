"""Write docs/parameters.md from the settings of the nodes. Run it after changing a setting; a test compares."""

from __future__ import annotations

from pathlib import Path

from endo_depth_ros.nodes.depth_settings import DepthNodeSettings
from endo_depth_ros.nodes.pose_settings import PoseNodeSettings
from endo_depth_ros.nodes.record_settings import RecordSettings
from endo_depth_ros.nodes.replay_settings import ReplaySettings
from endo_depth_ros.nodes.video_settings import VideoSettings
from endo_depth_ros.settings import Entry, entries

NODES = {
    "depth_node": DepthNodeSettings,
    "pose_node": PoseNodeSettings,
    "video_node": VideoSettings,
    "replay_node": ReplaySettings,
    "record_node": RecordSettings,
}
PAGE = Path(__file__).parent / "parameters.md"
HEAD = """# Parameters

Written by `docs/write_parameters.py` from the settings in the code. `live` parameters may change while the node runs;
the others take effect when the node is configured (lifecycle nodes) or started.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *(section(node, cls) for node, cls in NODES.items())])


def section(node: str, cls: type) -> str:
    """The table of one node."""
    head = [f"## {node}", "", "| parameter | type | default | allowed | live | meaning |", "|---|---|---|---|---|---|"]
    return "\n".join([*head, *map(row, entries(cls)), ""])


def row(entry: Entry) -> str:
    """The line of one setting."""
    rule = entry.rule
    unit = f" {rule.unit}" if rule.unit else ""
    default = f"`{str(entry.default).lower()}`" if entry.type is bool else f"`{entry.default!r}`"
    low = "" if rule.minimum is None else f"≥ {rule.minimum:g}{unit}"
    high = "" if rule.maximum is None else f"≤ {rule.maximum:g}{unit}"
    allowed = ", ".join(filter(None, (low, high))) or ", ".join(rule.choices)
    live = "yes" if rule.live else ""
    return f"| `{entry.name}` | {entry.type.__name__} | {default}{unit} | {allowed} | {live} | {rule.description} |"


if __name__ == "__main__":
    PAGE.write_text(page())
