"""The distortion models written out plainly, for tests to compare with."""

import math

import numpy as np

from endo_depth_ros.geometry.camera import EQUIDISTANT


def distort(camera, ray):
    """Raw pixel [2] of a direction [3] in front of the raw camera (OpenCV calib3d, cv::fisheye)."""
    x, y = ray[0] / ray[2], ray[1] / ray[2]
    r = math.hypot(x, y)
    if camera.distortion_model == EQUIDISTANT:
        k1, k2, k3, k4 = camera.D
        theta = math.atan(r)
        bent = theta * (1 + k1 * theta**2 + k2 * theta**4 + k3 * theta**6 + k4 * theta**8)
        factor = bent / r if r > 1e-12 else 1.0
        bent_x, bent_y = x * factor, y * factor
    else:
        k1, k2, p1, p2, k3, k4, k5, k6 = [*camera.D, *[0.0] * 8][:8]
        factor = (1 + k1 * r**2 + k2 * r**4 + k3 * r**6) / (1 + k4 * r**2 + k5 * r**4 + k6 * r**6)
        bent_x = x * factor + 2 * p1 * x * y + p2 * (r**2 + 2 * x**2)
        bent_y = y * factor + p1 * (r**2 + 2 * y**2) + 2 * p2 * x * y
    return (camera.K @ np.array([bent_x, bent_y, 1]))[:2]
