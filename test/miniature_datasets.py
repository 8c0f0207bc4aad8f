"""Miniature data sets in exactly the layout, units and axes in which each is distributed."""

from __future__ import annotations

import io
import json
import struct
import tarfile
import zipfile
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from ellipsoid_scene import CAMERA, poses, view, views
from scipy.spatial.transform import Rotation

from endo_depth_ros.bags.video_writer import VideoWriter
from endo_depth_ros.geometry.camera import PLUMB_BOB, Camera
from endo_depth_ros.geometry.projection import raw_pixel_rays

SCARED_CAMERA = Camera(
    64,
    48,
    np.array([[55.0, 0, 30.5], [0, 56.0, 25.0], [0, 0, 1]]),
    PLUMB_BOB,
    np.array([-0.05, 0.02, 0.001, -0.002, 0]),
)


def write_png(path: Path, rgb: np.ndarray) -> None:
    """Colour as PNG, or JPEG by its suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 100] if path.suffix == ".jpg" else [])


def write_levels(path: Path, levels: np.ndarray, dtype=np.uint16) -> None:
    """Depth levels, rounded."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.round(levels).astype(dtype))


def tiff_of_points(points: np.ndarray) -> bytes:
    """float32 [H, W, 3] as an uncompressed TIFF of interleaved samples x, y, z, byte for byte (TIFF 6.0, section 2)."""
    height, width, _ = points.shape
    data = points.astype("<f4").tobytes()
    bits = 8 + len(data)
    formats = bits + 6
    entries = [
        (256, 4, 1, width), (257, 4, 1, height), (258, 3, 3, bits), (259, 3, 1, 1), (262, 3, 1, 2), (273, 4, 1, 8),
        (277, 3, 1, 3), (278, 4, 1, height), (279, 4, 1, len(data)), (284, 3, 1, 1), (339, 3, 3, formats),
    ]  # fmt: skip
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    header = struct.pack("<2sHI", b"II", 42, formats + 6)
    return header + data + struct.pack("<3H", 32, 32, 32) + struct.pack("<3H", 3, 3, 3) + directory + bytes(4)


def write_tar(path: Path, files: dict[str, bytes]) -> None:
    """A .tar.gz of the files in reverse order: archives are not sorted."""
    with tarfile.open(path, "w:gz") as tar:
        for name, content in reversed(files.items()):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


def scared(root: Path, packed: bool = True, count: int = 3) -> Path:
    """root/dataset_1/keyframe_2 as distributed, or with its archives extracted."""
    folder = root / "dataset_1" / "keyframe_2"
    (folder / "data").mkdir(parents=True)
    camera = SCARED_CAMERA
    storage = cv2.FileStorage(str(folder / "endoscope_calibration.yaml"), cv2.FILE_STORAGE_WRITE)
    for name, matrix in (("M1", camera.K), ("D1", camera.D[None]), ("M2", 2 * camera.K), ("D2", 0 * camera.D[None])):
        storage.write(name, np.asarray(matrix))
    storage.release()
    frame_data, scene_points = {}, {}
    rays = raw_pixel_rays(camera)
    with VideoWriter(folder / "data" / "rgb.mp4", 25.0) as video:
        for index, (T, depth, image) in enumerate(views(camera, count)):
            video.write(np.vstack([image, 255 - image]))
            left = 1000 * rays * depth[..., None]
            left[:3] = 0
            scene_points[f"scene_points{index:06d}.tiff"] = tiff_of_points(np.vstack([left, 7 * left[::-1]]))
            W = np.linalg.inv(T)
            W[:3, 3] *= 1000
            calibration = {
                "KL": camera.K.tolist(),
                "DL": [camera.D.tolist()],
                "KR": np.eye(3).tolist(),
                "DR": [[0] * 5],
            }
            document = {"camera-calibration": calibration, "camera-pose": W.tolist(), "timestamp": index}
            frame_data[f"frame_data{index:06d}.json"] = json.dumps(document).encode()
    for name, files in (("frame_data", frame_data), ("scene_points", scene_points)):
        if packed:
            write_tar(folder / "data" / f"{name}.tar.gz", files)
        else:
            (folder / "data" / name).mkdir()
            for file, content in files.items():
                (folder / "data" / name / file).write_bytes(content)
    T, depth, image = views(camera, count)[0]
    write_png(folder / "Left_Image.png", image)
    points = 1000 * rays * depth[..., None]
    points[-2:] = np.nan
    (folder / "left_depth_map.tiff").write_bytes(tiff_of_points(points))
    return folder


