"""The contract of tf2_ros without a graph: the same for the official package and for the stand-in."""

import math
import queue
import threading

import numpy as np
import pytest
import tf2_ros
from geometry_msgs.msg import TransformStamped
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from rclpy.duration import Duration
from rclpy.time import Time
from scipy.spatial.transform import Rotation

SECOND = 10**9
NO_TURN = (0.0, 0.0, 0.0, 1.0)
LATEST = Time()

vectors = hnp.arrays(np.float64, 3, elements=st.floats(-10, 10))
quaternions = (
    hnp.arrays(np.float64, 4, elements=st.floats(-1, 1))
    .filter(lambda q: np.linalg.norm(q) > 0.1)
    .map(lambda q: q / np.linalg.norm(q))
)


def transform(parent, child, stamp_s=1.0, translation=(0.0, 0.0, 0.0), rotation=NO_TURN) -> TransformStamped:
    message = TransformStamped()
    message.header.stamp = at(stamp_s).to_msg()
    message.header.frame_id, message.child_frame_id = parent, child
    for axis, value in zip("xyz", translation, strict=True):
        setattr(message.transform.translation, axis, float(value))
    for axis, value in zip("xyzw", rotation, strict=True):
        setattr(message.transform.rotation, axis, float(value))
    return message


def at(seconds: float) -> Time:
    return Time(nanoseconds=round(seconds * SECOND))


def translation_of(message: TransformStamped) -> np.ndarray:
    vector = message.transform.translation
    return np.array([vector.x, vector.y, vector.z])


def rotation_of(message: TransformStamped) -> np.ndarray:
    rotation = message.transform.rotation
    return np.array([rotation.x, rotation.y, rotation.z, rotation.w])


def matrix_of(message: TransformStamped) -> np.ndarray:
    matrix = np.identity(4)
    matrix[:3, :3] = Rotation.from_quat(rotation_of(message)).as_matrix()
    matrix[:3, 3] = translation_of(message)
    return matrix


def angle_between(q0: np.ndarray, q1: np.ndarray) -> float:
    return (Rotation.from_quat(q0).inv() * Rotation.from_quat(q1)).magnitude()


def filled(*moving: TransformStamped, static: tuple[TransformStamped, ...] = (), **kwargs) -> tf2_ros.Buffer:
    buffer = tf2_ros.Buffer(**kwargs)
    for message in moving:
        buffer.set_transform(message, "test")
    for message in static:
        buffer.set_transform_static(message, "test")
    return buffer


def moving_x(buffer: tf2_ros.Buffer, seconds: float, target="a", source="b") -> float:
    return translation_of(buffer.lookup_transform(target, source, at(seconds)))[0]


