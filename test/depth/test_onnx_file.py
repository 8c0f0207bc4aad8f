"""The exported network says the same as ours, in another stack's hands."""

import importlib.util
import json
from dataclasses import asdict

import numpy as np
import pytest
import torch
from network_weights import CONFIG, RECORD, lively_network

from endo_depth_ros.cli.main import main
from endo_depth_ros.depth import onnx_file
from endo_depth_ros.depth.network import DepthNetwork
from endo_depth_ros.depth.network_estimator import DepthAndSigma, example_inputs
from endo_depth_ros.depth.onnx_file import MEANING, OnnxError, write_onnx
from endo_depth_ros.depth.runtime_openvino import import_openvino
from endo_depth_ros.depth.weights import LoadedWeights, save_weights

needs_onnx = pytest.mark.skipif(
    any(importlib.util.find_spec(module) is None for module in ("onnx", "onnxscript", "openvino")),
    reason="onnx, onnxscript or OpenVINO is not installed",
)


@needs_onnx
def test_openvino_reads_the_file_and_gives_our_depth(tmp_path):
    weights_path, path = tmp_path / "small.safetensors", tmp_path / "small.onnx"
    save_weights(weights_path, lively_network(), RECORD)
    assert main(["export-onnx", str(path), "--weights", str(weights_path), "--width", "96", "--height", "64"]) == 0
    # Pinned threads would stay in this process, where another test asks on which cores threads may run.
    properties = {"INFERENCE_PRECISION_HINT": "f32", "ENABLE_CPU_PINNING": False}
    model = import_openvino().Core().compile_model(str(path), "CPU", properties)
    images, inside, K = example_inputs(64, 96)
    images = torch.rand_like(images)
    answer = model({"images": images.numpy(), "inside": inside.numpy(), "K": K.numpy()})
    with torch.no_grad():
        network = DepthAndSigma(lively_network(), RECORD.sigma_factor, RECORD.relief_doubt)
        reference = network(images, inside, K)
    for name, expected in zip(("depth", "sigma"), reference, strict=True):
        np.testing.assert_allclose(answer[name], expected.numpy(), rtol=1e-3)


def calm_network():
    """An untrained network that says nearly the same everywhere."""
    torch.manual_seed(7)
    return DepthNetwork(CONFIG).eval()


@needs_onnx
@pytest.mark.parametrize("focal_px", [96.0, 400.0])
def test_float16_of_another_stack_can_hold_all_that_is_computed(tmp_path, focal_px):
    path = tmp_path / "small.onnx"
    write_onnx(path, LoadedWeights(calm_network(), RECORD), 320, 256)
    properties = {"INFERENCE_PRECISION_HINT": "f16", "ENABLE_CPU_PINNING": False}
    model = import_openvino().Core().compile_model(str(path), "CPU", properties)
    images, inside, K = example_inputs(256, 320)
    K[:, :2, :2] *= focal_px / K[0, 0, 0]
    answer = model({"images": images.numpy(), "inside": inside.numpy(), "K": K.numpy()})
    with torch.no_grad():
        depth, sigma = DepthAndSigma(calm_network(), RECORD.sigma_factor, RECORD.relief_doubt)(images, inside, K)
    np.testing.assert_allclose(answer["depth"], depth.numpy(), rtol=0.05)
    np.testing.assert_allclose(answer["sigma"], sigma.numpy(), rtol=0.05)


@needs_onnx
def test_the_file_says_what_it_is(tmp_path):
    import onnx

    write_onnx(tmp_path / "small.onnx", LoadedWeights(lively_network(), RECORD), 64, 32)
    words = {entry.key: entry.value for entry in onnx.load(tmp_path / "small.onnx").metadata_props}
    assert {name: words[name] for name in MEANING} == MEANING
    assert json.loads(words["record"]) == json.loads(json.dumps(asdict(RECORD)))
    assert [path.name for path in tmp_path.iterdir()] == ["small.onnx"]


def test_missing_packages_are_named(tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_file, "NEEDED_MODULES", ("no_such_module",))
    with pytest.raises(OnnxError, match=r"needs no_such_module; pip install endo_depth_ros\[onnx\]"):
        write_onnx(tmp_path / "a.onnx", LoadedWeights(lively_network(), RECORD), 64, 32)


@needs_onnx
def test_a_size_that_32_does_not_divide_is_refused(tmp_path):
    with pytest.raises(OnnxError, match="100x32 is no size of the network"):
        write_onnx(tmp_path / "a.onnx", LoadedWeights(lively_network(), RECORD), 100, 32)