def hamlyn(root: Path, columns: int = 4) -> Path:
    """root/rectified14/rectified14, K as 3x3 or 3x4; the second frame has no right image."""
    folder = root / "rectified14" / "rectified14"
    for index, (_, depth, image) in enumerate(views()):
        name = f"{5 + 2 * index:010d}"
        write_png(folder / "image01" / f"{name}.jpg", image)
        write_levels(folder / "depth01" / f"{name}.png", np.where(np.arange(48) < 2, 0, 1000 * depth))
        if index != 1:
            write_png(folder / "image02" / f"{name}.jpg", 255 - image)
        write_levels(folder / "depth02" / f"{name}.png", 500 * depth)
    K = np.hstack([CAMERA.K, np.zeros((3, 1))])[:, :columns]
    np.savetxt(folder / "intrinsics.txt", K, fmt="%.6f")
    return folder


def servct(root: Path) -> Path:
    """root/Experiment_2 with both references, whose depths differ, and occlusions in one corner."""
    folder = root / "Experiment_2"
    for number, (_, depth, image) in enumerate(views(count=2), start=9):
        name = f"{number:03d}.png"
        write_png(folder / "Left_rectified" / name, image)
        write_png(folder / "Right_rectified" / name, 255 - image)
        for reference, factor in (("CT", 1.0), ("RGB", 0.5)):
            write_levels(folder / f"Ground_truth_{reference}" / "DepthL" / name, factor * 1000 * 256 * depth)
            mask = np.zeros_like(image)
            for row, color in enumerate([(0, 0, 255), (255, 255, 0), (255, 0, 0), (0, 255, 0)]):
                mask[row, :10] = color
            write_png(folder / f"Ground_truth_{reference}" / "OcclusionL" / name, mask)
        P1 = np.hstack([CAMERA.K, np.zeros((3, 1))])
        P2 = P1 + np.array([[3, 0, 0, -200], [0] * 4, [0] * 4])
        calibration = {key: {"rows": 3, "cols": 4, "data": P.ravel().tolist()} for key, P in (("P1", P1), ("P2", P2))}
        path = folder / "Rectified_calibration" / f"{number:03d}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(calibration))
    return folder


