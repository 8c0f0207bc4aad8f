"""The light of one scope and how tissue answers to it, drawn at random."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

Position = tuple[float, float, float]


@dataclass(frozen=True)
class LightSettings:
    """Sources beside the lens, and what light does on tissue.

    positions: of the sources in the optical frame, metres; powers: of each, sum 1. source_radius: metres.
    rgb: colour of the light. beam_exponent: sources fade as cos(angle off the optical axis)^exponent.
    hot_spot: share of the power in a narrow core of the beam.
    ambient: share that comes back from tissue out of view, without direction. bounce: share that tissue in view sends
    on to its neighbours, spread over bounce_reach (of the image width), falling with depth^bounce_falloff.
    occlusion: how much closeness of other walls takes off indirect light, 0-1, within occlusion_reach metres.
    wrap: how far light creeps round into the shade, 0-1. flatness: 0 is Lambert, above it rims darken less.
    scatter: share of the light that spreads in tissue before it leaves, 0-1, most in red.
    highlight, highlight_exponent: strength and sharpness of wet highlights; sheen: of a wide lobe beside them.
    film_slope: rms slope of the film's ripples; film_wave: their length, metres. breaks: share of it that is dry.
    film_seed: of the ripples.
    """

    positions: tuple[Position, ...] = ((0.0032, -0.001, 0.0), (-0.0028, 0.0014, 0.0))
    powers: tuple[float, ...] = (0.5, 0.5)
    source_radius: float = 0.0008
    rgb: tuple[float, float, float] = (1.0, 1.0, 1.0)
    beam_exponent: float = 1.5
    hot_spot: float = 0.0
    ambient: float = 0.05
    bounce: float = 0.35
    bounce_reach: float = 0.15
    bounce_falloff: float = 1.8
    occlusion: float = 0.9
    occlusion_reach: float = 0.008
    wrap: float = 0.1
    flatness: float = 0.1
    scatter: float = 0.4
    highlight: float = 0.35
    highlight_exponent: float = 350.0
    sheen: float = 0.1
    film_slope: float = 0.08
    film_wave: float = 0.003
    breaks: float = 0.0
    film_seed: int = 0


def draw_light(rng: np.random.Generator) -> LightSettings:
    """The light of a random scope; the same generator state gives the same light."""
    count = int(rng.choice([1, 2, 3], p=[0.4, 0.45, 0.15]))
    powers = rng.dirichlet([6.0] * count)
    highlight, exponent, slope, breaks = _draw_highlights(rng)
    return LightSettings(
        positions=_draw_positions(rng, count),
        powers=tuple(float(power) for power in powers),
        source_radius=_log_uniform(rng, 0.0004, 0.002),
        rgb=_draw_colour(rng),
        beam_exponent=float(
            rng.choice([rng.uniform(0.0, 1.0), rng.uniform(1.0, 2.5), rng.uniform(2.5, 4.0)], p=[0.35, 0.45, 0.2])
        ),
        hot_spot=float(rng.choice([0.0, rng.uniform(0.05, 0.35)], p=[0.7, 0.3])),
        ambient=_log_uniform(rng, 0.002, 0.05),
        bounce=rng.uniform(0.05, 0.45),
        bounce_reach=rng.uniform(0.08, 0.25),
        bounce_falloff=rng.uniform(1.4, 2.2),
        occlusion=rng.uniform(0.7, 1.0),
        occlusion_reach=_log_uniform(rng, 0.003, 0.015),
        wrap=rng.uniform(0.0, 0.2),
        flatness=rng.uniform(0.0, 0.4),
        scatter=rng.uniform(0.0, 0.8),
        highlight=highlight,
        highlight_exponent=exponent,
        sheen=_log_uniform(rng, 0.02, 0.4),
        film_slope=slope,
        film_wave=_log_uniform(rng, 0.0012, 0.007),
        breaks=breaks,
        film_seed=int(rng.integers(2**31)),
    )


def _draw_positions(rng: np.random.Generator, count: int) -> tuple[Position, ...]:
    """Sources around the lens, not all on one side when there are several."""
    first = rng.uniform(0, 2 * math.pi)
    angles = first + 2 * math.pi * np.arange(count) / count + rng.uniform(-0.4, 0.4, count)
    radii = rng.uniform(0.001, 0.006) * rng.uniform(0.8, 1.2, count)
    back = rng.uniform(-0.001, 0.0005)
    return tuple(
        (float(r * math.cos(a)), float(r * math.sin(a)), float(back)) for r, a in zip(radii, angles, strict=True)
    )


def _draw_colour(rng: np.random.Generator) -> tuple[float, float, float]:
    warmth = rng.normal(0, 0.18)
    return math.exp(warmth), math.exp(rng.normal(0, 0.04)), math.exp(-warmth)


def _draw_highlights(rng: np.random.Generator) -> tuple[float, float, float, float]:
    """Strength, exponent, slope of the film, dry share: none, small and sharp, ordinary, or large and broken."""
    kind = rng.choice(4, p=[0.12, 0.28, 0.4, 0.2])
    if kind == 0:
        return 0.0, 100.0, 0.05, 0.0
    if kind == 1:
        return _log_uniform(rng, 0.1, 0.6), _log_uniform(rng, 400, 1800), rng.uniform(0.01, 0.1), 0.0
    if kind == 2:
        return _log_uniform(rng, 0.08, 0.7), _log_uniform(rng, 80, 500), rng.uniform(0.03, 0.16), rng.uniform(0, 0.4)
    return _log_uniform(rng, 0.3, 1.2), _log_uniform(rng, 60, 400), rng.uniform(0.12, 0.35), rng.uniform(0.2, 0.7)


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return math.exp(rng.uniform(math.log(low), math.log(high)))
