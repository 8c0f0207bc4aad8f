"""Runtimes give the same depth, say what is in their way, and are chosen by what the machine has."""

import contextlib
import gc
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from network_weights import RECORD, lively_network

from endo_depth_ros.depth import runtimes
from endo_depth_ros.depth.fold_norms import fold_norms
from endo_depth_ros.depth.network_estimator import DepthAndSigma, example_inputs
from endo_depth_ros.depth.runtime import MAX_SHAPES, RuntimeUnavailableError
from endo_depth_ros.depth.runtime_cpu import TorchCpu
from endo_depth_ros.depth.runtime_cuda import ReplayedNetwork, TorchCuda
from endo_depth_ros.depth.runtime_openvino import OpenVino, import_openvino
from endo_depth_ros.depth.runtimes import RUNTIMES, select_runtime
from endo_depth_ros.depth.settings import DepthSettings
from endo_depth_ros.settings import SettingsError, make

openvino = import_openvino() if OpenVino.obstacle() == "" else None
needs_openvino = pytest.mark.skipif(openvino is None, reason="OpenVINO is not installed")
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no GPU")

# Largest relative difference in depth between a precision and fp32.
TOLERANCES = {"fp32": 1e-3, "fp16": 2e-2, "bf16": 5e-2}


def inputs(height=64, width=96):
    _, inside, K = example_inputs(height, width)
    images = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(height))
    return images, inside, K


@torch.no_grad()
def plain(*tensors):
    """The reference: the module as it is."""
    return DepthAndSigma(lively_network(), RECORD.sigma_factor, RECORD.relief_doubt)(*tensors)


def load(runtime):
    return runtime.load(DepthAndSigma(lively_network(), RECORD.sigma_factor, RECORD.relief_doubt), example_inputs())


def check_agreement(runtime, tolerance):
    network = load(runtime)
    for tensors in (inputs(), inputs(96, 64), inputs()):
        outputs = network(*(tensor.to(runtime.device) for tensor in tensors))
        for ours, reference in zip(outputs, plain(*tensors), strict=True):
            assert ours.dtype == torch.float32
            torch.testing.assert_close(ours.cpu(), reference, rtol=tolerance, atol=0)


@needs_openvino
def test_openvino_agrees_with_pytorch():
    check_agreement(OpenVino("fp32", 1), TOLERANCES["fp32"])


def test_folded_channels_last_pytorch_agrees_with_the_plain_network():
    check_agreement(TorchCpu("auto", 1), TOLERANCES["fp32"])


@pytest.mark.parametrize("runtime", [pytest.param(OpenVino, marks=needs_openvino), TorchCpu])
def test_bfloat16_is_within_its_tolerance(runtime):
    network = load(runtime("bf16", 1))
    depth, _ = network(*inputs())
    torch.testing.assert_close(depth, plain(*inputs())[0], rtol=TOLERANCES["bf16"], atol=0)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("runtime", [pytest.param(OpenVino, marks=needs_openvino), TorchCpu])
def test_a_shape_that_comes_later_finds_the_weights_as_they_were(runtime, precision):
    network = load(runtime(precision, 1))
    network(*inputs())
    gc.collect()
    # Memory that is free by now is written to.
    churned = [torch.full((side, side, 3, 3), 1e3) for side in (8, 16, 24, 32, 48, 64, 96, 128, 192) for _ in range(20)]
    depth, _ = network(*inputs(96, 128))
    assert churned
    torch.testing.assert_close(depth, plain(*inputs(96, 128))[0], rtol=TOLERANCES[precision], atol=0)


@needs_openvino
def test_auto_is_bfloat16_where_the_cpu_computes_with_it(monkeypatch):
    core = openvino.Core
    for capabilities, precision in ((["FP32", "BF16"], "bf16"), (["FP32", "INT8"], "fp32")):
        monkeypatch.setattr(openvino, "Core", lambda found=capabilities: SimpleNamespace(get_property=lambda *_: found))
        assert OpenVino("auto", 1).precision == precision
    monkeypatch.setattr(openvino, "Core", core)
    assert OpenVino("fp32", 1).precision == "fp32"


@needs_gpu
@pytest.mark.parametrize("precision", ["fp32", "fp16", "bf16"])
def test_gpu_agrees_with_cpu(precision):
    network = load(TorchCuda(precision, 0))
    depth, _ = network(*(tensor.cuda() for tensor in inputs()))
    torch.testing.assert_close(depth.cpu(), plain(*inputs())[0], rtol=TOLERANCES[precision], atol=0)


@needs_openvino
def test_results_of_openvino_stay_when_it_runs_again():
    network = load(OpenVino("auto", 1))
    depth, _ = network(*inputs())
    before = depth.clone()
    network(torch.zeros_like(inputs()[0]), *inputs()[1:])
    torch.testing.assert_close(depth, before, rtol=0, atol=0)


@needs_openvino
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads can't be asked where they may run")
def test_openvino_leaves_the_choice_of_core_to_the_system():
    network, at_work, enough = load(OpenVino("auto", 1)), threading.Event(), threading.Event()

    def work():
        while not enough.is_set():
            network(*inputs())
            at_work.set()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        assert at_work.wait(60)
        allowed = {cores for _ in range(300) for cores in cores_of_threads()}
    finally:
        enough.set()
        worker.join()
    assert allowed == {frozenset(os.sched_getaffinity(0))}


