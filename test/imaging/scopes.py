"""Synthetic scope images for tests: a lit shape with texture on a noisy dark border."""

import cv2
import numpy as np

OVERSAMPLING = 3


def make_grid(width, height):
    """x, y of subpixels, in pixels, outer edge of the image at 0."""
    x = (np.arange(width * OVERSAMPLING) + 0.5) / OVERSAMPLING
    y = (np.arange(height * OVERSAMPLING) + 0.5) / OVERSAMPLING
    return np.meshgrid(x, y)


def make_disc(width, height, centre, radius):
    """Coverage 0 to 1 of the pixels by a disc, [h, w]."""
    x, y = make_grid(width, height)
    return average(np.hypot(x - centre[0], y - centre[1]) <= radius)


def make_box(width, height, box, cut=0.0):
    """Coverage by a rectangle (left, top, right, bottom) with corners cut at 45 degrees."""
    x, y = make_grid(width, height)
    from_x, from_y = np.minimum(x - box[0], box[2] - x), np.minimum(y - box[1], box[3] - y)
    return average((from_x >= 0) & (from_y >= 0) & (from_x + from_y >= cut))


def average(shape):
    """Subpixels to pixels."""
    height, width = shape.shape[0] // OVERSAMPLING, shape.shape[1] // OVERSAMPLING
    return shape.reshape(height, OVERSAMPLING, width, OVERSAMPLING).mean(axis=(1, 3))


def make_tissue(width, height, rng):
    """Smooth reddish texture, float [h, w, 3], about 60 to 220."""
    coarse = rng.uniform(60, 220, (6, 8)).astype(np.float32)
    grey = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(grey, 40, 240)[..., None] * np.array([1.0, 0.6, 0.5])


def show(coverage, rng, border=6.0, noise=3.0, lumen=None, tissue=None):
    """A frame, uint8 [h, w, 3]. lumen: (x, y, radius) of a dark hole with a soft rim."""
    height, width = coverage.shape
    tissue = make_tissue(width, height, rng) if tissue is None else tissue
    if lumen is not None:
        y, x = np.mgrid[:height, :width]
        tissue = tissue * np.clip(np.hypot(x - lumen[0], y - lumen[1]) / lumen[2], 0, 1)[..., None] ** 2
    image = border + coverage[..., None] * tissue + rng.normal(0, noise, (height, width, 3))
    return np.clip(image, 0, 255).astype(np.uint8)


def make_jpeg(image, quality=85):
    """The image after JPEG."""
    return cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)


def intersection_over_union(one, two):
    """Of two masks."""
    return (one & two).sum() / (one | two).sum()
