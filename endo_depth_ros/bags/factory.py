"""The source that fits a path: video file, image folder or rosbag2."""

from __future__ import annotations

from pathlib import Path

from endo_depth_ros.bags.bag_reader import is_bag
from endo_depth_ros.bags.image_folder import ImageFolderSource, list_images
from endo_depth_ros.bags.rosbag_source import RosbagSource
from endo_depth_ros.bags.source import DEFAULT_FRAME_ID, FrameSource, SourceError, check_readable
from endo_depth_ros.bags.video import VideoSource
from endo_depth_ros.geometry.camera import Camera

ROS_1_SUFFIX = ".bag"


def open_source(
    path: Path,
    camera: Camera | None = None,
    fps: float | None = None,
    image_topic: str = "",
    frame_id: str = DEFAULT_FRAME_ID,
) -> FrameSource:
    """The frames of a video file, a folder of images, or a rosbag2 (folder, .mcap or .db3).

    camera: calibration to use, else a bag's own camera_info or a folder's own camera.yaml. fps: frame rate of videos
    and folders instead of the file's (folders: 30). image_topic: which topic of a bag, needed where it has several.
    frame_id: of videos and folders; a bag's images name their own. Raises SourceError, CameraError for a camera.yaml.
    """
    check_readable(path, "file or folder")
    if path.suffix == ROS_1_SUFFIX:
        raise SourceError(f"{path}: a ROS 1 bag; convert it with: rosbags-convert --src {path} --dst {path.stem}")
    if is_bag(path):
        return RosbagSource(path, camera, image_topic)
    if not path.is_dir():
        return VideoSource(path, camera, fps, frame_id)
    if list_images(path):
        return ImageFolderSource(path, camera, fps, frame_id)
    raise SourceError(f"{path}: neither a bag (metadata.yaml, .mcap, .db3) nor a folder of images (jpg, png, bmp, tif)")
