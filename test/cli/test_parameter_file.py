"""One parameter file for several nodes."""

import pytest

from endo_depth_ros.cli.parameter_file import values_for
from endo_depth_ros.cli.pose_parameters import read_pose_settings
from endo_depth_ros.nodes.depth_settings import DepthNodeSettings
from endo_depth_ros.settings import SettingsError, make


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text(
        "/**: {ros__parameters: {model: shading, path_poses: 7, allow_relative: true}}\n"
        "pose_node: {ros__parameters: {publish_tf: false}}\n"
    )
    return path


def test_under_all_nodes_may_stand_what_only_one_knows(file):
    assert values_for(file, "depth_node") == {"model": "shading", "allow_relative": True}
    assert values_for(file, "pose_node") == {"path_poses": 7, "allow_relative": True, "publish_tf": False}


def test_what_no_node_knows_is_still_refused(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text("/**: {ros__parameters: {modle: shading}}\n")
    with pytest.raises(SettingsError, match="there is no setting 'modle'"):
        make(DepthNodeSettings, values_for(path, "depth_node"))


def test_a_section_of_its_own_holds_nothing_of_other_nodes(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text("depth_node: {ros__parameters: {path_poses: 7}}\n")
    with pytest.raises(SettingsError, match="there is no setting 'path_poses'"):
        make(DepthNodeSettings, values_for(path, "depth_node"))


def test_a_slip_in_the_section_of_pose_node_is_refused_not_passed_over(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text("pose_node: {ros__parameters: {pixel_sgima: 0.4}}\n")
    with pytest.raises(SettingsError, match="there is no setting 'pixel_sgima'"):
        read_pose_settings(path)


def test_without_a_file_there_are_no_values():
    assert values_for(None, "pose_node") == {}
