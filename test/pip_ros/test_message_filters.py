"""The contract of message_filters: the same for the official package and for the stand-in."""

import itertools

import message_filters
import pytest
from geometry_msgs.msg import Point, PointStamped
from hypothesis import given
from hypothesis import strategies as st


def stamped(stamp_ns: int, label: float = 0.0) -> PointStamped:
    message = PointStamped()
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, 10**9)
    message.point.x = label
    return message


def stamp_of(message: PointStamped) -> int:
    return message.header.stamp.sec * 10**9 + message.header.stamp.nanosec


class Wiring:
    """Filters to speak into, joined by a synchronizer, and what it called back with."""

    def __init__(self, inputs: int, synchronizer: type, *args, **kwargs):
        self.filters = [message_filters.SimpleFilter() for _ in range(inputs)]
        self.sets: list[tuple] = []
        self.synchronizer = synchronizer(self.filters, *args, **kwargs)
        self.synchronizer.registerCallback(lambda *messages: self.sets.append(messages))

    def say(self, index: int, message) -> None:
        self.filters[index].signalMessage(message)

    @property
    def stamps(self) -> list[tuple[int, ...]]:
        return [tuple(stamp_of(message) for message in messages) for messages in self.sets]


def exact(inputs: int = 2, queue_size: int = 10) -> Wiring:
    return Wiring(inputs, message_filters.TimeSynchronizer, queue_size)


def approximate(slop: float, inputs: int = 2, queue_size: int = 10, **kwargs) -> Wiring:
    return Wiring(inputs, message_filters.ApproximateTimeSynchronizer, queue_size, slop, **kwargs)


@st.composite
def arrivals(draw, inputs: int = 3):
    """Draw (input, stamp) pairs: each input in order of its stamps, the inputs interleaved at will."""
    stamps = [sorted(draw(st.sets(st.integers(1, 12), max_size=8))) for _ in range(inputs)]
    turns = draw(st.permutations([index for index, own in enumerate(stamps) for _ in own]))
    following = [iter(own) for own in stamps]
    return [(index, next(following[index])) for index in turns]


def test_callbacks_get_message_and_own_arguments_in_order_of_registration():
    source, calls = message_filters.SimpleFilter(), []
    source.registerCallback(lambda *args: calls.append(("first", *args)), "extra", 3)
    source.registerCallback(lambda *args: calls.append(("second", *args)))
    source.signalMessage("message")
    assert calls == [("first", "message", "extra", 3), ("second", "message")]


def test_registering_returns_different_connections():
    source = message_filters.SimpleFilter()
    assert source.registerCallback(print) != source.registerCallback(print)


@given(arrivals())
def test_every_complete_set_is_delivered_once_and_in_order(order):
    wiring = exact(3, queue_size=12)
    for index, stamp_ns in order:
        wiring.say(index, stamped(stamp_ns))
    heard = [{stamp for index, stamp in order if index == which} for which in range(3)]
    assert wiring.stamps == [(stamp,) * 3 for stamp in sorted(set.intersection(*heard))]


@given(arrivals(), st.integers(1, 3))
def test_a_short_queue_never_mixes_stamps(order, queue_size):
    wiring = exact(3, queue_size)
    for index, stamp_ns in order:
        wiring.say(index, stamped(stamp_ns, label=index))
    assert all(len(set(stamps)) == 1 for stamps in wiring.stamps)
    assert len(set(wiring.stamps)) == len(wiring.stamps)
    assert all([message.point.x for message in messages] == [0.0, 1.0, 2.0] for messages in wiring.sets)


def test_exact_set_comes_with_its_last_message():
    wiring = exact()
    wiring.say(0, stamped(5))
    assert wiring.sets == []
    wiring.say(1, stamped(5))
    assert wiring.stamps == [(5, 5)]


def test_nanoseconds_apart_is_not_the_same_stamp():
    wiring = exact()
    wiring.say(0, stamped(10**9))
    wiring.say(1, stamped(10**9 + 1))
    assert wiring.sets == []


def test_full_queue_loses_its_oldest_stamp():
    wiring = exact(queue_size=2)
    for stamp_ns in (1, 2, 3):
        wiring.say(0, stamped(stamp_ns))
    for stamp_ns in (1, 2, 3):
        wiring.say(1, stamped(stamp_ns))
    assert wiring.stamps == [(2, 2), (3, 3)]


def test_full_queue_refuses_a_still_older_stamp():
    wiring = exact(queue_size=2)
    for stamp_ns in (2, 3, 1):
        wiring.say(0, stamped(stamp_ns))
    for stamp_ns in (1, 2):
        wiring.say(1, stamped(stamp_ns))
    assert wiring.stamps == [(2, 2)]


