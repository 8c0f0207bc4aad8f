"""Points in front of a camera to pixels of its raw image and back, and where the distortion model stops to hold."""

from __future__ import annotations

import math
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.geometry.camera import EQUIDISTANT, STEREOGRAPHIC, Camera
from endo_depth_ros.geometry.stereographic import plane_points, plane_rays

ANGLE_SAMPLES = 4096
# A quarter of the way from the principal point to the longer side's end, no real lens moves points by this factor.
MIDDLE, MAX_RADIUS_RATIO = 0.25, 3.0
UNTIL_EXACT = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 200, 1e-9)


def project(camera: Camera, points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Pixels of the raw image [N, 2] of `points` [N, 3] in the raw camera's optical frame, and bool [N]: really seen.

    Not seen is what lies behind the camera, beyond the angle where the distortion model folds back, or outside the
    image. Pixels of points that are not seen mean nothing. Camera.R and P play no part.
    Models: sensor_msgs/CameraInfo, that is OpenCV's pinhole and fisheye models, and the stereographic one.
    """
    points = np.asarray(points, np.float64)
    angles = np.arctan2(np.hypot(points[:, 0], points[:, 1]), points[:, 2])
    seen = angles < valid_angle(camera)
    rays = np.where(seen[:, None], points, [0.0, 0.0, 1.0])
    pixels = _distort(camera, rays)
    low, high = [-0.5, -0.5], [camera.width - 0.5, camera.height - 0.5]
    return pixels, seen & ((pixels >= low) & (pixels <= high)).all(axis=1)


def is_plausible(camera: Camera) -> bool:
    """Whether the middle of the image is roughly where K alone would have it, so that D can be that of a lens."""
    focal = math.sqrt(camera.K[0, 0] * camera.K[1, 1])
    angle = math.atan(min(MIDDLE * max(camera.width, camera.height) / 2 / focal, 0.5))
    around = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    slope = math.tan(angle)
    ring = np.stack([slope * np.cos(around), slope * np.sin(around), np.ones_like(around)], axis=1)
    if angle >= valid_angle(camera):
        return False
    moved = (_distort(camera, ring) - camera.K[:2, 2]) / [camera.K[0, 0], camera.K[1, 1]]
    ratio = np.hypot(moved[:, 0], moved[:, 1]) / slope
    return bool(((ratio > 1 / MAX_RADIUS_RATIO) & (ratio < MAX_RADIUS_RATIO)).all())


def _distort(camera: Camera, rays: NDArray[np.float64]) -> NDArray[np.float64]:
    if not camera.distorted:
        return (rays[:, :2] / rays[:, 2:]) @ camera.K[:2, :2].T + camera.K[:2, 2]
    if camera.distortion_model == STEREOGRAPHIC:
        return plane_points(rays) @ camera.K[:2, :2].T + camera.K[:2, 2]
    zero = np.zeros(3)
    if camera.distortion_model == EQUIDISTANT:
        pixels, _ = cv2.fisheye.projectPoints(rays[:, None], zero, zero, camera.K, camera.D)
    else:
        pixels, _ = cv2.projectPoints(rays[:, None], zero, zero, camera.K, camera.D)
    return np.asarray(pixels, np.float64).reshape(-1, 2)


@lru_cache(maxsize=2)
def raw_pixel_rays(camera: Camera) -> NDArray[np.float64]:
    """Directions of the pixel centres of the raw image in the raw camera's optical frame, [H, W, 3], z = 1.

    The inverse of `project` where the distortion model holds. Camera.R and P play no part.
    """
    u, v = np.meshgrid(np.arange(camera.width, dtype=np.float64), np.arange(camera.height, dtype=np.float64))
    pixels = np.stack([u, v], axis=-1).reshape(-1, 1, 2)
    if camera.distortion_model == STEREOGRAPHIC:
        inverse = np.linalg.inv(camera.K[:2, :2])
        return _remembered(plane_rays((pixels - camera.K[:2, 2]) @ inverse.T), camera)
    if camera.distortion_model == EQUIDISTANT:
        xy = cv2.fisheye.undistortPoints(pixels, camera.K, camera.D)
    else:
        xy = cv2.undistortPointsIter(pixels, camera.K, camera.D, np.eye(3), np.eye(3), UNTIL_EXACT)
    return _remembered(np.concatenate([xy, np.ones_like(xy[..., :1])], axis=-1), camera)


def _remembered(rays: NDArray[np.float64], camera: Camera) -> NDArray[np.float64]:
    """Rays as a picture [H, W, 3] that can't be changed: they are the same for every frame of a recording."""
    rays = np.asarray(rays.reshape(camera.height, camera.width, 3), np.float64)
    rays.setflags(write=False)
    return rays


def valid_angle(camera: Camera) -> float:
    """Angle from the optical axis, radians, below which the distorted radius grows with the angle; at most pi / 2.

    Beyond it a polynomial folds back, and two directions would share a pixel.
    """
    angles = np.linspace(0, np.pi / 2, ANGLE_SAMPLES, endpoint=False)
    falling = np.flatnonzero(np.diff(_distorted_radius(camera, angles)) <= 0)
    return float(angles[falling[0]]) if len(falling) else np.pi / 2


def _distorted_radius(camera: Camera, angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance from the principal point in units of the focal length, from the radial coefficients alone."""
    if camera.distortion_model == STEREOGRAPHIC:
        return 2 * np.tan(angles / 2)
    if camera.distortion_model == EQUIDISTANT:
        return angles * np.polyval([*camera.D[::-1], 1.0], angles**2)
    k1, k2, _, _, k3, k4, k5, k6 = np.pad(camera.D, (0, 14))[:8]
    r = np.tan(angles)
    return r * np.polyval([k3, k2, k1, 1.0], r**2) / np.polyval([k6, k5, k4, 1.0], r**2)
