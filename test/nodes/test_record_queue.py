"""Messages waiting for the disk."""

from endo_depth_ros.bags.bag import BagTopic
from endo_depth_ros.nodes.record_queue import Received, RecordQueue

TOPIC = BagTopic("/x", "std_msgs/msg/String")


def message(stamp_ns: int, size: int = 10) -> Received:
    """A message of size bytes."""
    return Received(TOPIC, stamp_ns, bytes(size))


def test_messages_come_out_in_order():
    queue = RecordQueue(1000)
    assert all(queue.put(message(i)) for i in range(5))
    assert [m.stamp_ns for m in queue.take(0.0)] == [0, 1, 2, 3, 4]
    assert queue.take(0.0) == []


def test_what_exceeds_the_memory_is_dropped_and_counted_until_memory_is_given_back():
    queue = RecordQueue(25)
    assert [queue.put(message(i)) for i in range(4)] == [True, True, False, False]
    assert queue.dropped == 2
    taken = queue.take(0.0)
    assert not queue.put(message(9))
    for each in taken:
        queue.release(each)
    assert queue.put(message(10))


def test_a_closed_queue_gives_what_it_holds_then_ends():
    queue = RecordQueue(100)
    queue.put(message(1))
    queue.close()
    assert [m.stamp_ns for m in queue.take(5.0)] == [1]
    assert queue.take(5.0) is None
