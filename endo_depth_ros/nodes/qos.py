"""Quality of service of recordings: as offered by publishers, as written in a bag, as replayed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rclpy.duration import Duration
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime

from endo_depth_ros.stamps import NANOSECONDS

DEFAULT_DEPTH = 10
# Latched topics have one message a publisher; replay offers all of them from one publisher.
MAX_LATCHED = 1000


def subscription_profile(offers: Sequence[QoSProfile], depth: int) -> QoSProfile:
    """The strictest profile that matches every offer: reliable if all are, latched if all are."""
    reliable = all(offer.reliability == ReliabilityPolicy.RELIABLE for offer in offers)
    latched = all(offer.durability == DurabilityPolicy.TRANSIENT_LOCAL for offer in offers)
    return _profile(depth, reliable, latched)


def reliable_profile(depth: int, latched: bool) -> QoSProfile:
    """Reliable, keep last; latched: late subscribers get earlier messages."""
    return _profile(depth, True, latched)


def is_latched(profile: QoSProfile) -> bool:
    """Whether late subscribers get earlier messages."""
    return bool(profile.durability == DurabilityPolicy.TRANSIENT_LOCAL)


def is_weaker(profile: QoSProfile, other: QoSProfile) -> bool:
    """Whether `profile` asks for less than `other`, so that it matches offers that `other` does not."""
    return (profile.reliability != ReliabilityPolicy.RELIABLE and other.reliability == ReliabilityPolicy.RELIABLE) or (
        profile.durability != DurabilityPolicy.TRANSIENT_LOCAL and other.durability == DurabilityPolicy.TRANSIENT_LOCAL
    )


def replay_profile(recorded: Sequence[Qos], message_count: int) -> QoSProfile:
    """What to offer in place of the recorded publishers; without a record reliable and volatile, which suits most."""
    reliable = all(qos.reliability != QosReliability.BEST_EFFORT for qos in recorded)
    latched = bool(recorded) and all(qos.durability == QosDurability.TRANSIENT_LOCAL for qos in recorded)
    depth = max([qos.depth for qos in recorded] + [DEFAULT_DEPTH])
    if latched:
        depth = max(depth, min(message_count, MAX_LATCHED))
    return _profile(depth, reliable, latched)


def recorded_qos(offer: QoSProfile) -> Qos:
    """The offer as a bag keeps it; the history, which discovery does not tell, as keep last."""
    return Qos(
        QosHistory.KEEP_LAST,
        offer.depth or DEFAULT_DEPTH,
        _enum(QosReliability, offer.reliability),
        _enum(QosDurability, offer.durability),
        _time(offer.deadline),
        _time(offer.lifespan),
        _enum(QosLiveliness, offer.liveliness),
        _time(offer.liveliness_lease_duration),
        bool(offer.avoid_ros_namespace_conventions),
    )


def _profile(depth: int, reliable: bool, latched: bool) -> QoSProfile:
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )


def _enum(kind: Any, policy: Any) -> Any:
    """The bag's enumeration has the numbers of rmw."""
    values = {member.value for member in kind}
    return kind(int(policy)) if int(policy) in values else kind.UNKNOWN


def _time(duration: Duration) -> QosTime:
    return QosTime(*divmod(duration.nanoseconds, NANOSECONDS))
