"""Small videos, folders and bags for the tests, made on the spot."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from rosbags.interfaces import QosDurability
from rosbags.rosbag2 import StoragePlugin, Writer

from endo_depth_ros.bags.bag_writer import BagWriter
from endo_depth_ros.bags.messages import TYPESTORE, make_camera_info, make_color_image, make_qos
from endo_depth_ros.bags.video_writer import VideoWriter
from endo_depth_ros.geometry.camera import Camera, pinhole_from_hfov

WIDTH, HEIGHT = 64, 48
PERIOD_NS = 40_000_000
START_NS = 5 * 10**9
FRAME_ID = "scope_optical_frame"
LATCHED = make_qos(1)._replace(durability=QosDurability.TRANSIENT_LOCAL)


def make_image(index: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """uint8 [H, W, 3], RGB: smooth, pink, and brighter with every index, so that frames can be told apart."""
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0] = 40 + 10 * index % 200
    image[..., 1] = np.linspace(0.5, 0.7, width) * image[..., 0]
    return image


def calibrated_camera() -> Camera:
    """A calibrated pinhole of the test images."""
    camera = pinhole_from_hfov(WIDTH, HEIGHT, 70.0)
    return Camera(WIDTH, HEIGHT, camera.K)


def write_video(path: Path, count: int = 10, fps: float = 25.0) -> Path:
    """A video of make_image(0), make_image(1) and so on."""
    with VideoWriter(path, fps) as writer:
        for index in range(count):
            writer.write(make_image(index))
    return path


def write_folder(path: Path, count: int = 12) -> Path:
    """A folder of PNGs named 0.png … 11.png, whose order as text is wrong."""
    path.mkdir()
    for index in range(count):
        cv2.imwrite(str(path / f"{index}.png"), cv2.cvtColor(make_image(index), cv2.COLOR_RGB2BGR))
    return path


def write_bag(path: Path, count: int = 10, camera: Camera | None = None) -> Path:
    """A bag with /image_raw and, given a camera, /camera_info, PERIOD_NS apart from START_NS on."""
    with BagWriter(path) as writer:
        for index in range(count):
            stamp_ns = START_NS + index * PERIOD_NS
            writer.write_message("/image_raw", stamp_ns, make_color_image(stamp_ns, FRAME_ID, make_image(index)))
            if camera is not None:
                writer.write_message("/camera_info", stamp_ns, make_camera_info(stamp_ns, FRAME_ID, camera))
    return path


def write_corrupt_sqlite(path: Path) -> Path:
    """The .db3 of a new bag folder, 2000 messages 1 ns apart, which opens but can be read only to about the middle."""
    with Writer(path, version=8, storage_plugin=StoragePlugin.SQLITE3) as writer:
        connection = writer.add_connection("/chatter", "std_msgs/msg/String", typestore=TYPESTORE)
        for stamp_ns in range(2000):
            writer.write(connection, stamp_ns, bytes(100))
    file = next(path.glob("*.db3"))
    content = bytearray(file.read_bytes())
    # Inside a page of messages, which opening does not read.
    place = len(content) // 2 // 4096 * 4096 + 2000
    content[place : place + 100] = b"\xff" * 100
    file.write_bytes(content)
    return file