def unity(T: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Position and quaternion (x, y, z, w) of a Unity camera that sees what an optical camera at T does.

    Unity's world is ours in a mirror of y. Its camera's axes are right, up and forward.
    """
    mirror = np.array([1.0, -1.0, 1.0])
    right, down, forward = T[:3, :3].T
    axes = np.stack([mirror * right, mirror * -down, mirror * forward], axis=1)
    return mirror * T[:3, 3], Rotation.from_matrix(axes).as_quat()


def endoslam_unity(root: Path) -> Path:
    """root/UnityCam/Small Intestine; the last row of poses breaks off, and one more frame has none at all."""
    folder = root / "UnityCam" / "Small Intestine"
    (root / "UnityCam" / "Calibration").mkdir(parents=True)
    (root / "UnityCam" / "Calibration" / "cam.txt").write_text(",".join(map(str, CAMERA.K.ravel())))
    rows = ["tX,tY,tZ,rX,rY,rZ,rW,time(s)"]
    for index, (T, depth, image) in enumerate(views()):
        write_png(folder / "Frames" / f"image_{index:04d}.png", image)
        write_levels(
            folder / "Pixelwise Depths" / f"aov_image_{index:04d}.png", np.dstack([1000 * depth] * 4), np.uint8
        )
        position, quaternion = unity(T)
        row = ",".join(f"{value:.9f}" for value in (*position, *quaternion, index / 30))
        rows.append(row if index < 2 else row[:40])
    (folder / "Poses").mkdir()
    (folder / "Poses" / "intestine_position_rotation.csv").write_text("\n".join(rows))
    return folder


def endoslam_real(root: Path, shared: bool = True) -> Path:
    """root/Cameras/HighCam/Colon-IV/TumorfreeTrajectory_1: poses out of order, by frame number, one missing."""
    camera = root / "Cameras" / "HighCam"
    folder = camera / "Colon-IV" / "TumorfreeTrajectory_1"
    (camera / "Calibration").mkdir(parents=True)
    (camera / "Calibration" / "cam.txt").write_text("\n".join(" ".join(map(str, row)) for row in CAMERA.K))
    header = ["ImageFrame", "Pose_Index", "trans_x", "trans_y", "trans_z", "quot_x", "quot_y", "quot_z", "quot_w"]
    rows = []
    for index, (T, _, image) in enumerate(views()):
        write_png(folder / "Frames" / f"frame_{60 + index:06d}.jpg", image)
        quaternion = Rotation.from_matrix(T[:3, :3]).as_quat()
        rows.append([60 + index, index, *T[:3, 3], *quaternion])
    (folder / "Poses").mkdir()
    write_workbook(
        folder / "Poses" / "low_high_pose_colon_test_1_high_images.xlsx", header, [rows[3], rows[0], rows[1]], shared
    )
    return folder


def write_workbook(path: Path, header: list[str], rows: list[list[float]], shared: bool) -> None:
    """The parts of an .xlsx that hold a sheet, its header as shared or inline strings."""
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'

    def text(column: int, value: str) -> str:
        letter = chr(ord("A") + column)
        if shared:
            return f'<c r="{letter}1" t="s"><v>{column}</v></c>'
        return f'<c r="{letter}1" t="inlineStr"><is><t>{value}</t></is></c>'

    lines = ["".join(text(column, name) for column, name in enumerate(header))]
    for number, row in enumerate(rows, start=2):
        lines.append(
            "".join(
                f'<c r="{chr(ord("A") + c)}{number}"><v>{value!r}</v></c>' for c, value in enumerate(map(float, row))
            )
        )
    body = "".join(f'<row r="{number}">{line}</row>' for number, line in enumerate(lines, start=1))
    with zipfile.ZipFile(path, "w") as workbook:
        workbook.writestr("xl/worksheets/sheet1.xml", f"<worksheet {space}><sheetData>{body}</sheetData></worksheet>")
        if shared:
            strings = "".join(f"<si><t>{name}</t></si>" for name in header)
            workbook.writestr("xl/sharedStrings.xml", f"<sst {space}>{strings}</sst>")


def c3vd_rays() -> np.ndarray:
    """Rays [1080, 1350, 3], z = 1, as the data set's own calibration has them; NaN behind the camera."""
    u, v = np.meshgrid(np.arange(1350) - 678.544839263292, np.arange(1080) - 542.975887548343)
    inverse = np.linalg.inv([[0.999986882249990, 0.00288273829525059], [-0.00296316513429569, 1.0]])
    x, y = inverse[0, 0] * u + inverse[0, 1] * v, inverse[1, 0] * u + inverse[1, 1] * v
    r = np.hypot(x, y)
    z = 769.243600037458 - 0.000812770624150226 * r**2 + 6.25674244578925e-07 * r**3 - 1.19662182144280e-09 * r**4
    z = np.where(r < 760, z, np.nan)
    return np.stack([x / z, y / z, np.ones_like(z)], axis=-1)


@lru_cache(maxsize=1)
def c3vd_files() -> tuple[tuple[bytes, bytes], ...]:
    """Colour and depth of two frames as files; made once, since they are large."""
    rays, files = c3vd_rays(), []
    for T in poses(2):
        depth, image = view(T, rays)
        known = np.isfinite(depth)
        levels = np.where(known, np.minimum(1000 * np.nan_to_num(depth) / 100 * 65535, 65535), 0)
        levels[500:510] = 65535
        color = np.where(known[..., None], image, 0)[..., ::-1]
        quick = [cv2.IMWRITE_PNG_COMPRESSION, 1]
        parts = cv2.imencode(".png", color, quick)[1], cv2.imencode(".tiff", np.round(levels).astype(np.uint16))[1]
        files.append((parts[0].tobytes(), parts[1].tobytes()))
    return tuple(files)


def c3vd(root: Path, padded: bool = True) -> Path:
    """root/cecum_t1_a; the corners and what lies beyond 100 mm are not known."""
    folder = root / "cecum_t1_a"
    folder.mkdir(parents=True)
    lines = []
    for index, (T, (color, depth)) in enumerate(zip(poses(2), c3vd_files(), strict=True)):
        (folder / (f"{index:04d}_color.png" if padded else f"{index}_color.png")).write_bytes(color)
        (folder / f"{index:04d}_depth.tiff").write_bytes(depth)
        (folder / f"{index:04d}_normals.tiff").touch()
        M = T.copy()
        M[:3, 3] *= 1000
        lines.append(",".join(f"{value:.9f}" for column in M.T for value in column))
    (folder / "pose.txt").write_text("\n".join(lines) + "\n")
    return folder


def simcol3d(root: Path) -> Path:
    """root/SyntheticColon_I/Frames_S1, beside a folder of predictions as participants leave them."""
    scene = root / "SyntheticColon_I"
    folder = scene / "Frames_S1"
    (scene / "Frames_S1_OP" / "depth").mkdir(parents=True)
    positions, rotations = [], []
    for index, (T, depth, image) in enumerate(views()):
        write_png(folder / f"FrameBuffer_{index:04d}.png", image)
        write_levels(folder / f"Depth_{index:04d}.png", 100 * depth / 20 * 255 * 256)
        position, quaternion = unity(T)
        positions.append(100 * position)
        rotations.append(quaternion)
    np.savetxt(scene / "SavedPosition_S1.txt", positions)
    np.savetxt(scene / "SavedRotationQuaternion_S1.txt", rotations)
    (scene / "cam.txt").write_text(" ".join(map(str, CAMERA.K.ravel())))
    return folder


def tum_rgbd(root: Path) -> Path:
    """root/rgbd_dataset_freiburg3_test, 640x480; colour, depth and poses have times of their own."""
    folder = root / "rgbd_dataset_freiburg3_test"
    camera = Camera(640, 480, np.array([[535.4, 0, 320.1], [0, 539.2, 247.6], [0, 0, 1]]))
    lists = {"rgb": ["# color images"], "depth": ["# depth maps"]}
    truth = ["# timestamp tx ty tz qx qy qz qw"]
    for index, (T, depth, image) in enumerate(views(camera, 3)):
        rgb_time, depth_time = f"1311868164.{363181 + 33000 * index:06d}", f"1311868164.{373181 + 33000 * index:06d}"
        write_png(folder / "rgb" / f"{rgb_time}.png", image)
        lists["rgb"].append(f"{rgb_time} rgb/{rgb_time}.png")
        if index != 1:
            write_levels(folder / "depth" / f"{depth_time}.png", 5000 * depth)
            lists["depth"].append(f"{depth_time} depth/{depth_time}.png")
        for offset in (-8000, 1000, 9000):
            moved = T.copy()
            moved[0, 3] += 0.0 if offset == 1000 else 0.5
            values = (*moved[:3, 3], *Rotation.from_matrix(T[:3, :3]).as_quat())
            time = f"1311868164.{363181 + 33000 * index + offset:06d}"
            truth.append(" ".join([time, *(f"{value:.9f}" for value in values)]))
    for name, lines in lists.items():
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n")
    (folder / "groundtruth.txt").write_text("\n".join(truth) + "\n")
    return folder
