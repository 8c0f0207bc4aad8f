"""The estimators that the `model` setting can name."""

from __future__ import annotations

import torch

from endo_depth_ros.depth.estimator import DepthEstimator
from endo_depth_ros.depth.network_estimator import NetworkEstimator
from endo_depth_ros.depth.runtimes import select_runtime
from endo_depth_ros.depth.settings import DepthSettings
from endo_depth_ros.depth.shading import ShadingEstimator
from endo_depth_ros.registry import Registry

ESTIMATORS: Registry[type[DepthEstimator]] = Registry("model")
for _estimator in (NetworkEstimator, ShadingEstimator):
    ESTIMATORS.register(_estimator.name)(_estimator)


def create_estimator(settings: DepthSettings) -> DepthEstimator:
    """The estimator that the settings name, loaded and warmed up on the device they name.

    Raises UnknownNameError, RuntimeUnavailableError, or what loading the model raises, each with a sentence.
    """
    # PyTorch's threads wait for one another, which on busy cores turns 4 ms of small steps into 80 ms. Networks bring
    # their own.
    torch.set_num_threads(1)
    estimator = ESTIMATORS.get(settings.model)(settings, select_runtime(settings))
    estimator.warm_up(settings.input_height, settings.input_width)
    return estimator
