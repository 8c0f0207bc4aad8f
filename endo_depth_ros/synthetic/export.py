"""A rendered sequence as a bag or as a folder, with its truth."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.bags.bag_writer import BagWriter
from endo_depth_ros.bags.camera_yaml import write_camera
from endo_depth_ros.bags.image_folder import write_image
from endo_depth_ros.bags.messages import make_camera_info, make_color_image, make_depth_image, make_qos, make_transforms
from endo_depth_ros.bags.output import OutputError, complete_output
from endo_depth_ros.bags.topics import CAMERA_INFO, IMAGE, TF, TRUTH_CAMERA_INFO, TRUTH_DEPTH
from endo_depth_ros.bags.tum_file import write_tum
from endo_depth_ros.geometry.trajectory import Trajectory
from endo_depth_ros.synthetic.sequence import SyntheticFrame

WORLD_FRAME_ID = "world"
OFFERED = (make_qos(10),)


def write_bag(frames: Iterable[SyntheticFrame], path: Path) -> int:
    """Write an .mcap of image, camera, true depth (see true_depth) and world→camera transforms.

    Returns the number of frames.
    Raises OutputError when the file exists, can't be written, or there is no frame.
    """
    count = 0
    with complete_output(path) as partial, BagWriter(partial) as writer:
        for rendered in frames:
            for topic, message in _messages(rendered).items():
                writer.write_message(topic, rendered.frame.stamp_ns, message, OFFERED)
            count += 1
        _check_any(count, path)
    return count


def write_folder(frames: Iterable[SyntheticFrame], path: Path) -> int:
    """Write images/*.png, depth/*.npy (float32, see true_depth), camera.yaml, trajectory.tum; number of frames.

    Raises OutputError when the folder exists, can't be written, or there is no frame.
    """
    stamps, poses = [], []
    with complete_output(path) as partial:
        for name in ("images", "depth"):
            (partial / name).mkdir(parents=True)
        for index, rendered in enumerate(frames):
            write_image(partial / "images" / f"{index:06d}.png", rendered.frame.image)
            np.save(partial / "depth" / f"{index:06d}.npy", true_depth(rendered))
            if index == 0:
                write_camera(partial / "camera.yaml", rendered.frame.camera)
            stamps.append(rendered.frame.stamp_ns)
            poses.append(rendered.T_world_camera)
        _check_any(len(stamps), path)
        write_tum(partial / "trajectory.tum", Trajectory(np.array(stamps, np.int64), np.stack(poses)))
    return len(stamps)


def true_depth(rendered: SyntheticFrame) -> NDArray[np.float32]:
    """Depth in metres [H, W] of what the image shows; NaN outside the field of view and behind smoke, blood, drops."""
    return np.where(rendered.field_of_view & ~rendered.hidden, rendered.depth, np.float32(np.nan))


def _messages(rendered: SyntheticFrame) -> dict[str, Any]:
    """Message of each topic, the camera and the transform before the images that need them."""
    frame = rendered.frame
    header = (frame.stamp_ns, frame.frame_id)
    return {
        TF: make_transforms(frame.stamp_ns, WORLD_FRAME_ID, frame.frame_id, rendered.T_world_camera),
        CAMERA_INFO: make_camera_info(*header, frame.camera),
        TRUTH_CAMERA_INFO: make_camera_info(*header, frame.camera),
        IMAGE: make_color_image(*header, frame.image),
        TRUTH_DEPTH: make_depth_image(*header, true_depth(rendered)),
    }


def _check_any(count: int, path: Path) -> None:
    if count == 0:
        raise OutputError(f"{path}: there is no frame to write; ask for at least one")
