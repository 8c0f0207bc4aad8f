"""In lock step nodes answer every frame, whatever the settings say."""

import yaml

from endo_depth_ros.cli.lock_step_parameters import LOCK_STEP, write_parameters
from endo_depth_ros.nodes.depth_settings import DepthNodeSettings
from endo_depth_ros.nodes.pose_settings import PoseNodeSettings
from endo_depth_ros.pose.settings import PoseSettings
from endo_depth_ros.settings import make


def parameters(tmp_path, settings):
    return yaml.safe_load(write_parameters(tmp_path / "p.yaml", settings).read_text())["/**"]["ros__parameters"]


def test_both_nodes_take_their_own_parameters_of_one_list(tmp_path):
    chosen = DepthNodeSettings(processing="latest", synchronous=False, min_depth_m=0.002)
    depth = parameters(tmp_path, chosen)
    pose = parameters(tmp_path, PoseSettings())
    assert (depth["processing"], depth["synchronous"], depth["min_depth_m"]) == ("every", True, 0.002)
    assert pose["synchronous"] is True
    assert pose["tf_wait_s"] == 0
    assert "image_transport" not in pose
    assert "tf_wait_s" not in depth
    assert set(LOCK_STEP) <= set(depth) | set(pose)
    for kind, values in ((DepthNodeSettings, depth), (PoseNodeSettings, pose)):
        make(kind, values)
