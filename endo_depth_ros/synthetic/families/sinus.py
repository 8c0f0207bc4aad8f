"""Nose: a narrow, high cavity with a septum on one side and turbinates that hang into it, dark slits around them."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from endo_depth_ros.synthetic.anatomy import Anatomy
from endo_depth_ros.synthetic.families.building import (
    MUCOSA,
    WALL,
    Component,
    assemble,
    draw_palettes,
    draw_roughness,
)
from endo_depth_ros.synthetic.families.shapes import (
    Capsule,
    Ellipsoid,
    Field,
    Slab,
    Swept,
    random_turn,
    smooth_intersection,
    smooth_union,
)
from endo_depth_ros.synthetic.families.volume_noise import VolumeNoise

_TURBINATE, _POLYPOID = 1, 2


def draw_sinus(rng: np.random.Generator) -> Anatomy:
    """A nasal cavity: x from septum to side wall, y down, z inwards; mirrored at random by the camera's roll.

    The space in front of the turbinates is a vestibule some 15 to 30 mm deep; slits between the bodies are 1 to 6 mm.
    """
    side = float(rng.choice([-1, 1]))
    height, depth = rng.uniform(0.024, 0.046), rng.uniform(0.035, 0.06)
    slits = rng.uniform(0.0012, 0.005, 2) * rng.choice([0.7, 1.0, 1.6])
    thickness = rng.uniform(0.005, 0.011)
    half_width = (thickness + slits.sum()) / 2
    vestibule = rng.uniform(0.014, 0.03)
    axis_x = side * (slits[0] - half_width + thickness / 2)
    walls = _draw_cavity(rng, half_width, height, depth, vestibule)
    components = [Component(walls, 0)]
    head = np.array([axis_x, rng.uniform(-0.05, 0.2) * height, rng.uniform(0, 0.005)])
    components.append(Component(_draw_hanging(rng, head, thickness, height, depth), _TURBINATE, 0.0015))
    if rng.random() < 0.75:
        components.append(Component(_draw_lower(rng, side, half_width, height, depth), _TURBINATE, 0.002))
    for _ in range(int(rng.choice([0, 1, 2, 3], p=[0.45, 0.3, 0.15, 0.1]))):
        components.append(Component(_draw_polypoid(rng, half_width, height, depth), _POLYPOID, 0.0015))
    palettes = draw_palettes(
        rng, [("sinus", *MUCOSA), ("sinus", "mucosa_red", "mucosa_pink"), ("polyp", "mucosa_pale")]
    )
    reach = max(half_width + 0.004, 0.011)
    low = np.array([-reach, -height / 2, -vestibule]) - 2 * WALL
    high = np.array([reach, height / 2, depth]) + WALL
    way = _draw_way(rng, head, height, vestibule, half_width, axis_x, slits, side, thickness)
    roughness = draw_roughness(rng, 0.008, 0.03)
    return assemble(
        rng,
        "sinus",
        components,
        roughness,
        palettes,
        (low, high),
        way,
        finest=3e-4,
        way_margin=0.0018,
        sights=head[None] - [[0, rng.uniform(0.0, 0.15) * height, 0]],
    )


def _draw_cavity(rng: np.random.Generator, half_width: float, height: float, depth: float, vestibule: float) -> Field:
    """A high slot with uneven walls, seldom wider in front; sometimes with ethmoid cells behind its side."""
    slot = Slab(
        np.array([0, 0, (depth - vestibule) / 2]),
        (half_width, height / 2, (depth + vestibule) / 2),
        np.eye(3),
        0.8 * half_width,
    )
    radius = rng.choice([0.6 * half_width, rng.uniform(0.006, 0.010)], p=[0.65, 0.35])
    front = Ellipsoid(
        np.array([0, 0, -vestibule * 0.4]),
        (radius, rng.uniform(0.35, 0.5) * height, vestibule * 0.75),
        random_turn(rng, 6),
    )
    cells = [
        Ellipsoid(
            rng.uniform((-1, -0.45, 0.2), (1, 0.1, 0.9)) * (half_width + 0.002, height, depth),
            tuple(rng.uniform(0.002, 0.005, 3)),
            random_turn(rng, 60),
        )
        for _ in range(int(rng.choice([0, 3, 6])))
    ]
    noise, amplitude = VolumeNoise(rng, 2), rng.uniform(0.0004, 0.0018)
    bend, bend_length = rng.uniform(0, 0.003), rng.uniform(0.02, 0.04)

    def cavity(points: Tensor) -> Tensor:
        # Septum and side wall swing together, so that the slits bend and none is of even width.
        sway = bend * noise.at(points, bend_length)[1]
        bent = torch.stack([points[0] + sway, points[1], points[2]])
        free = -smooth_union(slot(bent), front(points), 0.005)
        for cell in cells:
            free = smooth_intersection(free, -cell(points), 0.0012)
        return free + amplitude * noise.at(points, 0.012)[0]

    return cavity


def _draw_hanging(
    rng: np.random.Generator, head: NDArray[np.float64], thickness: float, height: float, depth: float
) -> Field:
    """The middle turbinate: a leaf that hangs from the roof, its lower edge a bulb, its front edge aslant."""
    lean = rng.uniform(-0.35, 0.35)
    root = head + np.array([lean * height, -0.75 * height, rng.uniform(0.0, 0.35) * height])
    bulb = thickness / 2 * rng.uniform(0.85, 1.1)
    front = Capsule(root, head + np.array([0, rng.uniform(0, 0.2) * height, 0]), bulb * rng.uniform(0.35, 0.9), bulb)
    inwards = np.array([rng.normal(0, 0.06), rng.normal(0, 0.15), 1.0]) * depth * rng.uniform(0.5, 1.1)
    body = Swept(front, head, inwards)
    noise, amplitude = VolumeNoise(rng, 4), bulb * rng.uniform(0.03, 0.16)
    bend = rng.uniform(0.0, 0.0025)

    def turbinate(points: Tensor) -> Tensor:
        bent = points + bend * noise.at(points, 0.018)[1:]
        return body(bent) + amplitude * noise.at(points, 0.008)[0]

    return turbinate


def _draw_lower(rng: np.random.Generator, side: float, half_width: float, height: float, depth: float) -> Field:
    """The inferior turbinate: a long roll that lies on the side wall near the floor."""
    radius = rng.uniform(0.35, 0.8) * half_width
    y = rng.uniform(0.22, 0.4) * height
    front = np.array([side * (half_width - 0.4 * radius), y, rng.uniform(-0.008, 0.008)])
    back = front + np.array([rng.normal(0, 0.002), rng.normal(0, 0.003), depth])
    head = Ellipsoid(
        front, (radius, radius * rng.uniform(1.0, 1.8), radius * rng.uniform(1.0, 2.0)), random_turn(rng, 15)
    )
    return Swept(head, front, back - front)


def _draw_polypoid(rng: np.random.Generator, half_width: float, height: float, depth: float) -> Field:
    """A smooth, swollen body somewhere in a slit."""
    centre = rng.uniform((-1, -0.3, -0.004), (1, 0.4, 0.5 * depth)) * (half_width, height, 1)
    return Ellipsoid(centre, tuple(rng.uniform(0.0018, 0.0055, 3)), random_turn(rng, 60))


def _draw_way(
    rng: np.random.Generator,
    head: NDArray[np.float64],
    height: float,
    vestibule: float,
    half_width: float,
    axis_x: float,
    slits: NDArray[np.float64],
    side: float,
    thickness: float,
) -> NDArray[np.float64]:
    """Through the vestibule towards the turbinate's head; sometimes on into the wider slit beside it."""
    start = np.array([rng.normal(0, 0.001), rng.uniform(-0.1, 0.15) * height, -0.75 * vestibule])
    off = np.array([rng.normal(0, 0.001), rng.normal(0, 0.03) * height, -thickness / 2 - rng.uniform(0.002, 0.007)])
    before = head + off
    if rng.random() < 0.65:
        return np.linspace(start, before, 6)
    slit = axis_x + (-side if slits[0] > slits[1] else side) * (thickness + slits.max()) / 2
    beside = np.array([slit, head[1], rng.uniform(-0.002, 0.006)])
    return np.stack([start, 0.5 * (start + before), before, 0.4 * before + 0.6 * beside, beside])
