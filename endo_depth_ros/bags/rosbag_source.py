"""The images of one topic of a rosbag2 as a source of frames."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from endo_depth_ros.bags.bag import Bag, BagTopic, RawMessage
from endo_depth_ros.bags.bag_reader import open_bag
from endo_depth_ros.bags.messages import TYPESTORE
from endo_depth_ros.bags.source import SourceError, SourceFrame, make_broken_frame, make_frame
from endo_depth_ros.bags.topics import COMPRESSED_SUFFIX
from endo_depth_ros.geometry.assumed_camera import assumed_camera_from_info
from endo_depth_ros.geometry.camera import Camera, CameraError, camera_from_info
from endo_depth_ros.geometry.latest_camera import LatestCamera
from endo_depth_ros.geometry.recent_infos import RecentInfos
from endo_depth_ros.imaging.compressed import DEFAULT_MAX_PIXELS, decode_compressed
from endo_depth_ros.imaging.encodings import ImageError, decode_image
from endo_depth_ros.stamps import stamp_ns_of

RAW, COMPRESSED, INFO = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage", "sensor_msgs/msg/CameraInfo"


class RosbagSource:
    """Frames of one image topic in the order of recording, each with the CameraInfo of its stamp, else the latest."""

    def __init__(self, path: Path, camera: Camera | None = None, image_topic: str = "") -> None:
        """Open the bag once and choose the topic. camera: used instead of the bag's camera_info. Raises SourceError."""
        self.name = str(path)
        self.fps: float | None = None
        self._path, self._camera, self._cameras = path, camera, LatestCamera(_camera_from_info)
        with open_bag(path) as bag:
            self.warning = bag.advice
            self._image_topic = choose_image_topic(bag, image_topic)
            self.image_topic = self._image_topic.name
            self.frame_count: int | None = self._image_topic.message_count
            info_name = camera_info_topic(self.image_topic)
            self._topics = [t for t in bag.topics if t == self._image_topic or (t.name == info_name and t.type == INFO)]
            infos = [topic for topic in self._topics if topic.type == INFO]
            # A camera_info that is published less often than images may first appear after some of them.
            self._first_info = next((_parse(message) for message in bag.messages(infos)), None)
        self.camera_info_topic = info_name if infos else ""

    def __iter__(self) -> Iterator[SourceFrame]:
        """Iterate from the first message; an image waits for its CameraInfo until the next image at most."""
        infos = RecentInfos(self._first_info)
        waiting: RawMessage | None = None
        with open_bag(self._path) as bag:
            for message in bag.messages(self._topics):
                if message.topic.type == INFO:
                    info = _parse(message)
                    if info is not None:
                        infos.add(info)
                    if waiting is not None and infos.has(_image_stamp_ns(waiting)):
                        yield self._frame(waiting, infos)
                        waiting = None
                    continue
                if waiting is not None:
                    yield self._frame(waiting, infos)
                waiting = message
            if waiting is not None:
                yield self._frame(waiting, infos)

    def _frame(self, message: RawMessage, infos: RecentInfos) -> SourceFrame:
        parsed = _parse(message)
        if parsed is None:
            error = f"{self.image_topic}: a message can't be parsed; the recording is corrupt there"
            return make_broken_frame(message.stamp_ns, "", error)
        stamp_ns, frame_id = stamp_ns_of(parsed.header), str(parsed.header.frame_id)
        try:
            image = _decode(parsed)
        except ImageError as error:
            return make_broken_frame(stamp_ns, frame_id, f"{self.image_topic}: {error}")
        info = infos.get(stamp_ns)
        if self._camera is not None or info is None:
            return make_frame(stamp_ns, frame_id, image, self._camera)
        height, width = image.shape[:2]
        try:
            camera = self._cameras.of(info, width, height)
        except CameraError as error:
            return SourceFrame(stamp_ns, frame_id, image, camera_error=f"{self.camera_info_topic}: {error}")
        return SourceFrame(stamp_ns, frame_id, image, camera)


def choose_image_topic(bag: Bag, wanted: str) -> BagTopic:
    """The topic called `wanted`, or the only colour image topic. Raises SourceError that lists the candidates."""
    images = [topic for topic in bag.topics if topic.type in (RAW, COMPRESSED) and topic.message_count]
    if not images:
        raise SourceError(
            f"{bag.name}: no images in this bag (sensor_msgs Image or CompressedImage); record one that has"
        )
    names = ", ".join(sorted(topic.name for topic in images))
    if wanted:
        exact = [topic for topic in images if topic.name == wanted]
        if not exact:
            raise SourceError(f"{bag.name}: no images on {wanted}; give --image-topic as one of: {names}")
        return exact[0]
    colour = [topic for topic in images if not _is_derived(topic.name)] or images
    raw = {topic.name for topic in colour if topic.type == RAW}
    # image_raw/compressed is the same picture as image_raw.
    distinct = [topic for topic in colour if topic.name.removesuffix(COMPRESSED_SUFFIX) not in raw or topic.type == RAW]
    if len(distinct) > 1:
        raise SourceError(f"{bag.name}: several image topics; give --image-topic as one of: {names}")
    return distinct[0]


def camera_info_topic(image_topic: str) -> str:
    """camera_info beside the image, as image_transport looks for it."""
    return image_topic.removesuffix(COMPRESSED_SUFFIX).rpartition("/")[0] + "/camera_info"


def _camera_from_info(info: Any, width: int, height: int) -> Camera:
    return assumed_camera_from_info(info, width, height) or camera_from_info(info, width, height)


def _is_derived(topic_name: str) -> bool:
    return any(part.startswith("depth") for part in topic_name.split("/"))


def _parse(message: RawMessage) -> Any | None:
    try:
        return TYPESTORE.deserialize_cdr(message.data, message.topic.type)
    # The generated parser runs off the end of short messages in several ways.
    except Exception:
        return None


def _image_stamp_ns(message: RawMessage) -> int:
    parsed = _parse(message)
    return -1 if parsed is None else stamp_ns_of(parsed.header)


def _decode(message: Any) -> Any:
    if message.__msgtype__ == COMPRESSED:
        return decode_compressed(message.data, DEFAULT_MAX_PIXELS)
    bigendian = bool(message.is_bigendian)
    return decode_image(message.height, message.width, message.encoding, bigendian, message.step, message.data)
