"""A GPU that fails is told and replaced by the CPU; errors of the program are not hidden."""

import numpy as np
import pytest
import torch
from network_weights import write_weights

from endo_depth_ros.contracts import Frame, ScaleState, Verdict
from endo_depth_ros.depth import pipeline as pipeline_module
from endo_depth_ros.depth.device_failure import describe_failure, is_device_failure
from endo_depth_ros.depth.estimator import DepthEstimator, DepthPrediction
from endo_depth_ros.depth.models import create_estimator
from endo_depth_ros.depth.pipeline import DepthPipeline
from endo_depth_ros.depth.runtime import RuntimeUnavailableError
from endo_depth_ros.depth.settings import DepthSettings
from endo_depth_ros.geometry.camera import pinhole_from_hfov
from endo_depth_ros.settings import make

FAILURES = [
    torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nMore about it."),
    RuntimeError("CUDA error: unspecified launch failure\nCompile with TORCH_USE_CUDA_DSA"),
    RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"),
]


class FailingGpu(DepthEstimator):
    """An estimator whose device fails at each image; meta tensors stand for those on a GPU."""

    name = "failing"
    scale_state = ScaleState.NOMINAL
    constant_scale = True

    def __init__(self, failure):
        self.failure, self.device = failure, torch.device("meta")

    def estimate(self, batch) -> DepthPrediction:
        raise self.failure


@pytest.fixture
def weights_file(tmp_path):
    return write_weights(tmp_path / "small.safetensors")


def settings(weights_file):
    small = {"input_width": 64, "input_height": 64, "field_of_view": "none"}
    return make(DepthSettings, {"model": "endo_depth_small", "weights": str(weights_file), **small})


def frame():
    image = np.random.default_rng(0).integers(90, 200, (64, 64, 3)).astype(np.uint8) // np.uint8([1, 2, 2])
    return Frame(1, "scope", image.astype(np.uint8), pinhole_from_hfov(64, 64, 70.0))


def lenient(pipeline):
    """Noise is no tissue, but here it is only something to estimate on."""
    pipeline._frame_judge.judge = lambda *_: (Verdict.OK, "")
    return pipeline


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: str(failure)[:12])
def test_a_failing_gpu_hands_over_to_the_cpu_and_says_so_once(weights_file, failure):
    warnings: list[str] = []
    pipeline = lenient(DepthPipeline(settings(weights_file), warnings.append))
    pipeline.estimator = FailingGpu(failure)
    answers = [pipeline.process(frame()) for _ in range(2)]
    assert all(answer.valid.any() for answer in answers)
    assert pipeline.estimator.device.type == "cpu"
    assert len(warnings) == 1
    assert "on the CPU" in warnings[0]
    assert str(failure).splitlines()[0].rstrip(".") in warnings[0]
    assert "\n" not in warnings[0]


def test_a_gpu_without_memory_at_the_start_hands_over_too(weights_file, monkeypatch):
    warnings: list[str] = []

    def create(wanted):
        if wanted.device == "auto":
            raise FAILURES[0]
        return create_estimator(wanted)

    monkeypatch.setattr(pipeline_module, "create_estimator", create)
    assert DepthPipeline(settings(weights_file), warnings.append).estimator.device.type == "cpu"
    assert "the GPU's memory is full (CUDA out of memory" in warnings[0]


def test_a_gpu_that_was_asked_for_is_not_replaced_at_the_start(weights_file, monkeypatch):
    def create(wanted):
        raise FAILURES[0]

    monkeypatch.setattr(pipeline_module, "create_estimator", create)
    wanted = make(DepthSettings, {"device": "cuda"})
    with pytest.raises(torch.cuda.OutOfMemoryError):
        DepthPipeline(wanted)


def test_an_error_of_the_program_is_not_hidden(weights_file):
    pipeline = lenient(DepthPipeline(settings(weights_file)))
    pipeline.estimator = FailingGpu(RuntimeError("The size of tensor a (3) must match"))
    with pytest.raises(RuntimeError, match="must match"):
        pipeline.process(frame())


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: str(failure)[:12])
def test_failures_of_the_device_are_known(failure):
    assert is_device_failure(failure)
    assert "\n" not in describe_failure(failure)


def test_a_runtime_that_is_not_there_is_no_failure_of_the_device():
    assert not is_device_failure(RuntimeUnavailableError("install a CUDA build"))
    assert not is_device_failure(RuntimeError("shapes differ"))