@given(vectors, quaternions)
def test_lookup_returns_what_was_set(translation, rotation):
    message = filled(transform("a", "b", 2.5, translation, rotation)).lookup_transform("a", "b", LATEST)
    np.testing.assert_allclose(translation_of(message), translation)
    assert angle_between(rotation_of(message), rotation) == pytest.approx(0, abs=1e-6)
    assert (message.header.frame_id, message.child_frame_id) == ("a", "b")
    assert (message.header.stamp.sec, message.header.stamp.nanosec) == (2, SECOND // 2)


@given(vectors, quaternions)
def test_opposite_lookup_is_the_inverse(translation, rotation):
    buffer = filled(transform("a", "b", 1, translation, rotation))
    T_a_b, T_b_a = (matrix_of(buffer.lookup_transform(*frames, LATEST)) for frames in (("a", "b"), ("b", "a")))
    np.testing.assert_allclose(T_a_b @ T_b_a, np.identity(4), atol=1e-9)


@given(*[vectors, quaternions] * 4)
def test_lookup_composes_along_the_tree(ab, q_ab, bc, q_bc, ad, q_ad, root_a, q_root_a):
    buffer = filled(
        transform("a", "b", 1, ab, q_ab),
        transform("b", "c", 1, bc, q_bc),
        transform("root", "a", 1, root_a, q_root_a),
        static=(transform("a", "d", 0, ad, q_ad),),
    )
    frames = ["root", "a", "b", "c", "d"]
    known = {(i, j): matrix_of(buffer.lookup_transform(i, j, at(1))) for i in frames for j in frames}
    for i, j, k in [("a", "b", "c"), ("d", "a", "c"), ("c", "root", "d"), ("b", "d", "c"), ("root", "c", "b")]:
        np.testing.assert_allclose(known[i, k], known[i, j] @ known[j, k], atol=1e-8)
    np.testing.assert_allclose(known["a", "b"], matrix_of(transform("a", "b", 1, ab, q_ab)), atol=1e-8)


@given(vectors, quaternions, vectors, quaternions, st.integers(0, 1000))
def test_interpolation_stays_on_the_line_and_the_short_arc(t0, q0, t1, q1, thousandth):
    ratio = thousandth / 1000
    buffer = filled(transform("a", "b", 1, t0, q0), transform("a", "b", 2, t1, q1))
    between = buffer.lookup_transform("a", "b", at(1 + ratio))
    np.testing.assert_allclose(translation_of(between), (1 - ratio) * t0 + ratio * t1, atol=1e-9)
    whole = angle_between(q0, q1)
    assert np.linalg.norm(rotation_of(between)) == pytest.approx(1)
    assert angle_between(q0, rotation_of(between)) == pytest.approx(ratio * whole, abs=1e-5)
    assert angle_between(rotation_of(between), q1) == pytest.approx((1 - ratio) * whole, abs=1e-5)


def test_transform_moves_points_of_the_source_into_the_target():
    quarter = (0, 0, math.sqrt(0.5), math.sqrt(0.5))
    T_a_b = matrix_of(filled(transform("a", "b", 1, (1, 0, 0), quarter)).lookup_transform("a", "b", LATEST))
    np.testing.assert_allclose(T_a_b @ [1, 0, 0, 1], [1, 1, 0, 1], atol=1e-12)


@pytest.mark.parametrize(
    ("given_rotation", "returned"),
    [
        ((0, 0, -0.6, -0.8), (0, 0, 0.6, 0.8)),
        ((0, 0, 0, -1), (0, 0, 0, 1)),
        ((-0.8, 0, 0.6, 0), (0.8, 0, -0.6, 0)),
        ((0, 0, 0.8, -0.6), (0, 0, -0.8, 0.6)),
        ((0, 0, 0, 2), (0, 0, 0, 1)),
        ((0, 3, 0, 4), (0, 0.6, 0, 0.8)),
    ],
)
def test_rotation_comes_back_with_length_one_and_its_leading_number_positive(given_rotation, returned):
    message = filled(transform("a", "b", 1, rotation=given_rotation)).lookup_transform("a", "b", LATEST)
    np.testing.assert_allclose(rotation_of(message), returned, atol=1e-12)


def test_static_transform_holds_at_all_times():
    buffer = filled(static=(transform("a", "b", 5, (1, 2, 3)),))
    for seconds in (0, 1, 1e6):
        message = buffer.lookup_transform("a", "b", at(seconds))
        np.testing.assert_array_equal(translation_of(message), [1, 2, 3])
        assert message.header.stamp.sec == seconds


def test_latest_is_the_newest_time_that_all_share():
    buffer = filled(
        *(transform("a", "b", s, (s, 0, 0)) for s in (1, 2, 3)),
        *(transform("b", "c", s) for s in (1, 2)),
        static=(transform("c", "d", 9),),
    )
    message = buffer.lookup_transform("a", "d", LATEST)
    assert message.header.stamp.sec == 2
    assert translation_of(message)[0] == 2
    assert buffer.get_latest_common_time("a", "d").nanoseconds == 2 * SECOND
    assert buffer.get_latest_common_time("c", "d").nanoseconds == 0


def test_message_times_are_as_good_as_rclpy_times():
    buffer = filled(transform("a", "b", 1), transform("a", "b", 2, (1, 0, 0)))
    assert translation_of(buffer.lookup_transform("a", "b", at(1.5).to_msg()))[0] == pytest.approx(0.5)
    with pytest.raises(TypeError, match="time must have sec and nanosec, or nanoseconds"):
        buffer.lookup_transform("a", "b", 1.5)


def test_a_frame_relates_to_itself_even_if_unknown():
    message = tf2_ros.Buffer().lookup_transform("x", "x", at(4))
    np.testing.assert_array_equal(matrix_of(message), np.identity(4))
    assert message.header.stamp.sec == 4
    assert filled(transform("a", "b", 3)).lookup_transform("b", "b", LATEST).header.stamp.sec == 3


@pytest.mark.parametrize(("target", "source", "unknown"), [("a", "nobody", "nobody"), ("nobody", "a", "nobody")])
def test_unknown_frame_is_a_lookup_exception(target, source, unknown):
    buffer = filled(transform("a", "b"))
    complaint = f'"{unknown}" passed to lookupTransform argument .* does not exist'
    with pytest.raises(tf2_ros.LookupException, match=complaint):
        buffer.lookup_transform(target, source, LATEST)
    assert not buffer.can_transform(target, source, LATEST)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [("", "in tf2 frame_ids cannot be empty"), ("/b", "in tf2 frame_ids cannot start with a '/'")],
)
def test_impossible_frame_name_is_an_invalid_argument(bad, reason):
    buffer = filled(transform("a", "b"))
    with pytest.raises(tf2_ros.InvalidArgumentException, match=reason):
        buffer.lookup_transform("a", bad, LATEST)
    possible, why = buffer.can_transform("a", bad, LATEST, return_debug_tuple=True)
    assert not possible
    assert why == f'Invalid frame ID "{bad}" passed to canTransform argument source_frame - {reason}'


