"""The depth network as an estimator: loaded from its weights, on whatever runtime the machine has."""

from __future__ import annotations

import math
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from endo_depth_ros.contracts import ScaleState
from endo_depth_ros.depth.estimator import DepthEstimator, DepthPrediction, ImageBatch
from endo_depth_ros.depth.network import SIZE_MULTIPLE, DepthNetwork
from endo_depth_ros.depth.relief import NO_DOUBT, ReliefDoubt, weigh_relief
from endo_depth_ros.depth.runtime import Runtime
from endo_depth_ros.depth.settings import DepthSettings
from endo_depth_ros.depth.weights import load_weights

SHIPPED_WEIGHTS = Path(__file__).parents[1] / "weights" / "endo_depth_small.safetensors"


def network_weights(settings: DepthSettings) -> Path:
    """The file that the settings name, else the one that the package brings."""
    return Path(settings.weights).expanduser() if settings.weights else SHIPPED_WEIGHTS


class NetworkEstimator(DepthEstimator):
    """Depth in metres of the scale that the network was trained on, with its standard deviation."""

    name = "endo_depth_small"
    scale_state = ScaleState.NOMINAL
    constant_scale = True
    size_multiple = SIZE_MULTIPLE

    def __init__(self, settings: DepthSettings, runtime: Runtime) -> None:
        """Load the weights that the settings name. Raises WeightsError."""
        super().__init__(settings, runtime)
        weights = load_weights(network_weights(settings))
        self.scale_sigma = weights.record.scale_sigma
        doubt = weights.record.relief_doubt if settings.weigh_relief else NO_DOUBT
        network = DepthAndSigma(weights.network, weights.record.sigma_factor, doubt)
        self._network = runtime.load(network, example_inputs())

    @torch.inference_mode()
    def estimate(self, batch: ImageBatch) -> DepthPrediction:
        """Depth and sigma of every pixel in the field of view."""
        height, width = batch.inside.shape[-2:]
        depth, sigma = self._network(pad_to_multiple(batch.images), pad_to_multiple(batch.inside), batch.K)
        return DepthPrediction(depth[:, :height, :width], sigma[:, :height, :width], batch.inside)


class DepthAndSigma(nn.Module):
    """What users ask of the network: depth and one standard deviation of it."""

    def __init__(self, network: DepthNetwork, sigma_factor: float, relief_doubt: ReliefDoubt) -> None:
        """sigma_factor: calibration of the standard deviation. relief_doubt: of real tissue in narrow views."""
        super().__init__()
        self.network = network
        self.sigma_factor = sigma_factor
        self.relief_doubt = relief_doubt

    def forward(self, images: Tensor, inside: Tensor, K: Tensor) -> tuple[Tensor, Tensor]:
        """Depth z and its standard deviation in metres, float32 [B, H, W]; inputs as of DepthNetwork."""
        log_depth, log_b = self.network(images, inside, K)
        # The standard deviation of a Laplace distribution is sqrt(2) b.
        sigma = torch.exp(log_b) * (math.sqrt(2) * self.sigma_factor)
        log_depth, sigma = weigh_relief(log_depth, sigma, inside, K, self.relief_doubt)
        depth = torch.exp(log_depth)
        return depth, depth * sigma  # to first order sigma(z) = z sigma(log z)


def example_inputs(height: int = 2 * SIZE_MULTIPLE, width: int = 2 * SIZE_MULTIPLE) -> tuple[Tensor, Tensor, Tensor]:
    """A grey image, the whole of it inside, and a camera that fits."""
    K = torch.tensor([[[width, 0, width / 2], [0, width, height / 2], [0, 0, 1.0]]])
    return torch.full((1, 3, height, width), 0.5), torch.ones(1, height, width, dtype=torch.bool), K


def pad_to_multiple(maps: Tensor) -> Tensor:
    """[..., H, W] with zeros to the right and below, so that SIZE_MULTIPLE divides H and W; pixels keep their place."""
    right, below = -maps.shape[-1] % SIZE_MULTIPLE, -maps.shape[-2] % SIZE_MULTIPLE
    return F.pad(maps, (0, right, 0, below)) if right or below else maps
