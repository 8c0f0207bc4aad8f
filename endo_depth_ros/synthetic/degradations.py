"""Named degradations of a strength between 0 and 1, to find out what each does to depth and to its verdicts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from endo_depth_ros.registry import Registry
from endo_depth_ros.synthetic.obstructions import Obstruction
from endo_depth_ros.synthetic.sensor import SensorSettings


@dataclass(frozen=True)
class Viewing:
    """How a scene is seen: through what, and by which sensor."""

    sensor: SensorSettings
    obstruction: Obstruction


DEGRADATIONS: Registry[Callable[[Viewing, float], Viewing]] = Registry("degradation")


def degrade(viewing: Viewing, name: str, strength: float) -> Viewing:
    """The viewing with the named degradation, 0 none to 1 useless. Raises UnknownNameError, ValueError."""
    if not 0 <= strength <= 1:
        raise ValueError(f"the strength of {name} is {strength:g}; give one from 0 to 1")
    return DEGRADATIONS.get(name)(viewing, strength)


@DEGRADATIONS.register("smoke")
def _smoke(viewing: Viewing, strength: float) -> Viewing:
    return _obstructed(viewing, smoke=strength)


@DEGRADATIONS.register("blood")
def _blood(viewing: Viewing, strength: float) -> Viewing:
    return _obstructed(viewing, blood=strength)


@DEGRADATIONS.register("contact")
def _contact(viewing: Viewing, strength: float) -> Viewing:
    return _obstructed(viewing, contact=strength)


@DEGRADATIONS.register("droplets")
def _droplets(viewing: Viewing, strength: float) -> Viewing:
    return _obstructed(viewing, droplets=round(40 * strength))


@DEGRADATIONS.register("defocus")
def _defocus(viewing: Viewing, strength: float) -> Viewing:
    return _obstructed(viewing, defocus_px=30 * strength)


@DEGRADATIONS.register("motion_blur")
def _motion_blur(viewing: Viewing, strength: float) -> Viewing:
    return _obstructed(viewing, motion_px=(64 * strength, 48 * strength))


@DEGRADATIONS.register("underexposure")
def _underexposure(viewing: Viewing, strength: float) -> Viewing:
    """Ten stops too dark at full strength: noise, then black."""
    return _exposed(viewing, -10 * strength)


@DEGRADATIONS.register("overexposure")
def _overexposure(viewing: Viewing, strength: float) -> Viewing:
    """Seven stops too bright at full strength: white."""
    return _exposed(viewing, 7 * strength)


@DEGRADATIONS.register("noise")
def _noise(viewing: Viewing, strength: float) -> Viewing:
    noisy = viewing.sensor.read_noise + 0.3 * strength**2
    return replace(viewing, sensor=replace(viewing.sensor, read_noise=noisy))


def _obstructed(viewing: Viewing, **changes: Any) -> Viewing:
    return replace(viewing, obstruction=replace(viewing.obstruction, **changes))


def _exposed(viewing: Viewing, stops: float) -> Viewing:
    return replace(viewing, sensor=replace(viewing.sensor, target=viewing.sensor.target * 2**stops))
