"""What goes wrong with frames: blur, smoke, blood, too little and too much light."""

import cv2
import numpy as np


def blur(image, sigma_px=4.0):
    """A Gaussian blur of an image 640 pixels wide, in proportion for others."""
    return cv2.GaussianBlur(image, (0, 0), sigma_px * image.shape[1] / 640)


def cover(image, colour, opacity=0.6):
    """A film of one colour over everything."""
    return np.clip((1 - opacity) * image + opacity * np.array(colour) + 0.5, 0, 255).astype(np.uint8)


def amplify(image, gain):
    """Another exposure of clipped 8-bit video."""
    return np.clip(gain * image.astype(np.float32), 0, 255).astype(np.uint8)
