"""PyTorch on the CPU: slower than OpenVINO, available wherever PyTorch is."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils import convert_conv2d_weight_memory_format

from endo_depth_ros.depth.fold_norms import fold_norms
from endo_depth_ros.depth.mixed_precision import to_bfloat16
from endo_depth_ros.depth.runtime import LoadedNetwork, Runtime


class TorchCpu(Runtime):
    """Eager PyTorch with channels last."""

    name = "torch-cpu"
    precisions = ("fp32", "bf16")
    device = torch.device("cpu")

    @staticmethod
    def obstacle() -> str:
        """Never any."""
        return ""

    def load(self, network: nn.Module, example: tuple[Tensor, ...]) -> LoadedNetwork:
        """The module with its batch norms folded, in channels-last memory."""
        prepare = {"fp32": fold_norms, "bf16": to_bfloat16}[self.precision]
        ready = convert_conv2d_weight_memory_format(prepare(network.eval()), torch.channels_last)
        torch.set_num_threads(self.threads)
        return torch.inference_mode()(ready.forward)