@pytest.mark.parametrize("time", [LATEST, at(1)])
def test_separate_trees_are_a_connectivity_exception(time):
    buffer = filled(transform("a", "b"), transform("c", "d"))
    with pytest.raises(
        tf2_ros.ConnectivityException,
        match="Could not find a connection between 'b' and 'd' because they are not part of the same tree.",
    ):
        buffer.lookup_transform("b", "d", time)


@pytest.mark.parametrize(
    ("stamps", "asked", "reason"),
    [
        ((1, 2), 2.5, "into the future.  Requested time 2.500000 but the latest data is at time 2.000000"),
        ((1, 2), 0.5, "into the past.  Requested time 0.500000 but the earliest data is at time 1.000000"),
        ((1,), 2, "at time 2.000000, but only time 1.000000 is in the buffer"),
    ],
)
@pytest.mark.parametrize("frames", [("a", "b"), ("b", "a"), ("c", "b"), ("b", "c")])
def test_times_outside_the_data_are_an_extrapolation_exception(stamps, asked, reason, frames):
    buffer = filled(*(transform("a", "b", s) for s in stamps), static=(transform("a", "c"),))
    target, source = frames
    complaint = f"{reason}, when looking up transform from frame [{source}] to frame [{target}]"
    with pytest.raises(tf2_ros.ExtrapolationException) as caught:
        buffer.lookup_transform(target, source, at(asked))
    assert str(caught.value) == f"Lookup would require extrapolation {complaint}"
    possible, why = buffer.can_transform(target, source, at(asked), return_debug_tuple=True)
    assert not possible
    assert str(caught.value).startswith(why)
    assert buffer.can_transform(target, source, at(stamps[0]), return_debug_tuple=True)[0]


def test_gaps_above_the_common_parent_do_not_matter():
    buffer = filled(transform("root", "a", 1), transform("a", "b", 5, (1, 0, 0)), transform("a", "c", 5))
    assert moving_x(buffer, 5, "c", "b") == 1
    with pytest.raises(tf2_ros.ExtrapolationException):
        buffer.lookup_transform("root", "b", at(5))


