"""The contract of tf_transformations: the same for the official package and for the stand-in."""

import math

import numpy as np
import pytest
import tf_transformations as tft
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial.transform import Rotation

TAIT_BRYAN = ["xyz", "xzy", "yzx", "yxz", "zxy", "zyx"]
PROPER = ["xyx", "xzx", "yzy", "yxy", "zxz", "zyz"]
ALL_AXES = [frame + order for frame in "sr" for order in TAIT_BRYAN + PROPER]

angles = st.floats(-math.pi, math.pi)
vectors = hnp.arrays(np.float64, 3, elements=st.floats(-10, 10))
directions = vectors.filter(lambda v: np.linalg.norm(v) > 0.1)
quaternions = (
    hnp.arrays(np.float64, 4, elements=st.floats(-1, 1))
    .filter(lambda q: np.linalg.norm(q) > 0.1)
    .map(lambda q: q / np.linalg.norm(q))
)
zooms = hnp.arrays(np.float64, 3, elements=st.floats(0.5, 2))
shears = hnp.arrays(np.float64, 3, elements=st.floats(-1, 1))
fractions = st.floats(0, 1)


def rotation_of(axes: str, turns: list[float]) -> np.ndarray:
    sequence = axes[1:] if axes[0] == "s" else axes[1:].upper()
    return Rotation.from_euler(sequence, turns).as_matrix()


def angle_between(q0: np.ndarray, q1: np.ndarray) -> float:
    return (Rotation.from_quat(q0).inv() * Rotation.from_quat(q1)).magnitude()


def assert_same_rotation(q0, q1):
    assert angle_between(np.asarray(q0), np.asarray(q1)) == pytest.approx(0, abs=1e-6)


@given(angles, angles, angles, st.sampled_from(ALL_AXES))
def test_euler_matrix_turns_in_the_order_of_the_axes(a, b, c, axes):
    matrix = tft.euler_matrix(a, b, c, axes)
    np.testing.assert_allclose(matrix[:3, :3], rotation_of(axes, [a, b, c]), atol=1e-12)
    np.testing.assert_array_equal(matrix[3], [0, 0, 0, 1])
    np.testing.assert_array_equal(matrix[:3, 3], 0)


@given(angles, angles, angles, st.sampled_from(ALL_AXES))
def test_quaternion_from_euler_is_the_rotation_of_euler_matrix(a, b, c, axes):
    quaternion = tft.quaternion_from_euler(a, b, c, axes)
    np.testing.assert_allclose(tft.quaternion_matrix(quaternion), tft.euler_matrix(a, b, c, axes), atol=1e-12)


@given(quaternions, st.sampled_from(ALL_AXES))
def test_euler_angles_rebuild_the_rotation(quaternion, axes):
    matrix = tft.quaternion_matrix(quaternion)
    np.testing.assert_allclose(tft.euler_matrix(*tft.euler_from_matrix(matrix, axes), axes), matrix, atol=1e-6)
    np.testing.assert_allclose(tft.euler_from_quaternion(quaternion, axes), tft.euler_from_matrix(matrix, axes))


@given(angles, st.floats(-1.5, 1.5), angles, st.sampled_from([f + o for f in "sr" for o in TAIT_BRYAN]))
def test_three_axis_angles_come_back(a, b, c, axes):
    found = tft.euler_from_matrix(tft.euler_matrix(a, b, c, axes), axes)
    assert found[1] == pytest.approx(b, abs=1e-6)
    np.testing.assert_allclose(np.exp(1j * np.array(found)), np.exp(1j * np.array([a, b, c])), atol=1e-6)


@pytest.mark.parametrize("axes", [f + o for f in "sr" for o in PROPER])
def test_middle_angle_of_repeated_axes_has_the_sign_of_their_order(axes):
    inner, following = axes[1], axes[2]
    in_order = (following == "yzx"["xyz".index(inner)]) if axes[0] == "s" else (axes[2] == "yzx"["xyz".index(axes[3])])
    middle = 0.7 if in_order else -0.7
    assert tft.euler_from_matrix(tft.euler_matrix(0.3, middle, 0.2, axes), axes) == pytest.approx((0.3, middle, 0.2))
    assert tft.euler_from_matrix(tft.euler_matrix(0.3, -middle, 0.2, axes), axes)[1] == pytest.approx(middle)


@pytest.mark.parametrize("sign", [1, -1])
def test_gimbal_lock_zeroes_the_last_static_angle(sign):
    matrix = np.identity(4)
    # A quarter turn about y, free of rounding, after a turn of 0.4 about x.
    matrix[:3, :3] = np.array([[0, 0, sign], [0, 1, 0], [-sign, 0, 0]]) @ tft.rotation_matrix(0.4, (1, 0, 0))[:3, :3]
    assert tft.euler_from_matrix(matrix, "sxyz") == pytest.approx((0.4, sign * math.pi / 2, 0.0))
    assert tft.euler_from_matrix(matrix, "rzyx") == pytest.approx((0.0, sign * math.pi / 2, 0.4))


