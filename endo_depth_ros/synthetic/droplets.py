"""Bubbles and droplets on the lens: small lenses with rims and highlights."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from endo_depth_ros.synthetic.light import blend


@dataclass(frozen=True)
class Droplet:
    """One droplet; lengths in image heights from the image's centre.

    power: how its lens bends the view, 0 not at all, 1 shows the whole view upside down. softness: of its rim, in
    radii. rim: how dark its rim is, 0-1. highlight_deg: where the light is mirrored. squeeze: height over width.
    """

    x: float
    y: float
    radius: float
    power: float
    softness: float
    rim: float
    highlight_deg: float
    squeeze: float = 1.0

    @property
    def opaque(self) -> bool:
        """Whether the view through it no longer belongs to its pixels."""
        return self.power > 0.15


def draw_droplets(rng: np.random.Generator, count: int, radius: float) -> list[Droplet]:
    """Droplets of about the radius, in image heights, anywhere in a frame 1.4 heights wide."""
    return [_draw_droplet(rng, radius * rng.uniform(0.5, 1.5)) for _ in range(count)]


def _draw_droplet(rng: np.random.Generator, radius: float) -> Droplet:
    x, y = rng.uniform(-0.6, 0.6), rng.uniform(-0.5, 0.5)
    power = rng.uniform(0.02, 0.15) if rng.random() < 0.4 else rng.uniform(0.3, 1.0)
    return Droplet(
        x, y, radius, power, rng.uniform(0.05, 0.5), rng.uniform(0.1, 0.7), rng.uniform(0, 360), rng.uniform(0.75, 1.3)
    )


def add_droplet(light: NDArray[Any], hidden: NDArray[np.bool_], droplet: Droplet) -> None:
    """Put a droplet into light, float32 [H, W, 3], and its pixels into `hidden` [H, W] if it is opaque; in place."""
    height, width = hidden.shape
    window = _window(droplet, width, height)
    columns, rows = np.arange(window[1].start, window[1].stop), np.arange(window[0].start, window[0].stop)
    if columns.size == 0 or rows.size == 0:
        return
    centre_x, centre_y = (width - 1) / 2 + droplet.x * height, (height - 1) / 2 + droplet.y * height
    radius = droplet.radius * height
    u = ((columns - centre_x) / radius).astype(np.float32)[None]
    v = ((rows - centre_y) / (radius * droplet.squeeze)).astype(np.float32)[:, None]
    distance = np.sqrt(u * u + v * v)
    inside = np.clip((1 - distance) / np.float32(droplet.softness), 0, 1)
    seen_through = _refract(light, u, v, distance, droplet, (centre_x, centre_y))
    seen_through *= (1 - droplet.rim * distance**6)[..., None]
    seen_through += _highlight(u, v, droplet)[..., None] * seen_through.max()
    light[window] = blend(np.ascontiguousarray(light[window]), seen_through, inside)
    if droplet.opaque:
        hidden[window] |= inside > 0.3


def _window(droplet: Droplet, width: int, height: int) -> tuple[slice, slice]:
    """Rows and columns that the droplet covers."""
    x, y = (width - 1) / 2 + droplet.x * height, (height - 1) / 2 + droplet.y * height
    across, down = droplet.radius * height, droplet.radius * height * droplet.squeeze
    rows = slice(max(0, math.ceil(y - down)), min(height, math.floor(y + down) + 1))
    return rows, slice(max(0, math.ceil(x - across)), min(width, math.floor(x + across) + 1))


def _refract(
    light: NDArray[Any],
    u: NDArray[Any],
    v: NDArray[Any],
    distance: NDArray[Any],
    droplet: Droplet,
    centre: tuple[float, float],
) -> NDArray[Any]:
    """What is seen through the droplet: enlarged by a weak one, upside down and from far around by a strong one."""
    height = light.shape[0]
    reach = (droplet.radius * (1 - droplet.power) - 0.5 * droplet.power * distance) * height
    map_x = np.asarray(centre[0] + u * reach, np.float32)
    map_y = np.asarray(centre[1] + v * droplet.squeeze * reach, np.float32)
    seen: NDArray[Any] = cv2.remap(light, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return cv2.GaussianBlur(seen, (0, 0), 0.3 + 0.012 * height * droplet.softness)


def _highlight(u: NDArray[Any], v: NDArray[Any], droplet: Droplet) -> NDArray[Any]:
    """A mirrored light near the rim, 0-1."""
    angle = math.radians(droplet.highlight_deg)
    du, dv = u - np.float32(0.65 * math.cos(angle)), v - np.float32(0.65 * math.sin(angle))
    return np.exp(-(du * du + dv * dv) * np.float32(1 / (0.02 + 0.05 * droplet.softness)))