def test_a_loop_is_a_lookup_exception():
    buffer = filled(transform("a", "b"), transform("b", "a"), transform("c", "d"))
    for time in (LATEST, at(1)):
        with pytest.raises(tf2_ros.LookupException, match="The tf tree is invalid because it contains a loop"):
            buffer.lookup_transform("c", "b", time)
        assert buffer.can_transform("a", "b", time)


def test_all_reasons_are_transform_exceptions():
    for name in ("Lookup", "Connectivity", "Extrapolation", "InvalidArgument", "Timeout"):
        assert issubclass(getattr(tf2_ros, f"{name}Exception"), tf2_ros.TransformException)


def test_ten_seconds_are_kept():
    buffer = filled(*(transform("a", "b", s, (s, 0, 0)) for s in range(1, 21)))
    assert moving_x(buffer, 10) == 10
    with pytest.raises(tf2_ros.ExtrapolationException, match="into the past"):
        buffer.lookup_transform("a", "b", at(8))


def test_cache_time_is_a_parameter():
    buffer = filled(*(transform("a", "b", s, (s, 0, 0)) for s in range(1, 21)), cache_time=Duration(seconds=2))
    assert moving_x(buffer, 18) == 18
    with pytest.raises(tf2_ros.ExtrapolationException, match="into the past"):
        buffer.lookup_transform("a", "b", at(15))


def test_late_data_is_sorted_in_and_too_old_data_ignored():
    buffer = filled(*(transform("a", "b", s, (s, 0, 0)) for s in (20, 22, 21, 5)))
    assert moving_x(buffer, 21) == 21
    with pytest.raises(tf2_ros.ExtrapolationException, match=r"earliest data is at time 20\.0"):
        buffer.lookup_transform("a", "b", at(6))


def test_the_last_of_equal_stamps_wins():
    buffer = filled(transform("a", "b", 1, (1, 0, 0)), transform("a", "b", 1, (2, 0, 0)))
    assert translation_of(buffer.lookup_transform("a", "b", LATEST))[0] == 2


def test_a_frame_may_change_its_parent():
    branches = (transform("root", "a"), transform("root", "c"))
    buffer = filled(transform("a", "b", 1), transform("c", "b", 3, (7, 0, 0)), static=branches)
    assert moving_x(buffer, 2, "root") == 0
    assert moving_x(buffer, 3, "root") == 7


def test_static_and_moving_replace_each_other():
    buffer = filled(transform("a", "b", 1, (1, 0, 0)), static=(transform("a", "b", 1, (2, 0, 0)),))
    assert moving_x(buffer, 99) == 2
    buffer.set_transform(transform("a", "b", 5, (3, 0, 0)), "test")
    assert moving_x(buffer, 5) == 3
    assert not buffer.can_transform("a", "b", at(99))


def test_a_leading_slash_is_taken_off_what_is_set():
    assert filled(transform("/a", "/b")).can_transform("a", "b", LATEST)


@pytest.mark.parametrize(
    "unusable",
    [
        transform("a", "a"),
        transform("", "b"),
        transform("a", ""),
        transform("a", "b", 1, (math.nan, 0, 0)),
        transform("a", "b", 1, rotation=(0, 0, math.nan, 1)),
        transform("a", "b", 1, rotation=(0, 0, 0, 0)),
    ],
)
def test_an_unusable_transform_is_ignored(unusable):
    buffer = filled(unusable, static=(unusable,))
    assert buffer.all_frames_as_string() == ""


def test_frames_are_listed_with_their_parents():
    text = filled(transform("a", "b"), static=(transform("b", "c"),)).all_frames_as_string()
    assert text == "Frame b exists with parent a.\nFrame c exists with parent b.\n"


