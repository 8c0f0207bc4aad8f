"""True depth and camera poses from the topics of a bag, message by message."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.bags.bag import Bag, BagTopic, RawMessage
from endo_depth_ros.bags.bag_reader import open_bag
from endo_depth_ros.bags.messages import TYPESTORE
from endo_depth_ros.bags.rosbag_source import INFO, RAW, camera_info_topic
from endo_depth_ros.bags.source import SourceError
from endo_depth_ros.bags.topics import TF, TRUTH_DEPTH
from endo_depth_ros.geometry.camera import Camera, CameraError, camera_from_info
from endo_depth_ros.geometry.latest_camera import LatestCamera, calibration_key
from endo_depth_ros.geometry.transforms import pose_matrix
from endo_depth_ros.imaging.depth_image import ENCODINGS, decode_depth_image
from endo_depth_ros.imaging.encodings import ImageError
from endo_depth_ros.stamps import stamp_ns_of

# T_world_camera by the camera's frame ('' where the message names none) and stamp.
Poses = dict[tuple[str, int], NDArray[np.float64]]
# The same of one message, None where it holds none that can be used.
PosesRead = Mapping[tuple[str, int], NDArray[np.float64] | None]

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Truth:
    """What is known about the image of a stamp.

    depth: float32 [H, W], metres, NaN where unknown, in the pixels of `camera`, which is None where nobody says; None
    where only the pose is known. T_world_camera: [4, 4] of the optical frame, or None.
    """

    stamp_ns: int
    depth: NDArray[np.float32] | None
    camera: Camera | None
    T_world_camera: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class TruthTopics:
    """Where the truth of a bag is.

    depth: an Image, 32FC1 in metres or 16UC1 in millimetres; a bag may lack it where `pose` names the truth.
    pose: '' takes /tf to the camera's frame.
    """

    depth: str = TRUTH_DEPTH
    pose: str = ""


def read_truth_topics(path: Path, topics: TruthTopics, image_topic: str = "") -> Iterator[Truth]:
    """True depths in the order of recording, with poses of the same stamp; then poses of other stamps.

    image_topic: whose frame poses are of where no depth says it. Raises SourceError where there is no truth.
    """
    with open_bag(path) as bag:
        pose_topics = _find_poses(bag, topics.pose)
        depth_topics = _find_depth(bag, topics.depth)
        beside = _read_beside(bag, pose_topics, _find_infos(bag, depth_topics))
        named = depth_topics or [topic for topic in bag.topics if topic.name == image_topic]
        frame_ids = {"", *(str(message.header.frame_id) for message in islice(_parsed(bag, named), 1))}
        beside.keep_poses_in_one_world(frame_ids, bag.name)
        if not depth_topics and not (topics.pose and beside.poses and topics.depth == TRUTH_DEPTH):
            raise _no_depth(bag, topics.depth)
        seen = set()
        for truth in _read_depths(bag, depth_topics, beside):
            seen.add(truth.stamp_ns)
            yield truth
        of_camera = {stamp_ns: T for (frame_id, stamp_ns), T in beside.poses.items() if frame_id in frame_ids}
        for stamp_ns in sorted(of_camera.keys() - seen):
            yield Truth(stamp_ns, None, None, of_camera[stamp_ns])


@dataclass(frozen=True, eq=False)
class Beside:
    """What stands beside true depth: poses, CameraInfo by stamp, and the parents of each frame on /tf."""

    poses: Poses
    infos: dict[int, Any]
    parents: dict[str, set[str]]

    def keep_poses_in_one_world(self, frame_ids: set[str], bag_name: str) -> None:
        """Leave out poses of the camera's frames that are not in a world that stands still, with a sentence."""
        if self.parents and not frame_ids & self.parents.keys():
            log.warning(
                "%s: no transform on %s is of the camera's frame %s (but of %s); give --truth-pose where its poses are",
                bag_name, TF, _listed(frame_ids), _listed(self.parents),
            )  # fmt: skip
        for frame_id in frame_ids & self.parents.keys():
            parents = self.parents[frame_id]
            moving = parents & self.parents.keys()
            if len(parents) > 1:
                fault = f"has several parents ({_listed(parents)})"
            elif moving:
                fault = f"hangs under {_listed(moving)}, which moves itself"
            else:
                continue
            log.warning(
                "%s: %s %s on %s, so its transforms are no true poses; give --truth-pose a topic of poses in one world",
                bag_name, frame_id, fault, TF,
            )  # fmt: skip
            for key in [key for key in self.poses if key[0] == frame_id]:
                del self.poses[key]


def _read_beside(bag: Bag, pose_topics: list[BagTopic], info_topics: list[BagTopic]) -> Beside:
    """All poses and calibrations, in one walk: a walk reads the images among them too."""
    beside, known, unusable = Beside({}, {}, {}), LatestInfo(), 0
    for topic, message in _parsed_by_topic(bag, [*pose_topics, *info_topics]):
        if topic.type == INFO:
            beside.infos[stamp_ns_of(message.header)] = known.of(message)
        else:
            poses = POSE_TYPES[topic.type](message)
            beside.poses.update({key: T for key, T in poses.items() if T is not None})
            unusable += sum(T is None for T in poses.values())
            for each in message.transforms if topic.name == TF else ():
                beside.parents.setdefault(each.child_frame_id, set()).add(each.header.frame_id)
    if unusable:
        log.warning("%s: %d poses with NaN or without a rotation are left out", bag.name, unusable)
    return beside


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(name for name in names if name)) or "unknown"


