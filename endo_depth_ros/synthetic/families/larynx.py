"""Larynx: the leaf of the epiglottis, folds that leave a wedge-shaped slit, bumps beside it, the trachea below."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation
from torch import Tensor

from endo_depth_ros.synthetic.anatomy import Anatomy
from endo_depth_ros.synthetic.families.building import (
    WALL,
    Component,
    assemble,
    draw_palettes,
    draw_roughness,
)
from endo_depth_ros.synthetic.families.shapes import Capsule, Ellipsoid, Field, Slab, smooth_union
from endo_depth_ros.synthetic.families.uneven_skin import Uneven
from endo_depth_ros.synthetic.families.volume_noise import VolumeNoise

Array = NDArray[np.float64]
_FOLDS = 1


def draw_larynx(rng: np.random.Generator) -> Anatomy:
    """Z downwards along the throat, y to its back; the vocal folds lie at z = 0."""
    size = rng.uniform(0.8, 1.2)
    above, below = size * rng.uniform(0.040, 0.06), size * rng.uniform(0.025, 0.05)
    components = [Component(_draw_throat(rng, size, above, below), 0)]
    components += _draw_folds(rng, size)
    components += _draw_rim(rng, size)
    if rng.random() < 0.3:
        at = size * np.array([rng.choice([-1, 1]) * 0.003, rng.uniform(-0.003, 0.003), rng.uniform(-0.004, -0.001)])
        components.append(Component(Ellipsoid(at, tuple(size * rng.uniform(0.0012, 0.003, 3)), np.eye(3)), 2, 0.001))
    reach = size * 0.020
    box = np.array([-reach, -reach, -above - reach]) - WALL, np.array([reach, reach, below + 0.6 * reach]) + WALL
    knots = [
        (0, 0.004, -above),
        (0, 0.005, -0.6 * above),
        (0, 0.003 * size, -0.012),
        (0, 0.002, 0),
        (0, 0.001, 0.8 * below),
    ]
    way = np.array(knots, np.float64)
    palettes = draw_palettes(rng, [("mucosa_pink", "mucosa_red", "airway"), ("airway", "mucosa_pale"), ("polyp",)])
    roughness = draw_roughness(rng, 0.010, 0.03)
    return assemble(rng, "larynx", components, roughness, palettes, box, way, finest=3e-4, way_margin=0.0018)


def _draw_throat(rng: np.random.Generator, size: float, above: float, below: float) -> Field:
    """The pharynx, which narrows to the trachea."""
    wide = size * rng.uniform(0.012, 0.016)
    pharynx = Capsule(np.array([0, 0.002, -above]), np.array([0, 0.003, -0.008 * size]), wide, 0.75 * wide)
    trachea = Capsule(
        np.array([0, 0, -0.006]), np.array([0, 0, below]), size * 0.008, size * rng.uniform(0.006, 0.0085)
    )

    def throat(points: Tensor) -> Tensor:
        return -smooth_union(pharynx(points), trachea(points), 0.004)

    return Uneven(throat, VolumeNoise(rng, 1), rng.uniform(0.0002, 0.001), 0.01)


def _draw_folds(rng: np.random.Generator, size: float) -> list[Component]:
    """Vocal folds, and the false ones above them, from the front (-y) to the back, apart by an angle."""
    opening = np.radians(rng.uniform(9, 24))
    front = size * np.array([0, -0.009, 0])
    result = []
    for z, radius, wider, part in ((0.0, 0.0030, 1.0, _FOLDS), (-0.006 * size, 0.0036, 1.25, 0)):
        for side in (-1.0, 1.0):
            direction = Rotation.from_euler("z", -side * wider * opening).apply([0, 1, 0])
            outside = np.array([side * size * (radius + 0.0004), 0, z])
            start = front + outside
            result.append(
                Component(Capsule(start, start + direction * 0.022 * size, size * radius, size * radius), part, 0.0015)
            )
            # Behind its edge a fold goes over into the wall.
            middle = start + direction * 0.011 * size + np.array([side * 0.006 * size, 0, 0])
            plate = Slab(middle, (0.006 * size, 0.012 * size, size * radius * 0.8), np.eye(3), 0.001)
            result.append(Component(plate, part, 0.002))
    return result


def _draw_rim(rng: np.random.Generator, size: float) -> list[Component]:
    """The epiglottis in front, two bumps at the back, and the folds that join them."""
    tilt = rng.uniform(-0.2, 0.9)
    turn = Rotation.from_euler("x", tilt).as_matrix()
    root = size * np.array([0, -0.010, -0.010])
    leaf_length = size * rng.uniform(0.008, 0.012)
    centre = root - turn[:, 2] * leaf_length
    leaf = Ellipsoid(centre, (size * rng.uniform(0.007, 0.010), max(0.0013, 0.0016 * size), leaf_length), turn)
    result = [Component(leaf, 0, 0.0015)]
    for side in (-1.0, 1.0):
        bump = size * np.array(
            [side * rng.uniform(0.005, 0.008), rng.uniform(0.008, 0.011), rng.uniform(-0.013, -0.008)]
        )
        result.append(Component(Ellipsoid(bump, tuple(size * rng.uniform(0.0025, 0.0042, 3)), np.eye(3)), 0, 0.003))
        edge = centre + turn @ (size * np.array([side * 0.007, 0, 0.0]))
        result.append(Component(Capsule(edge, bump, 0.0016 * size, 0.0022 * size), 0, 0.003))
    return result
