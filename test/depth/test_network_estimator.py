"""The network as an estimator: any image size, any camera, sigma as calibrated."""

import pytest
import torch
from network_weights import RECORD, lively_network, write_weights

from endo_depth_ros.contracts import ScaleState
from endo_depth_ros.depth.estimator import ImageBatch
from endo_depth_ros.depth.models import create_estimator
from endo_depth_ros.depth.network_estimator import DepthAndSigma, pad_to_multiple
from endo_depth_ros.depth.relief import NO_DOUBT, ReliefDoubt
from endo_depth_ros.depth.settings import DepthSettings
from endo_depth_ros.depth.weights import WeightsError
from endo_depth_ros.settings import make

K = torch.tensor([[[60.0, 0, 30.0], [0, 60.0, 20.0], [0, 0, 1]]])


@pytest.fixture(scope="module")
def estimator(tmp_path_factory):
    path = write_weights(tmp_path_factory.mktemp("weights") / "small.safetensors", sigma_factor=2.0)
    return create_estimator(network_settings(weights=str(path)))


def network_settings(**values):
    small = {"input_width": 64, "input_height": 32, "device": "cpu", "runtime": "torch-cpu"}
    return make(DepthSettings, {"model": "endo_depth_small", **small, **values})


def batch(height, width):
    everywhere = torch.ones(1, height, width, dtype=torch.bool)
    images = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(3))
    return ImageBatch(images, everywhere, everywhere, K)


@pytest.mark.parametrize(("height", "width"), [(32, 64), (33, 47), (1, 1), (64, 31)])
def test_images_of_any_size_get_depth_of_that_size(estimator, height, width):
    prediction = estimator.estimate(batch(height, width))
    assert prediction.depth.shape == prediction.sigma.shape == prediction.valid.shape == (1, height, width)
    assert (prediction.depth > 0).all()
    assert (prediction.sigma > 0).all()


def test_padding_is_outside_the_field_of_view(estimator):
    small = batch(30, 50)
    large = batch(32, 64)
    large.images[...] = 0.7
    large.images[:, :, :30, :50] = small.images
    large.inside[...] = False
    large.inside[:, :30, :50] = True
    ours, reference = estimator.estimate(small), estimator.estimate(large)
    torch.testing.assert_close(ours.depth, reference.depth[:, :30, :50])


def test_only_the_field_of_view_is_valid(estimator):
    seen = batch(32, 64)
    seen.inside[:, :10] = False
    torch.testing.assert_close(estimator.estimate(seen).valid, seen.inside)


@torch.no_grad()
def test_sigma_is_the_calibrated_standard_deviation_of_depth():
    network = lively_network()
    seen = batch(32, 64)
    log_depth, log_b = network(seen.images, seen.inside, seen.K)
    depth, sigma = DepthAndSigma(network, 3.0, NO_DOUBT)(seen.images, seen.inside, seen.K)
    torch.testing.assert_close(depth.log(), log_depth)
    torch.testing.assert_close(sigma / depth, 3.0 * 2**0.5 * log_b.exp())


def test_depth_is_in_metres_of_one_scale(estimator):
    assert (estimator.scale_state, estimator.scale_sigma) == (ScaleState.NOMINAL, RECORD.scale_sigma)
    assert estimator.constant_scale


def test_missing_weights_are_refused(tmp_path):
    with pytest.raises(WeightsError, match=r"none\.safetensors: can't be read"):
        create_estimator(network_settings(weights=str(tmp_path / "none.safetensors")))


def test_padding_keeps_pixels_and_what_fits_already():
    maps = torch.ones(1, 30, 50)
    padded = pad_to_multiple(maps)
    assert padded.shape == (1, 32, 64)
    assert padded[:, :30, :50].all()
    assert padded.sum() == 30 * 50
    assert pad_to_multiple(padded) is padded


@pytest.mark.parametrize("weigh_relief", [True, False])
def test_the_files_doubt_about_relief_is_heeded_where_the_settings_say_so(tmp_path, weigh_relief):
    doubt = ReliefDoubt(0.5, 170.0, 175.0)
    path = write_weights(tmp_path / "small.safetensors", sigma_factor=2.0, relief_doubt=doubt)
    seen = batch(32, 64)
    ours = create_estimator(network_settings(weights=str(path), weigh_relief=weigh_relief)).estimate(seen)
    with torch.no_grad():
        network = DepthAndSigma(lively_network(), 2.0, doubt if weigh_relief else NO_DOUBT)
        depth, sigma = network(seen.images, seen.inside, seen.K)
    torch.testing.assert_close(ours.depth, depth, rtol=1e-4, atol=0)
    torch.testing.assert_close(ours.sigma, sigma, rtol=1e-4, atol=0)
