"""OpenVINO: the fastest on CPUs (figures: docs/models.md)."""

from __future__ import annotations

import importlib
import sys
import warnings
from functools import lru_cache
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from endo_depth_ros.depth.runtime import MAX_SHAPES, LoadedNetwork, Runtime

PRECISION_HINTS = {"fp32": "f32", "bf16": "bf16"}


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

    def load(self, network: nn.Module, example: tuple[Tensor, ...]) -> LoadedNetwork:
        """The network as an OpenVINO model."""
        openvino = import_openvino()
        with warnings.catch_warnings(), torch.inference_mode():
            warnings.simplefilter("ignore")  # PyTorch warns of every size that tracing sees
            model = openvino.convert_model(network.eval(), example_input=example)
        return _OpenVinoNetwork(openvino, model, self.precision, self.threads)


class _OpenVinoNetwork:
    def __init__(self, openvino: ModuleType, model: Any, precision: str, threads: int) -> None:
        self._core = openvino.Core()
        self._model = model
        self._properties = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": PRECISION_HINTS[precision],
            "INFERENCE_NUM_THREADS": threads,
        }
        self._request = lru_cache(MAX_SHAPES)(self._compile)

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        request = self._request(tuple(tuple(tensor.shape) for tensor in inputs))
        arrays = [np.ascontiguousarray(tensor.numpy()) for tensor in inputs]
        outputs = request.infer(arrays, share_inputs=True)
        return tuple(torch.from_numpy(outputs[index]) for index in range(len(outputs)))

    def _compile(self, shapes: tuple[tuple[int, ...], ...]) -> Any:
        model = self._model.clone()
        model.reshape(dict(enumerate(map(list, shapes))))
        return self._core.compile_model(model, "CPU", self._properties).create_infer_request()
