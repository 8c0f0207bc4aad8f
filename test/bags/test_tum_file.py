"""Trajectory files keep stamps to the nanosecond, and broken ones are named with their line."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from endo_depth_ros.bags.tum_file import read_tum, write_tum
from endo_depth_ros.geometry.trajectory import Trajectory, TrajectoryError


def test_what_is_written_is_read(tmp_path):
    poses = np.tile(np.eye(4), (5, 1, 1))
    poses[:, :3, :3] = Rotation.random(5, random_state=0).as_matrix()
    poses[:, :3, 3] = np.random.default_rng(0).normal(0, 0.1, (5, 3))
    stamps = 1_700_000_000_123_456_789 + np.arange(5) * 33_333_333
    write_tum(tmp_path / "a.tum", Trajectory(stamps, poses))
    read = read_tum(tmp_path / "a.tum")
    assert np.array_equal(read.stamps_ns, stamps)
    assert read.T_world_camera == pytest.approx(poses, abs=1e-8)


def test_evo_reads_the_same_trajectory(tmp_path):
    file_interface = pytest.importorskip("evo.tools.file_interface")
    poses = np.tile(np.eye(4), (3, 1, 1))
    poses[:, :3, :3] = Rotation.random(3, random_state=1).as_matrix()
    write_tum(tmp_path / "a.tum", Trajectory(np.array([1, 2, 3]) * 10**9, poses))
    read = file_interface.read_tum_trajectory_file(str(tmp_path / "a.tum"))
    assert np.array(read.poses_se3) == pytest.approx(poses, abs=1e-7)
    assert read.timestamps.tolist() == [1.0, 2.0, 3.0]


def test_comments_exponents_and_commas_are_understood(tmp_path):
    (tmp_path / "a.tum").write_text("# hello\n\n1.5e0,0,0,0,0,0,0,1\n2.25 1 2 3 0 0 0 2\n")
    read = read_tum(tmp_path / "a.tum")
    assert read.stamps_ns.tolist() == [1_500_000_000, 2_250_000_000]
    assert read.positions[1].tolist() == [1, 2, 3]


@pytest.mark.parametrize("line", ["1 2 3", "1 0 0 0 0 0 0 0", "x 0 0 0 0 0 0 1"])
def test_a_broken_line_is_named(tmp_path, line):
    (tmp_path / "a.tum").write_text(f"1 0 0 0 0 0 0 1\n{line}\n")
    with pytest.raises(TrajectoryError, match=r"a\.tum: line 2"):
        read_tum(tmp_path / "a.tum")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(TrajectoryError, match=r"none\.tum"):
        read_tum(tmp_path / "none.tum")


def test_stamps_that_go_back_are_named_with_the_file(tmp_path):
    (tmp_path / "a.tum").write_text("2 0 0 0 0 0 0 1\n1 0 0 0 0 0 0 1\n")
    with pytest.raises(TrajectoryError, match=r"a\.tum: stamps"):
        read_tum(tmp_path / "a.tum")