class LatestInfo:
    """Gives one message for all that say the same, so that a long bag's calibrations take no memory."""

    def __init__(self) -> None:
        """None so far."""
        self._latest: tuple[tuple[Any, ...], Any] | None = None

    def of(self, info: Any) -> Any:
        """The first of the messages in a row that say the same as `info`."""
        key = calibration_key(info)
        if self._latest is None or self._latest[0] != key:
            self._latest = key, info
        return self._latest[1]


def _read_depths(bag: Bag, depth_topics: list[BagTopic], beside: Beside) -> Iterator[Truth]:
    fallback = next(iter(beside.infos.values()), None)
    cameras, poses = LatestCamera(camera_from_info), beside.poses
    for message in _parsed(bag, depth_topics):
        stamp_ns = stamp_ns_of(message.header)
        depth = decode_depth(message, f"{bag.name}: {depth_topics[0].name}")
        camera = _camera_of(beside.infos.get(stamp_ns, fallback), depth.shape, bag.name, cameras)
        frame_id = str(message.header.frame_id)
        yield Truth(stamp_ns, depth, camera, poses.get((frame_id, stamp_ns), poses.get(("", stamp_ns))))


def decode_depth(message: Any, where: str) -> NDArray[np.float32]:
    """Depth of an Image, float32 [H, W] in metres, NaN for none. Raises SourceError for another encoding."""
    encoding = "16UC1" if message.encoding == "mono16" else message.encoding
    if encoding not in ENCODINGS:
        raise SourceError(f"{where} is {encoding}, no depth; name a topic of 32FC1 (metres) or 16UC1 (mm)")
    try:
        depth = decode_depth_image(
            message.height, message.width, encoding, bool(message.is_bigendian), message.step, message.data
        )
    except ImageError as error:
        raise SourceError(f"{where}: {error}") from error
    with np.errstate(invalid="ignore"):
        return np.where((depth > 0) & (depth < np.inf), depth, np.float32(np.nan))


def _find_depth(bag: Bag, name: str) -> list[BagTopic]:
    """The topic of true depth, if it is there."""
    return [topic for topic in bag.topics if topic.type == RAW and topic.message_count and topic.name == name][:1]


def _no_depth(bag: Bag, name: str) -> SourceError:
    """What to say where true depth is missing."""
    images = sorted(topic.name for topic in bag.topics if topic.type == RAW and topic.message_count)
    return SourceError(
        f"{bag.name}: no true depth on {name}; give --truth-depth TOPIC (images in this bag: "
        f"{', '.join(images) or 'none'}), --truth-pose TOPIC where only poses are known, or see depth without truth "
        "with endo-depth process"
    )


def _find_infos(bag: Bag, depth_topics: list[BagTopic]) -> list[BagTopic]:
    names = [camera_info_topic(topic.name) for topic in depth_topics]
    return [topic for topic in bag.topics if topic.name in names and topic.type == INFO]


def _camera_of(info: Any, shape: tuple[int, ...], bag_name: str, cameras: LatestCamera) -> Camera | None:
    if info is None:
        return None
    try:
        return cameras.of(info, shape[1], shape[0])
    except CameraError as error:
        raise SourceError(f"{bag_name}: camera_info of the true depth: {error}") from error


def _find_poses(bag: Bag, name: str) -> list[BagTopic]:
    """The topics of poses, /tf where `name` is ''. Raises SourceError where it is missing or something else."""
    wanted = name or TF
    found = [topic for topic in bag.topics if topic.name == wanted and topic.message_count]
    if not found and name:
        raise SourceError(f"{bag.name}: there is no topic {name}; give --truth-pose as one of the bag's")
    for topic in found:
        if topic.type not in POSE_TYPES:
            raise SourceError(f"{bag.name}: {topic.name} is {topic.type}; a pose is one of {', '.join(POSE_TYPES)}")
    return found


def _parsed(bag: Bag, topics: list[BagTopic]) -> Iterator[Any]:
    return (message for _, message in _parsed_by_topic(bag, topics))


def _parsed_by_topic(bag: Bag, topics: list[BagTopic]) -> Iterator[tuple[BagTopic, Any]]:
    for raw in bag.messages(topics) if topics else ():
        message = _parse(raw)
        if message is not None:
            yield raw.topic, message


def _parse(raw: RawMessage) -> Any | None:
    try:
        return TYPESTORE.deserialize_cdr(raw.data, raw.topic.type)
    # The generated parser runs off the end of short messages in several ways.
    except Exception:
        return None


def _matrix(position: Any, rotation: Any) -> NDArray[np.float64] | None:
    try:
        T = pose_matrix((position.x, position.y, position.z), (rotation.x, rotation.y, rotation.z, rotation.w))
    except ValueError:
        return None
    return T if np.isfinite(T).all() else None


def _of_pose(message: Any) -> PosesRead:
    return {("", stamp_ns_of(message.header)): _matrix(message.pose.position, message.pose.orientation)}


def _of_pose_with_covariance(message: Any) -> PosesRead:
    pose = message.pose.pose
    return {("", stamp_ns_of(message.header)): _matrix(pose.position, pose.orientation)}


def _of_transform(message: Any) -> PosesRead:
    transform = message.transform
    return {(message.child_frame_id, stamp_ns_of(message.header)): _matrix(transform.translation, transform.rotation)}


def _of_transforms(message: Any) -> PosesRead:
    return {key: T for each in message.transforms for key, T in _of_transform(each).items()}


POSE_TYPES: dict[str, Callable[[Any], PosesRead]] = {
    "geometry_msgs/msg/PoseStamped": _of_pose,
    "geometry_msgs/msg/PoseWithCovarianceStamped": _of_pose_with_covariance,
    "nav_msgs/msg/Odometry": _of_pose_with_covariance,
    "geometry_msgs/msg/TransformStamped": _of_transform,
    "tf2_msgs/msg/TFMessage": _of_transforms,
}
