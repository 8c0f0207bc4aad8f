"""Frames between threads."""

import threading

from endo_depth_ros.nodes.frame_slot import FrameSlot


def test_the_newest_frame_wins_and_the_dropped_are_counted():
    slot: FrameSlot[int] = FrameSlot()
    assert [slot.put(i) for i in range(3)] == [True, False, False]
    assert slot.take() == 2
    assert slot.dropped == 2


def test_a_queue_keeps_the_order():
    slot: FrameSlot[int] = FrameSlot(3)
    for i in range(4):
        slot.put(i)
    assert [slot.take() for _ in range(3)] == [1, 2, 3]
    assert slot.dropped == 1


def test_closing_wakes_a_waiting_taker():
    slot: FrameSlot[int] = FrameSlot()
    got: list[object] = []
    taker = threading.Thread(target=lambda: got.append(slot.take()))
    taker.start()
    slot.close()
    taker.join(timeout=10)
    assert got == [None]
    assert slot.take() is None


def test_what_waits_when_the_slot_closes_is_dropped():
    slot: FrameSlot[int] = FrameSlot(3)
    slot.put(1)
    slot.put(2)
    slot.close()
    assert slot.dropped == 2
