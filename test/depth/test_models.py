"""Models and runtimes by name."""

import pytest
import torch

from endo_depth_ros.depth.models import create_estimator
from endo_depth_ros.depth.runtime import RuntimeUnavailableError
from endo_depth_ros.depth.runtimes import RUNTIMES, select_runtime
from endo_depth_ros.depth.settings import DepthSettings
from endo_depth_ros.registry import UnknownNameError


def test_an_unknown_model_is_answered_with_the_known_ones():
    with pytest.raises(UnknownNameError, match="no model 'dream'; choose one of: endo_depth_small, shading"):
        create_estimator(DepthSettings(model="dream"))


def test_the_cpu_is_always_there():
    assert select_runtime(DepthSettings(device="cpu")).device.type == "cpu"


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_missing_gpu_is_refused_with_the_reason_and_auto_does_without():
    with pytest.raises(RuntimeUnavailableError, match="torch-cuda: .*or device to cpu"):
        select_runtime(DepthSettings(device="cuda"))
    assert select_runtime(DepthSettings()).device.type == "cpu"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no GPU")
def test_gpu_and_cpu_agree():
    image = torch.rand(1, 3, 64, 80)
    depths = []
    for device in ("cpu", "cuda"):
        estimator = create_estimator(DepthSettings(device=device))
        where = estimator.device
        everywhere = torch.ones(1, 64, 80, dtype=torch.bool, device=where)
        from endo_depth_ros.depth.estimator import ImageBatch

        batch = ImageBatch(image.to(where), everywhere, everywhere, 60 * torch.eye(3, device=where)[None])
        depths.append(estimator.estimate(batch).depth.cpu())
    torch.testing.assert_close(*depths, rtol=1e-3, atol=0)


def test_every_runtime_says_what_is_in_its_way():
    assert all(isinstance(RUNTIMES.get(name).obstacle(), str) for name in RUNTIMES)