def cores_of_threads():
    """The cores on which each thread of this process may run at the moment."""
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):  # it has just ended
            yield frozenset(os.sched_getaffinity(int(task.name)))


@needs_openvino
def test_openvino_sends_nothing_over_the_network():
    code = """
import sys
from endo_depth_ros.depth.runtime_openvino import import_openvino
openvino = import_openvino()
import openvino.tools.ovc.telemetry_utils as telemetry
assert telemetry.tm.__name__ == "openvino.tools.ovc.telemetry_stub", telemetry.tm
assert not any(name.startswith("openvino_telemetry.") for name in sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_folding_leaves_no_batch_norm():
    folded = fold_norms(lively_network())
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in folded.modules())


class FakeGraph:
    """Does again what it saw, into the same memory, as a CUDA graph does."""

    captured = 0

    def __init__(self, work):
        self.work, self.outputs, self.replays = work, work(), 0
        FakeGraph.captured += 1

    def replay(self):
        self.replays += 1
        for held, new in zip(self.outputs, self.work(), strict=True):
            held.copy_(new)


def capture(work):
    graph = FakeGraph(work)
    return graph, graph.outputs


def test_a_replayed_network_gives_what_the_network_gives():
    replayed = ReplayedNetwork(plain, capture)
    first, second = inputs(), (torch.zeros_like(inputs()[0]), *inputs()[1:])
    outputs = replayed(*first), replayed(*second), replayed(*inputs(96, 64))
    for ours, tensors in zip(outputs, (first, second, inputs(96, 64)), strict=True):
        for a, b in zip(ours, plain(*tensors), strict=True):
            torch.testing.assert_close(a, b)


def test_each_shape_is_captured_once_and_only_so_many_are_kept():
    replayed = ReplayedNetwork(lambda x: (2 * x,), capture)
    FakeGraph.captured = 0
    for _ in range(3):
        replayed(torch.rand(2))
        replayed(torch.rand(3))
    assert FakeGraph.captured == 2
    for size in range(4, 4 + MAX_SHAPES):
        replayed(torch.rand(size))
    assert FakeGraph.captured == 2 + MAX_SHAPES
    replayed(torch.rand(2))
    assert FakeGraph.captured == 3 + MAX_SHAPES


def obstruct(monkeypatch, **obstacles):
    for name, obstacle in obstacles.items():
        runtime = RUNTIMES.get(name.replace("_", "-"))
        monkeypatch.setattr(runtime, "obstacle", staticmethod(lambda obstacle=obstacle: obstacle))


def settings(**values):
    return make(DepthSettings, values)


def test_the_fastest_runtime_that_works_is_chosen(monkeypatch):
    obstruct(monkeypatch, torch_cuda="", openvino="")
    assert select_runtime(settings()).name == "torch-cuda"
    assert select_runtime(settings(device="cpu")).name == "openvino"
    obstruct(monkeypatch, torch_cuda="no GPU")
    assert select_runtime(settings()).name == "openvino"
    obstruct(monkeypatch, openvino="not there")
    assert select_runtime(settings()).name == "torch-cpu"


def test_a_runtime_can_be_asked_for_and_brings_its_own_precision(monkeypatch):
    obstruct(monkeypatch, torch_cuda="", openvino="")
    assert select_runtime(settings(runtime="torch-cpu")).precision == "fp32"
    assert select_runtime(settings(runtime="torch-cuda")).precision == "fp16"
    assert select_runtime(settings(runtime="openvino", precision="bf16")).precision == "bf16"


def test_a_runtime_that_can_not_be_is_refused_with_the_reasons(monkeypatch):
    obstruct(monkeypatch, torch_cuda="no GPU", openvino="not there")
    with pytest.raises(RuntimeUnavailableError, match="torch-cuda: no GPU"):
        select_runtime(settings(device="cuda"))
    with pytest.raises(RuntimeUnavailableError, match="openvino: not there"):
        select_runtime(settings(runtime="openvino"))
    with pytest.raises(RuntimeUnavailableError, match="that runtime is for another device"):
        select_runtime(settings(runtime="openvino", device="cuda"))
    with pytest.raises(RuntimeUnavailableError, match="torch-cpu: it offers no fp16, only fp32 and bf16"):
        select_runtime(settings(device="cpu", precision="fp16"))


def test_a_missing_openvino_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    assert "pip install openvino" in OpenVino.obstacle()


def test_the_settings_name_all_runtimes_and_precisions():
    for name in RUNTIMES:
        settings(runtime=name)
        for precision in RUNTIMES.get(name).precisions:
            settings(precision=precision)
    with pytest.raises(SettingsError, match="runtime is 'tpu'"):
        settings(runtime="tpu")
    assert set(runtimes.DEVICE_TYPE_OF) == set(RUNTIMES)


def test_threads_are_as_many_as_cores_but_few(monkeypatch):
    monkeypatch.setattr("endo_depth_ros.depth.runtime.available_cores", lambda: 64)
    assert TorchCpu("auto", 0).threads == 4
    assert TorchCpu("auto", 7).threads == 7
    monkeypatch.setattr("endo_depth_ros.depth.runtime.available_cores", lambda: 2)
    assert TorchCpu("auto", 0).threads == 2
