"""OpenVINO: the fastest on CPUs (figures: docs/models.md)."""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from endo_depth_ros.depth.fold_norms import fold_norms
from endo_depth_ros.depth.mixed_precision import to_bfloat16
from endo_depth_ros.depth.runtime import ByShape, LoadedNetwork, Runtime


def import_openvino() -> ModuleType:
    """OpenVINO without its telemetry. Raises ImportError or OSError."""
    # It reports its use over the internet, unasked, wherever this package can be imported. Nothing leaves the machine.
    sys.modules.setdefault("openvino_telemetry", ModuleType("openvino_telemetry"))
    return importlib.import_module("openvino")


class OpenVino(Runtime):
    """OpenVINO on the CPU, compiled once for each input shape."""

    name = "openvino"
    precisions = ("fp32", "bf16")
    device = torch.device("cpu")

    @staticmethod
    def obstacle() -> str:
        """Why OpenVINO can't be imported, or ''."""
        try:
            import_openvino()
        except (ImportError, OSError) as error:
            return f"it can't be imported ({error}); pip install openvino"
        return ""

    @classmethod
    def automatic_precision(cls) -> str:
        """bf16 where the CPU has it; others would take longer."""
        try:
            capabilities = import_openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        except RuntimeError:  # which loading a network will tell
            return "fp32"
        return "bf16" if "BF16" in capabilities else "fp32"

    def load(self, network: nn.Module, example: tuple[Tensor, ...]) -> LoadedNetwork:
        """The network as an OpenVINO model."""
        openvino = import_openvino()
        ready = {"fp32": fold_norms, "bf16": to_bfloat16}[self.precision](network.eval())
        with warnings.catch_warnings(), torch.inference_mode():
            warnings.simplefilter("ignore")  # PyTorch warns of every size that tracing sees
            model = openvino.convert_model(ready, example_input=example)
        properties = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32",  # or as the model has it, where that is less
            "INFERENCE_NUM_THREADS": self.threads,
            # Pinned threads of every model on the machine start at the first core, and share it.
            "ENABLE_CPU_PINNING": False,
        }
        core = openvino.Core()
        return CompiledNetwork(lambda *inputs: compile_for(core, model, properties, inputs), ready)


class CompiledNetwork:
    """Runs an OpenVINO model, compiled for each input shape when it comes first."""

    def __init__(self, compile_model: Callable[..., Any], source: nn.Module) -> None:
        """compile_model: gives the InferRequest for inputs of these shapes. source: what the model was made of."""
        self._requests = ByShape(compile_model)
        # OpenVINO's bf16 constants are the memory of PyTorch's, which it does not keep, and are read at each new shape.
        self._source = source

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """The model's outputs, in memory of their own."""
        request = self._requests.of(inputs)
        arrays = [np.ascontiguousarray(tensor.numpy()) for tensor in inputs]
        outputs = request.infer(arrays, share_inputs=True)
        return tuple(torch.from_numpy(outputs[index]) for index in range(len(outputs)))


def compile_for(core: Any, model: Any, properties: dict[str, Any], inputs: tuple[Tensor, ...]) -> Any:
    """An InferRequest of the model with the shapes of these inputs."""
    fixed = model.clone()
    fixed.reshape({index: list(tensor.shape) for index, tensor in enumerate(inputs)})
    return core.compile_model(fixed, "CPU", properties).create_infer_request()