def test_full_approximate_queue_refuses_a_still_older_stamp():
    wiring = approximate(5e-9, queue_size=2)
    for index, stamp_ns in ((0, 100), (0, 101), (1, 50), (0, 52)):
        wiring.say(index, stamped(stamp_ns))
    assert wiring.sets == []


def test_a_second_message_of_a_stamp_replaces_the_first():
    wiring = exact()
    wiring.say(0, stamped(1, label=1.0))
    wiring.say(0, stamped(1, label=2.0))
    wiring.say(1, stamped(1))
    assert [messages[0].point.x for messages in wiring.sets] == [2.0]


@given(arrivals(), st.integers(1, 6))
def test_approximate_sets_lie_within_slop_and_use_no_message_twice(order, slop_ns):
    wiring = approximate(slop_ns * 1e-9, inputs=3)
    for index, stamp_ns in order:
        wiring.say(index, stamped(stamp_ns, label=index))
    assert all(max(stamps) - min(stamps) < slop_ns for stamps in wiring.stamps)
    assert all([message.point.x for message in messages] == [0.0, 1.0, 2.0] for messages in wiring.sets)
    for used in zip(*wiring.stamps, strict=True):
        assert len(set(used)) == len(used)


@given(arrivals(inputs=2), st.integers(1, 6))
def test_approximate_leaves_no_pair_that_fits(order, slop_ns):
    wiring = approximate(slop_ns * 1e-9, queue_size=20)
    for index, stamp_ns in order:
        wiring.say(index, stamped(stamp_ns))
    left: tuple[set[int], set[int]] = (set(), set())
    for index, stamp_ns in order:
        left[index].add(stamp_ns)
    for pair in wiring.stamps:
        left[0].remove(pair[0])
        left[1].remove(pair[1])
    assert all(abs(a - b) >= slop_ns for a, b in itertools.product(*left))


def test_approximate_takes_the_nearest():
    wiring = approximate(10e-9)
    for stamp_ns in (100, 104, 109):
        wiring.say(0, stamped(stamp_ns))
    wiring.say(1, stamped(105))
    assert wiring.stamps == [(104, 105)]


def test_slop_itself_is_too_far():
    wiring = approximate(5e-9)
    wiring.say(0, stamped(100))
    wiring.say(1, stamped(105))
    assert wiring.sets == []
    wiring.say(1, stamped(104))
    assert wiring.stamps == [(100, 104)]


def test_no_slop_matches_nothing():
    wiring = approximate(0.0)
    wiring.say(0, stamped(100))
    wiring.say(1, stamped(100))
    assert wiring.sets == []


def test_three_inputs_within_slop_of_the_newest_but_not_of_each_other_do_not_match():
    wiring = approximate(10e-9, inputs=3)
    wiring.say(0, stamped(100))
    wiring.say(1, stamped(112))
    wiring.say(2, stamped(106))
    assert wiring.sets == []
    wiring.say(0, stamped(105))
    assert wiring.stamps == [(105, 112, 106)]


def test_message_without_header_is_dropped_unless_allowed():
    strict, lenient = approximate(1.0), approximate(1e6, allow_headerless=True)
    for wiring in (strict, lenient):
        wiring.say(0, Point(x=1.0))
        wiring.say(1, Point(x=2.0))
    assert strict.sets == []
    assert [[message.x for message in messages] for messages in lenient.sets] == [[1.0, 2.0]]


@pytest.mark.ros
def test_subscribers_feed_a_synchronizer(graph):
    topics = ("left/points", "right/points")
    subscribers = [message_filters.Subscriber(graph.node, PointStamped, topic, qos_profile=5) for topic in topics]
    synchronizer, sets = message_filters.TimeSynchronizer(subscribers, 10), []
    synchronizer.registerCallback(lambda left, right: sets.append((left.point.x, right.point.x)))
    publishers = [graph.publisher(PointStamped, topic, 5) for topic in topics]
    graph.wait_matched(*publishers)
    for label, publisher in enumerate(publishers):
        publisher.publish(stamped(7, label=float(label)))
    graph.wait_for(lambda: sets)
    assert sets == [(0.0, 1.0)]


@pytest.mark.ros
def test_subscriber_names_its_topic_and_shows_its_subscription(graph):
    subscriber = message_filters.Subscriber(graph.node, PointStamped, "points")
    assert subscriber.getTopic() == subscriber.topic == "points"
    assert subscriber.topic_name == subscriber.sub.topic_name == "/points"
    assert subscriber.msg_type is PointStamped
    assert not hasattr(subscriber, "no_such_thing")
