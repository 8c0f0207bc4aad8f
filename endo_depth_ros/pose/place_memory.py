"""Keyframes to come back to: found by how they look, proved by geometry."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.geometry.transforms import transform_points
from endo_depth_ros.pose.depth_field import basis_at
from endo_depth_ros.pose.keyframe import Keyframe, MapPoints
from endo_depth_ros.pose.lie import Array

THUMBNAIL = (20, 16)  # pixels, wide and high
CANDIDATES = 4
FEATURES = 600
FAST_THRESHOLD = 7
RATIO = 0.85  # of the best match's distance to the second best's (Lowe 2004)


@dataclass(frozen=True)
class Place:
    """A keyframe and its looks. picture: uint8 [H, W], evened out. depth: float16 [H, W], metres, as estimated."""

    keyframe: Keyframe
    picture: NDArray[np.uint8]
    depth: NDArray[np.float16]


@dataclass(frozen=True)
class Matches:
    """Points of the map and where they are in the image: pixels float64 [N, 2]."""

    map_points: MapPoints
    pixels: Array


class PlaceMemory:
    """At most `capacity` places; when there are more, of the neighbours in time most alike the older one goes."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._features = cv2.ORB.create(FEATURES, scaleFactor=1.2, nlevels=5, fastThreshold=FAST_THRESHOLD)
        self.clear()

    def clear(self) -> None:
        """Forget all places."""
        self._places: list[Place] = []
        self._looks: list[NDArray[np.float32]] = []

    def __len__(self) -> int:
        return len(self._places)

    def remember(self, keyframe: Keyframe, picture: NDArray[np.uint8], depth: NDArray[np.float32]) -> None:
        """Add a keyframe; see Place."""
        with np.errstate(over="ignore"):
            self._places.append(Place(keyframe, picture, depth.astype(np.float16)))
        self._looks.append(_look(picture))
        if len(self._places) > self._capacity:
            looks = np.stack(self._looks)
            alike = np.sum(looks[1:] * looks[:-1], axis=1)
            oldest = int(np.argmax(alike))
            del self._places[oldest], self._looks[oldest]

    def candidates(self, picture: NDArray[np.uint8]) -> list[Place]:
        """The newest place and those that look most like the picture, uint8 [H, W]."""
        if not self._places:
            return []
        order = np.argsort(-(np.stack(self._looks) @ _look(picture)), kind="stable")
        newest = len(self._places) - 1
        chosen = [newest, *(int(i) for i in order[:CANDIDATES] if i != newest)]
        return [self._places[i] for i in chosen]

    def match(self, place: Place, picture: NDArray[np.uint8]) -> Matches:
        """Points of the place that are found in the picture again, by ORB (Rublee et al. 2011)."""
        there, there_codes = self._features.detectAndCompute(place.picture, None)
        here, here_codes = self._features.detectAndCompute(picture, None)
        if there_codes is None or here_codes is None or len(here) < 2:
            return Matches(MapPoints(np.zeros((0, 3)), np.zeros((0, 3))), np.zeros((0, 2)))
        pairs = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(there_codes, here_codes, k=2)
        good = [best for best, second in pairs if best.distance < RATIO * second.distance]
        from_pixels = np.array([there[m.queryIdx].pt for m in good], np.float64).reshape(-1, 2)
        to_pixels = np.array([here[m.trainIdx].pt for m in good], np.float64).reshape(-1, 2)
        column, row = np.rint(from_pixels).astype(np.intp).T
        off = basis_at(from_pixels, place.depth.shape) @ place.keyframe.depth_field
        depth = place.depth[row, column].astype(np.float64) * np.exp(off)
        known = np.isfinite(depth) & (depth > 0)
        K, pixels, depth = place.keyframe.K, from_pixels[known], depth[known]
        rays = np.column_stack([pixels, np.ones(len(pixels))]) @ np.linalg.inv(K).T
        points = transform_points(place.keyframe.T_map_camera, rays * depth[:, None])
        return Matches(MapPoints(points, np.zeros_like(points)), to_pixels[known])


def _look(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A unit vector [320] that is alike for pictures that are."""
    small = cv2.resize(picture, THUMBNAIL, interpolation=cv2.INTER_AREA).astype(np.float32).ravel()
    small -= small.mean()
    return small / max(float(np.linalg.norm(small)), 1e-6)
