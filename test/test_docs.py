"""Pages that are written from the code are up to date."""

import runpy
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_parameter_page_is_what_the_settings_say():
    page = runpy.run_path(str(ROOT / "docs" / "write_parameters.py"))["page"]
    assert (ROOT / "docs" / "parameters.md").read_text() == page(), "run docs/write_parameters.py"


def test_the_status_keys_of_depth_node_are_documented():
    from std_msgs.msg import Header

    from endo_depth_ros.contracts import FrameStatus, Verdict
    from endo_depth_ros.nodes.messages import status_message

    text = (ROOT / "docs" / "nodes" / "depth_node.md").read_text()
    keys = [pair.key for pair in status_message(Header(), FrameStatus(0, Verdict.OK), {}).status[0].values]
    assert [key for key in keys if f"`{key}`" not in text] == []
    assert [verdict.value for verdict in Verdict if f"`{verdict.value}`" not in text] == []
