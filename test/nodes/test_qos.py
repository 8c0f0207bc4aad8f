"""Quality of service of recordings."""

import pytest
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rosbags.interfaces import QosDurability, QosReliability, QosTime
from rosbags.rosbag2.metadata import dump_qos_v8, parse_qos
from synthetic_media import LATCHED

from endo_depth_ros.bags.messages import FOREVER, make_qos
from endo_depth_ros.nodes.qos import is_weaker, recorded_qos, replay_profile, subscription_profile

RELIABLE = QoSProfile(depth=5)
BEST_EFFORT = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
TRANSIENT = QoSProfile(depth=5, durability=DurabilityPolicy.TRANSIENT_LOCAL)


@pytest.mark.parametrize(
    ("offers", "reliability", "durability"),
    [
        ([RELIABLE], ReliabilityPolicy.RELIABLE, DurabilityPolicy.VOLATILE),
        ([RELIABLE, BEST_EFFORT], ReliabilityPolicy.BEST_EFFORT, DurabilityPolicy.VOLATILE),
        ([TRANSIENT, TRANSIENT], ReliabilityPolicy.RELIABLE, DurabilityPolicy.TRANSIENT_LOCAL),
        ([TRANSIENT, RELIABLE], ReliabilityPolicy.RELIABLE, DurabilityPolicy.VOLATILE),
    ],
)
def test_a_recording_asks_for_what_every_publisher_offers(offers, reliability, durability):
    profile = subscription_profile(offers, 30)
    assert (profile.reliability, profile.durability, profile.depth) == (reliability, durability, 30)


def test_only_asking_for_less_is_weaker():
    assert is_weaker(BEST_EFFORT, RELIABLE)
    assert is_weaker(RELIABLE, TRANSIENT)
    assert not is_weaker(RELIABLE, BEST_EFFORT)
    assert not is_weaker(TRANSIENT, TRANSIENT)


def test_an_offer_survives_the_bag():
    offer = QoSProfile(depth=7, durability=DurabilityPolicy.TRANSIENT_LOCAL, reliability=ReliabilityPolicy.BEST_EFFORT)
    (back,) = parse_qos(dump_qos_v8([recorded_qos(offer)]))
    assert (back.depth, back.durability, back.reliability) == (
        7,
        QosDurability.TRANSIENT_LOCAL,
        QosReliability.BEST_EFFORT,
    )


def test_an_unlimited_duration_is_recorded_as_rmw_writes_it():
    assert isinstance(recorded_qos(RELIABLE).lifespan, QosTime)
    assert QosTime(9223372036, 854775807) == FOREVER


def test_replay_offers_room_for_every_latched_message():
    profile = replay_profile([LATCHED, LATCHED], message_count=40)
    assert (profile.durability, profile.depth) == (DurabilityPolicy.TRANSIENT_LOCAL, 40)
    assert profile.history == HistoryPolicy.KEEP_LAST


def test_replay_without_a_record_is_reliable_and_volatile():
    profile = replay_profile([], message_count=1000)
    assert (profile.reliability, profile.durability) == (ReliabilityPolicy.RELIABLE, DurabilityPolicy.VOLATILE)


def test_replay_offers_best_effort_where_it_was_recorded():
    best_effort = make_qos(5)._replace(reliability=QosReliability.BEST_EFFORT)
    assert replay_profile([best_effort], 3).reliability == ReliabilityPolicy.BEST_EFFORT