def test_clear_forgets_what_moves_and_keeps_what_is_static():
    buffer = filled(transform("a", "b", 1), static=(transform("b", "c"),))
    buffer.clear()
    assert buffer.can_transform("b", "c", LATEST)
    with pytest.raises(tf2_ros.ConnectivityException):
        buffer.lookup_transform("a", "b", LATEST)
    with pytest.raises(tf2_ros.ExtrapolationException):
        buffer.lookup_transform("a", "b", at(1))
    buffer.set_transform(transform("a", "b", 0.5), "test")
    assert buffer.can_transform("a", "b", at(0.5))


def test_full_lookup_goes_through_the_fixed_frame():
    buffer = filled(*(transform("odom", "camera", s, (s, 0, 0)) for s in (1, 2, 3)))
    message = buffer.lookup_transform_full("camera", at(3), "camera", at(1), "odom")
    np.testing.assert_allclose(translation_of(message), [-2, 0, 0])
    assert message.header.stamp.sec == 3
    assert buffer.can_transform_full("camera", at(3), "camera", at(1), "odom")
    assert not buffer.can_transform_full("camera", at(4), "camera", at(1), "odom")
    possible, why = buffer.can_transform_full("camera", at(3), "camera", at(1), "map", return_debug_tuple=True)
    assert not possible
    assert why == 'Invalid frame ID "map" passed to canTransform argument fixed_frame - frame does not exist'
    with pytest.raises(tf2_ros.LookupException, match='"map" passed to lookupTransform argument fixed_frame'):
        buffer.lookup_transform_full("camera", at(3), "camera", at(1), "map")


def test_timeout_without_data_says_what_is_missing():
    buffer = filled(transform("a", "b"))
    assert not buffer.can_transform("a", "c", LATEST, Duration(nanoseconds=10**7))
    with pytest.raises(tf2_ros.LookupException):
        buffer.lookup_transform("a", "c", LATEST, timeout=Duration(nanoseconds=10**7))
    with pytest.raises(tf2_ros.ExtrapolationException):
        buffer.lookup_transform_full("b", at(2), "b", at(1), "a", Duration(nanoseconds=10**7))


def test_lookup_waits_for_data_from_another_thread():
    buffer, found = filled(transform("a", "b", 1)), queue.Queue()

    def look_up_one_after_the_other():
        for s in range(2, 12):
            message = buffer.lookup_transform("a", "b", at(s), timeout=Duration(seconds=10**6))
            found.put(translation_of(message)[0])

    threading.Thread(target=look_up_one_after_the_other, daemon=True).start()
    for s in range(2, 12):
        buffer.set_transform(transform("a", "b", s, (s, 0, 0)), "test")
        assert found.get(timeout=20) == s


def test_lookups_and_updates_may_run_in_different_threads():
    buffer, failures = filled(transform("a", "b", 1, (1, 0, 0))), []

    def feed():
        for s in range(2, 3000):
            buffer.set_transform(transform("a", "b", s * 0.01 + 1, (s * 0.01 + 1, 0, 0)), "test")

    feeder = threading.Thread(target=feed)
    feeder.start()
    while feeder.is_alive():
        message = buffer.lookup_transform("a", "b", LATEST)
        stamp_s = Time.from_msg(message.header.stamp).nanoseconds / SECOND
        if translation_of(message)[0] != pytest.approx(stamp_s):
            failures.append(message)
    feeder.join()
    assert failures == []


def test_future_is_done_once_the_transform_can_be_had():
    buffer = filled(transform("a", "b", 1))
    future = buffer.wait_for_transform_async("a", "b", at(2))
    buffer.set_transform(transform("a", "b", 1.5), "test")
    assert not future.done()
    buffer.set_transform(transform("a", "b", 2.5), "test")
    assert future.done()
    assert buffer.wait_for_transform_async("a", "b", at(2)).done()


def test_cancelled_future_does_no_harm():
    buffer = tf2_ros.Buffer()
    future = buffer.wait_for_transform_async("a", "b", LATEST)
    future.cancel()
    buffer.set_transform(transform("a", "b"), "test")
    assert buffer.can_transform("a", "b", LATEST)
