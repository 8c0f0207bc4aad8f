"""Sequence files without a renderer, textured, slanted planes whose depth is a closed form; a small recipe for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.geometry.camera import STEREOGRAPHIC, Camera
from training.sequence_file import NO_PAIR, SequenceWriter

WIDTH, HEIGHT = 96, 80
K = np.array([[60.0, 0, 46.5], [0, 60.0, 41.0], [0, 0, 1]])
CAMERA = Camera(WIDTH, HEIGHT, K, STEREOGRAPHIC)
FAMILIES = ("floor", "wall")


def plane_depth(K: NDArray[np.float64], width: int, height: int, plane: NDArray[np.float64]) -> NDArray[np.float64]:
    """Depth z [H, W] of the plane with plane · X = 1, X in the optical frame, metres, seen stereographically."""
    v, u = np.mgrid[:height, :width]
    x, y = (u - K[0, 2]) / K[0, 0], (v - K[1, 2]) / K[1, 1]
    slope = 1 - (x * x + y * y) / 4
    return np.asarray(1 / (np.stack([x / slope, y / slope, np.ones_like(x)], -1) @ plane))


def write_planes(path: Path, family: str, seed: int, views: int = 4, pairs: int = 1) -> None:
    """A sequence of planes about 3 cm away, brighter where they are nearer; pairs are 2 % apart."""
    rng = np.random.default_rng(seed)
    writer = SequenceWriter(path, family, seed, CAMERA, quality=95)
    groups = [NO_PAIR] * views + [group for group in range(pairs) for _ in range(2)]
    plane = np.zeros(3)
    for index, group in enumerate(groups):
        second = group != NO_PAIR and group == groups[index - 1]
        plane = plane * 1.02 if second else np.array([*rng.uniform(-8, 8, 2), rng.uniform(25, 45)])
        depth = plane_depth(K, WIDTH, HEIGHT, plane)
        texture = rng.uniform(0.7, 1.3, (HEIGHT, WIDTH, 3))
        radiance = (texture * 1e-4 / depth[..., None] ** 2).astype(np.float32)
        writer.add(radiance, depth.astype(np.float32), np.zeros(depth.shape, bool), np.eye(4), index / 10, group)
    writer.finish()


def small_document(folder: Path) -> dict[str, dict[str, Any]]:
    """The small recipe as a document."""
    return {
        "data": {
            "folder": str(folder),
            "batch": 4,
            "pairs": 1,
            "width": 64,
            "height": 64,
            "first_width": 64,
            "first_height": 32,
            "first_share": 0.5,
            "workers": 0,
        },
        "optimiser": {"steps": 8, "warm_up_steps": 2, "learning_rate": 1e-3},
        "trainer": {
            "accelerator": "cpu",
            "precision": "32-true",
            "cpu_threads": 1,
            "epoch_steps": 3,
            "checkpoint_steps": 2,
            "validation_steps": 4,
            "validation_views": 4,
            "log_steps": 1,
        },
    }