@pytest.mark.parametrize(
    ("code", "name"), [((0, 0, 0, 0), "sxyz"), ((0, 0, 0, 1), "rzyx"), ((1, 0, 0, 1), "rxzy"), ((2, 1, 1, 0), "szyz")]
)
def test_axes_may_be_an_encoded_tuple(code, name):
    matrix = tft.euler_matrix(0.1, 0.2, 0.3, name)
    np.testing.assert_array_equal(tft.euler_matrix(0.1, 0.2, 0.3, code), matrix)
    assert tft.euler_from_matrix(matrix, code) == tft.euler_from_matrix(matrix, name)
    assert tft.quaternion_from_euler(0.1, 0.2, 0.3, code) == tft.quaternion_from_euler(0.1, 0.2, 0.3, name)


def test_unknown_axes_are_a_key_error():
    for function in (tft.euler_matrix, tft.quaternion_from_euler):
        with pytest.raises(KeyError):
            function(0, 0, 0, "xyz")
    with pytest.raises(KeyError):
        tft.euler_from_matrix(np.identity(4), "sxyw")


def test_quaternions_are_xyzw():
    assert tft.quaternion_about_axis(0.123, (2, 0, 0)) == pytest.approx((0.06146124, 0, 0, 0.99810947))
    assert tft.quaternion_from_euler(1, 2, 3, "ryxz") == pytest.approx(
        (0.310622, -0.718287, 0.444435, 0.435953), abs=1e-6
    )
    assert tft.quaternion_from_matrix(np.identity(4)) == pytest.approx((0, 0, 0, 1))


def test_turns_beyond_half_a_circle_keep_their_sign():
    assert tft.quaternion_about_axis(4.0, (0, 0, 1)) == pytest.approx((0, 0, math.sin(2), math.cos(2)))
    assert tft.quaternion_from_euler(0, 0, 4.0) == pytest.approx((0, 0, math.sin(2), math.cos(2)))


@given(quaternions)
def test_quaternion_survives_the_matrix_with_w_positive(quaternion):
    found = np.array(tft.quaternion_from_matrix(tft.quaternion_matrix(quaternion)))
    assert found[3] >= -1e-9
    assert np.linalg.norm(found) == pytest.approx(1)
    assert_same_rotation(found, quaternion)


@given(quaternions, st.floats(0.1, 10))
def test_quaternion_matrix_ignores_length(quaternion, length):
    np.testing.assert_allclose(tft.quaternion_matrix(quaternion * length), tft.quaternion_matrix(quaternion), atol=1e-9)


def test_zero_quaternion_is_no_turn():
    np.testing.assert_array_equal(tft.quaternion_matrix([0, 0, 0, 0]), np.identity(4))


@pytest.mark.parametrize("bad", [[0, 0, 1], [0, 0, 0, 0, 1], np.identity(4)[:3]])
def test_quaternion_of_other_shape_is_a_value_error(bad):
    with pytest.raises((ValueError, TypeError)):
        tft.quaternion_matrix(bad)
    with pytest.raises((ValueError, TypeError)):
        tft.quaternion_multiply(bad, [0, 0, 0, 1])


def test_matrix_of_other_shape_is_a_value_error():
    with pytest.raises(ValueError, match=r".+"):
        tft.quaternion_from_matrix(np.identity(3))


def test_axis_of_no_length_is_an_error():
    with pytest.raises(ZeroDivisionError):
        tft.rotation_matrix(0.5, (0, 0, 0))


def test_not_a_number_stays_one():
    assert np.isnan(tft.quaternion_matrix([0, 0, math.nan, 1])).any()


def test_flat_matrix_has_no_rotation():
    with pytest.raises(np.linalg.LinAlgError):
        tft.quaternion_from_matrix(np.diag([1.0, 1.0, 0.0, 1.0]))


@given(quaternions, zooms, shears)
def test_scale_and_shear_do_not_change_the_rotation(quaternion, zoom, shear):
    stretch = np.diag(zoom)
    stretch[0, 1], stretch[0, 2], stretch[1, 2] = shear
    matrix = tft.quaternion_matrix(quaternion)
    matrix[:3, :3] = matrix[:3, :3] @ stretch
    assert_same_rotation(tft.quaternion_from_matrix(matrix), quaternion)


@given(quaternions)
def test_mirror_image_is_undone_along_x(quaternion):
    matrix = tft.quaternion_matrix(quaternion) @ np.diag([-1.0, 1.0, 1.0, 1.0])
    assert_same_rotation(tft.quaternion_from_matrix(matrix), quaternion)


@given(quaternions, quaternions)
def test_product_turns_by_the_second_factor_first(q1, q0):
    expected = tft.quaternion_matrix(q1) @ tft.quaternion_matrix(q0)
    np.testing.assert_allclose(tft.quaternion_matrix(tft.quaternion_multiply(q1, q0)), expected, atol=1e-9)


def test_product_keeps_lengths():
    assert tft.quaternion_multiply([1, -2, 3, 4], [-5, 6, 7, 8]) == pytest.approx((-44, -14, 48, 28))


