"""The depth network as an ONNX file, for stacks without PyTorch."""

from __future__ import annotations

import json
import os
import warnings
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

import torch

from endo_depth_ros.depth.network import SIZE_MULTIPLE
from endo_depth_ros.depth.network_estimator import DepthAndSigma, example_inputs
from endo_depth_ros.depth.weights import LoadedWeights

NEEDED_MODULES = ("onnx", "onnxscript")
INPUTS = ["images", "inside", "K"]
OUTPUTS = ["depth", "sigma"]
# What a reader of the file must know; with the record of the weights it is the file's metadata.
MEANING = {
    "images": "float32 [1, 3, H, W], RGB in [0, 1], gamma as the camera encodes it, stereographic: a ray at angle t "
    "from the optical axis lies 2 tan(t/2) focal lengths from the principal point",
    "inside": "bool [1, H, W], the scope's field of view; false where the image is padded",
    "K": "float32 [1, 3, 3], focal lengths and principal point of these pixels",
    "depth": "float32 [1, H, W], z in metres; the relief of narrow views is weighed already (record.relief_doubt)",
    "sigma": "float32 [1, H, W], one standard deviation of depth in metres, with what that adds",
}


class OnnxError(RuntimeError):
    """The file can't be written; the text says why and what to do."""


def write_onnx(path: Path, weights: LoadedWeights, width: int, height: int) -> None:
    """Write the network for images of one size, whole or not at all. Raises OnnxError, OSError."""
    missing = [module for module in NEEDED_MODULES if find_spec(module) is None]
    if missing:
        raise OnnxError(f"needs {' and '.join(missing)}; pip install endo_depth_ros[onnx]")
    if width % SIZE_MULTIPLE or height % SIZE_MULTIPLE:
        raise OnnxError(
            f"{width}x{height} is no size of the network; width and height are multiples of {SIZE_MULTIPLE}"
        )
    record = weights.record
    network = DepthAndSigma(weights.network, record.sigma_factor, record.relief_doubt).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of PyTorch about its own exporter
        program = torch.onnx.export(
            network,
            example_inputs(height, width),
            input_names=INPUTS,
            output_names=OUTPUTS,
            dynamo=True,
            verbose=False,
        )
    if program is None:
        raise OnnxError("this PyTorch can't export; install 2.6 or newer")
    program.model.metadata_props.update({**MEANING, "record": json.dumps(asdict(record))})
    temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        program.save(str(temporary), external_data=False)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
