"""Exported sequences hold what was rendered, bit by bit, under standard types."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from rosbags.highlevel import AnyReader
from rosbags.typesys import Stores, get_typestore

from endo_depth_ros.bags.camera_yaml import read_camera
from endo_depth_ros.bags.output import OutputError
from endo_depth_ros.bags.tum_file import read_tum
from endo_depth_ros.geometry.camera import camera_from_info
from endo_depth_ros.geometry.transforms import pose_matrix
from endo_depth_ros.synthetic.export import true_depth, write_bag, write_folder
from endo_depth_ros.synthetic.sequence import SequenceSettings, render_sequence

SETTINGS = SequenceSettings(seed=1, frames=2, width=96, height=80)


@pytest.fixture(scope="module")
def frames():
    return list(render_sequence(SETTINGS))


@pytest.fixture(scope="module")
def messages(frames, tmp_path_factory):
    path = tmp_path_factory.mktemp("bag") / "sequence.mcap"
    assert write_bag(frames, path) == 2
    read = {}
    with AnyReader([path], default_typestore=get_typestore(Stores.ROS2_JAZZY)) as reader:
        for connection, stamp_ns, data in reader.messages():
            message = reader.deserialize(data, connection.msgtype)
            read.setdefault(connection.topic, []).append((stamp_ns, message))
    return read


def test_the_bag_has_one_message_per_frame_and_topic_at_the_time_of_the_frame(frames, messages):
    assert sorted(messages) == ["/camera_info", "/image_raw", "/tf", "/truth/camera_info", "/truth/depth"]
    for received in messages.values():
        assert [stamp_ns for stamp_ns, _ in received] == [f.frame.stamp_ns for f in frames]


def test_images_in_the_bag_are_those_rendered(frames, messages):
    _, color = messages["/image_raw"][1]
    assert (color.encoding, color.step, color.header.frame_id) == ("rgb8", 288, "endoscope_optical_frame")
    assert np.array_equal(color.data.reshape(80, 96, 3), frames[1].frame.image)
    _, depth = messages["/truth/depth"][1]
    assert (depth.encoding, depth.header.stamp) == ("32FC1", color.header.stamp)
    truth = np.where(frames[1].field_of_view, frames[1].depth, np.nan)
    assert np.array_equal(depth.data.view(np.float32).reshape(80, 96), truth, equal_nan=True)


def test_what_the_image_does_not_show_has_no_true_depth(frames):
    seen = true_depth(frames[0])
    assert np.array_equal(np.isfinite(seen), frames[0].field_of_view & np.isfinite(frames[0].depth))
    hidden = np.zeros((80, 96), bool)
    hidden[30:50, 40:60] = True
    smoky = true_depth(replace(frames[0], hidden=hidden))
    assert np.isnan(smoky[hidden]).all()
    assert np.array_equal(smoky[~hidden], seen[~hidden], equal_nan=True)


def test_the_camera_in_the_bag_is_that_of_the_frames(frames, messages):
    for topic in ("/camera_info", "/truth/camera_info"):
        camera = camera_from_info(messages[topic][0][1], 96, 80)
        assert camera.rectified
        assert pytest.approx(frames[0].frame.camera.K) == camera.K


def test_transforms_in_the_bag_lead_from_world_to_camera(frames, messages):
    transform = messages["/tf"][1][1].transforms[0]
    assert (transform.header.frame_id, transform.child_frame_id) == ("world", "endoscope_optical_frame")
    t, q = transform.transform.translation, transform.transform.rotation
    assert pose_matrix([t.x, t.y, t.z], [q.x, q.y, q.z, q.w]) == pytest.approx(frames[1].T_world_camera, abs=1e-9)


def test_the_folder_holds_images_depth_camera_and_trajectory(frames, tmp_path):
    assert write_folder(frames, tmp_path / "sequence") == 2
    image = cv2.imread(str(tmp_path / "sequence/images/000001.png"))[..., ::-1]
    assert np.array_equal(image, frames[1].frame.image)
    depth = np.load(tmp_path / "sequence/depth/000001.npy")
    assert np.array_equal(depth, np.where(frames[1].field_of_view, frames[1].depth, np.nan), equal_nan=True)
    assert pytest.approx(frames[0].frame.camera.K) == read_camera(tmp_path / "sequence/camera.yaml").K
    trajectory = read_tum(tmp_path / "sequence/trajectory.tum")
    assert trajectory.stamps_ns.tolist() == [f.frame.stamp_ns for f in frames]
    assert trajectory.T_world_camera == pytest.approx(np.stack([f.T_world_camera for f in frames]), abs=1e-7)


@pytest.mark.parametrize(("write", "name"), [(write_bag, "a.mcap"), (write_folder, "a")])
def test_no_frames_leave_no_output(tmp_path, write, name):
    with pytest.raises(OutputError, match="no frame"):
        write([], tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("write", "name"), [(write_bag, "a.mcap"), (write_folder, "a")])
def test_existing_output_is_kept(tmp_path, frames, write, name):
    (tmp_path / name).write_text("precious")
    with pytest.raises(OutputError, match="exists"):
        write(frames, tmp_path / name)
    assert (tmp_path / name).read_text() == "precious"
