"""The estimators that the `model` setting can name."""

from __future__ import annotations

import os

import torch

from endo_depth_ros.depth.estimator import DepthEstimator
from endo_depth_ros.depth.runtime import select_runtime
from endo_depth_ros.depth.settings import DepthSettings
from endo_depth_ros.depth.shading import ShadingEstimator
from endo_depth_ros.registry import Registry

ESTIMATORS: Registry[type[DepthEstimator]] = Registry("model")
ESTIMATORS.register("shading")(ShadingEstimator)


def create_estimator(settings: DepthSettings) -> DepthEstimator:
    """The estimator that the settings name, loaded and warmed up on the device they name.

    Raises UnknownNameError, RuntimeUnavailableError, or what loading the model raises, each with a sentence.
    """
    # Threads that wait for one another on busy cores turn 4 ms into 80 ms, so the default is one.
    torch.set_num_threads(settings.cpu_threads or os.cpu_count() or 1)
    estimator = ESTIMATORS.get(settings.model)(settings, select_runtime(settings.device))
    estimator.warm_up(settings.input_height, settings.input_width)
    return estimator
