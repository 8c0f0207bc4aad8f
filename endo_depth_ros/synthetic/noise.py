"""Seeded smooth noise: periodic maps for surfaces and band-limited curves for motion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft


def noise_map(rng: np.random.Generator, shape: tuple[int, int], cell: tuple[float, float]) -> NDArray[np.float32]:
    """Smooth noise of mean 0 and standard deviation 1, [H, W], periodic in both axes.

    cell: size in pixels (rows, columns) below which it fades.
    """
    rows, columns = np.fft.fftfreq(shape[0]) * cell[0], np.fft.rfftfreq(shape[1]) * cell[1]
    radius = np.hypot(rows[:, None], columns[None])
    spectrum = fft.rfft2(rng.standard_normal(shape, np.float32)) * np.exp(-((2 * radius) ** 2)).astype(np.float32)
    spectrum[0, 0] = 0
    noise = fft.irfft2(spectrum, s=shape)
    return np.asarray(noise / noise.std(), np.float32)


@dataclass(frozen=True, eq=False)
class SmoothCurve:
    """A sum of sines per axis: float64 [axes, terms] each; frequencies in hertz."""

    amplitudes: NDArray[np.float64]
    frequencies_hz: NDArray[np.float64]
    phases: NDArray[np.float64]

    def at(self, time_s: float) -> NDArray[np.float64]:
        """Value of each axis, [axes]."""
        angle = 2 * np.pi * self.frequencies_hz * time_s + self.phases
        result: NDArray[np.float64] = (self.amplitudes * np.sin(angle)).sum(axis=1)
        return result


def smooth_curve(
    rng: np.random.Generator, axes: int, amplitude: float, band_hz: tuple[float, float], terms: int = 4
) -> SmoothCurve:
    """A random curve of standard deviation `amplitude` per axis with frequencies in the band."""
    frequencies = rng.uniform(*band_hz, (axes, terms))
    weights = rng.uniform(0.5, 1.0, (axes, terms))
    weights *= amplitude * np.sqrt(2) / np.sqrt((weights**2).sum(axis=1, keepdims=True))
    return SmoothCurve(weights, frequencies, rng.uniform(0, 2 * np.pi, (axes, terms)))
