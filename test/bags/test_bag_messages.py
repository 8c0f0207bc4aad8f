"""Messages made without ROS."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from endo_depth_ros.bags.messages import TYPESTORE, definition_of, make_camera_info, make_transforms
from endo_depth_ros.geometry.camera import EQUIDISTANT, PLUMB_BOB, Camera, camera_from_info, pinhole_from_hfov

rotations = st.lists(st.floats(-1, 1), min_size=4, max_size=4).filter(lambda q: np.linalg.norm(q) > 0.1)


@given(quaternion=rotations)
def test_a_transform_carries_its_rotation(quaternion):
    R = Rotation.from_quat(quaternion).as_matrix()
    T = np.eye(4)
    T[:3, :3] = R
    q = make_transforms(1, "a", "b", T).transforms[0].transform.rotation
    np.testing.assert_allclose(Rotation.from_quat([q.x, q.y, q.z, q.w]).as_matrix(), R, atol=1e-6)


@pytest.mark.parametrize(("model", "count"), [(PLUMB_BOB, 5), (EQUIDISTANT, 4)])
def test_camera_info_gives_the_camera_back_through_cdr(model, count):
    K = np.array([[500.0, 0, 320], [0, 501, 240], [0, 0, 1]])
    camera = Camera(640, 480, K, model, np.linspace(0.1, 0.2, count), P=0.9 * K + 0.1 * np.diag([0, 0, 1.0]))
    message = make_camera_info(5, "scope", camera)
    data = TYPESTORE.serialize_cdr(message, message.__msgtype__)
    assert camera_from_info(TYPESTORE.deserialize_cdr(data, message.__msgtype__), 640, 480) == camera


def test_an_uncalibrated_camera_has_no_k():
    message = make_camera_info(5, "scope", pinhole_from_hfov(64, 48, 70))
    assert not np.any(message.k)
    assert message.p[0] > 0


def test_definitions_are_found_for_standard_types_only():
    assert "float64" in definition_of("sensor_msgs/msg/CameraInfo")
    assert definition_of("acme_msgs/msg/Thing") == ""