@given(quaternions, st.floats(0.1, 10))
def test_inverse_undoes(quaternion, length):
    product = tft.quaternion_multiply(quaternion * length, tft.quaternion_inverse(quaternion * length))
    assert product == pytest.approx((0, 0, 0, 1), abs=1e-9)
    np.testing.assert_array_equal(tft.quaternion_conjugate(quaternion), quaternion * [-1, -1, -1, 1])


@given(quaternions, quaternions, fractions)
def test_slerp_stays_on_the_short_arc(q0, q1, fraction):
    between, whole = tft.quaternion_slerp(q0, q1, fraction), angle_between(q0, q1)
    assert np.linalg.norm(between) == pytest.approx(1)
    assert angle_between(q0, between) == pytest.approx(fraction * whole, abs=1e-5)
    assert angle_between(between, q1) == pytest.approx((1 - fraction) * whole, abs=1e-5)


def test_slerp_ends_are_the_unit_inputs():
    q0, q1 = np.array([0, 0, 0, 2.0]), np.array([0, 0, -3.0, 0])
    np.testing.assert_array_equal(tft.quaternion_slerp(q0, q1, 0.0), [0, 0, 0, 1])
    np.testing.assert_array_equal(tft.quaternion_slerp(q0, q1, 1.0), [0, 0, -1, 0])
    np.testing.assert_array_equal(tft.quaternion_slerp(q0, -q0, 0.5), [0, 0, 0, 1])
    np.testing.assert_array_equal(q0, [0, 0, 0, 2])


def test_slerp_may_take_the_long_way_and_spin():
    q0, q1 = tft.quaternion_about_axis(0.0, (0, 0, 1)), tft.quaternion_about_axis(5.0, (0, 0, 1))
    long_way = tft.quaternion_slerp(q0, q1, 0.5, shortestpath=False)
    np.testing.assert_allclose(long_way, tft.quaternion_about_axis(2.5, (0, 0, 1)), atol=1e-12)
    spun = tft.quaternion_slerp(q0, tft.quaternion_about_axis(1.0, (0, 0, 1)), 0.25, spin=2)
    np.testing.assert_allclose(spun, tft.quaternion_about_axis(0.25 * (1.0 + 4.0 * math.pi), (0, 0, 1)), atol=1e-12)


@given(angles, directions, vectors)
def test_rotation_matrix_turns_about_the_axis_through_the_point(angle, direction, point):
    matrix = tft.rotation_matrix(angle, direction, point)
    axis = direction / np.linalg.norm(direction)
    np.testing.assert_allclose(matrix[:3, :3], Rotation.from_rotvec(angle * axis).as_matrix(), atol=1e-9)
    np.testing.assert_allclose(matrix @ [*(point + axis), 1.0], [*(point + axis), 1.0], atol=1e-9)
    np.testing.assert_array_equal(tft.rotation_matrix(angle, direction)[:3, 3], 0)


@given(quaternions, vectors)
def test_concatenation_with_the_inverse_is_identity(quaternion, translation):
    matrix = tft.concatenate_matrices(tft.translation_matrix(translation), tft.quaternion_matrix(quaternion))
    np.testing.assert_allclose(tft.translation_from_matrix(matrix), translation)
    np.testing.assert_allclose(matrix @ tft.inverse_matrix(matrix), tft.identity_matrix(), atol=1e-9)
    assert tft.is_same_transform(tft.concatenate_matrices(matrix), 2.0 * matrix)
    assert not tft.is_same_transform(matrix, tft.translation_matrix([1, 0, 0]) @ matrix)


def test_inverse_of_a_flat_matrix_fails():
    with pytest.raises(np.linalg.LinAlgError):
        tft.inverse_matrix(np.zeros((4, 4)))


def test_random_quaternion_is_a_unit_and_follows_given_numbers():
    assert tft.vector_norm(tft.random_quaternion()) == pytest.approx(1)
    np.testing.assert_allclose(tft.random_quaternion([0.25, 0.0, 0.25]), [0, math.sqrt(0.75), 0.5, 0], atol=1e-12)
    rotation = tft.random_rotation_matrix([0.1, 0.2, 0.3])
    np.testing.assert_allclose(rotation, tft.quaternion_matrix(tft.random_quaternion([0.1, 0.2, 0.3])))


def test_vector_norm_and_unit_vector():
    assert tft.vector_norm([3, 4]) == 5.0
    assert tft.vector_norm([]) == 0.0
    np.testing.assert_allclose(tft.vector_norm([[3, 4], [0, 2]], axis=1), [5, 2])
    np.testing.assert_allclose(tft.vector_norm([[3, 4], [0, 0]]), [5])
    np.testing.assert_allclose(tft.unit_vector([3, 4]), [0.6, 0.8])
    np.testing.assert_allclose(tft.unit_vector([[3, 4], [0, 2]], axis=1), [[0.6, 0.8], [0, 1]])
    np.testing.assert_allclose(tft.unit_vector([[3, 4], [0, 0]]), [[0.6, 0.8], [0, 0]])
