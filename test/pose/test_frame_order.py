"""Which frames a path is made of."""

from endo_depth_ros.pose.frame_order import LATE_NS, FrameOrder

S = 10**9


def judged(*steps):
    order = FrameOrder()
    return [(order.takes(*step), order.begins_anew) for step in steps]


def test_a_looped_recording_begins_anew_and_stragglers_without_depth_are_left_out():
    steps = [(S, True), (S, True), (9 * S // 10, False), (9 * S // 10, True), (S // 10, True), (S // 5, True)]
    assert judged(*steps) == [(True, False), (False, False), (False, False), (True, True), (True, True), (True, False)]


def test_a_frame_that_was_overtaken_on_its_way_is_left_out_and_ends_nothing():
    assert judged((S, True), (S - 1, True), (S - LATE_NS + 1, True), (S + 1, True)) == [
        (True, False), (False, False), (False, False), (True, False)
    ]  # fmt: skip


def test_after_a_reset_any_stamp_is_taken():
    order = FrameOrder()
    order.takes(S, True)
    order.forget()
    assert order.takes(1, True)
    assert not order.begins_anew
