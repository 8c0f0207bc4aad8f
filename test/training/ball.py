"""Sequence files without a renderer: views from within a painted ball, whose poses and depth are a closed form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from endo_depth_ros.geometry.camera import Camera
from training.sequence_file import NO_PAIR, SequenceWriter

WIDTH, HEIGHT = 96, 80
K = np.array([[60.0, 0, 47.5], [0, 60.0, 39.5], [0, 0, 1]])
RADIUS_M = 0.03


def look(T_world_camera: NDArray[np.float64], seed: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Radiance [H, W, 3] and depth z [H, W] from a pose inside."""
    rng = np.random.default_rng(seed)
    waves, phases = rng.normal(size=(3, 20, 3)) * 900, rng.uniform(0, 2 * np.pi, (3, 20))
    v, u = np.mgrid[:HEIGHT, :WIDTH]
    rays = np.stack([u, v, np.ones_like(u)], -1) @ np.linalg.inv(K).T @ T_world_camera[:3, :3].T
    origin = T_world_camera[:3, 3]
    a, b, c = (rays**2).sum(-1), rays @ origin, origin @ origin - RADIUS_M**2
    z = (-b + np.sqrt(b * b - a * c)) / a
    points = origin + rays * z[..., None]
    paint = np.cos(np.einsum("hwk,cnk->hwcn", points, waves) + phases).sum(-1) / np.sqrt(20)
    return np.exp(0.4 * paint).astype(np.float32), z.astype(np.float32)


def pose(index: int) -> NDArray[np.float64]:
    """T_world_camera of a view; neighbours are 3 degrees and 1 mm apart."""
    T = np.eye(4)
    T[:3, :3] = Rotation.from_rotvec([0.02 * index, 0.05 * index, 0.0]).as_matrix()
    T[:3, 3] = [0.001 * index, 0, 0.0005 * index]
    return T


def write_ball(path: Path, seed: int, views: int = 5) -> None:
    """A sequence of views that all overlap."""
    writer = SequenceWriter(path, "ball", seed, Camera(WIDTH, HEIGHT, K), quality=95)
    for index in range(views):
        radiance, depth = look(pose(index), seed)
        writer.add(radiance, depth, np.zeros(depth.shape, bool), pose(index), index / 10, NO_PAIR)
    writer.finish()


def small_motion_document(folder: Path) -> dict[str, dict[str, Any]]:
    """A small training of the motion network as a document."""
    return {
        "data": {"folder": str(folder), "batch": 2, "video_pairs": 1, "width": 80, "height": 64, "workers": 0},
        "optimiser": {"steps": 4, "warm_up_steps": 1, "learning_rate": 1e-3},
        "trainer": {
            "accelerator": "cpu",
            "precision": "32-true",
            "cpu_threads": 1,
            "epoch_steps": 2,
            "checkpoint_steps": 2,
            "validation_steps": 4,
            "validation_views": 4,
            "log_steps": 1,
        },
    }
