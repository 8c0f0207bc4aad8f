"""Inverse-square depth against closed forms."""

import numpy as np
import pytest
import torch

from endo_depth_ros.contracts import ScaleState
from endo_depth_ros.depth.estimator import ImageBatch
from endo_depth_ros.depth.models import create_estimator
from endo_depth_ros.depth.settings import DepthSettings
from endo_depth_ros.depth.shading import gaussian_blur, ray_lengths
from endo_depth_ros.geometry.stereographic import plane_rays

H, W = 96, 128
K = torch.tensor([[[100.0, 0, 63.5], [0, 100, 47.5], [0, 0, 1]]])
EVERYWHERE = torch.ones(1, H, W, dtype=torch.bool)


@pytest.fixture(scope="module")
def estimator():
    return create_estimator(DepthSettings(model="shading", device="cpu"))


def lit(distance: torch.Tensor) -> torch.Tensor:
    """Image [1, 3, H, W] of white tissue at the given distance from light and camera, gamma 2.2."""
    intensity = 0.18 * (0.05 / distance) ** 2
    return (intensity ** (1 / 2.2)).expand(1, 3, H, W)


def test_a_sphere_around_the_light_has_one_distance(estimator):
    depth = estimator.estimate(ImageBatch(lit(torch.full((H, W), 0.04)), EVERYWHERE, EVERYWHERE, K)).depth
    distance = depth * ray_lengths(K, H, W)
    torch.testing.assert_close(distance, torch.full((1, H, W), 0.04), rtol=1e-4, atol=0)


def test_twice_as_far_is_a_quarter_as_bright(estimator):
    distance = torch.linspace(0.03, 0.12, W).expand(H, W)
    depth = estimator.estimate(ImageBatch(lit(distance), EVERYWHERE, EVERYWHERE, K)).depth
    ratio = (depth * ray_lengths(K, H, W) / distance)[0, :, 10:-10]
    assert float((ratio - 1).abs().max()) < 0.02  # smoothing bends a ramp of 1/r² a little


def test_a_highlight_does_not_pull_its_neighbours_nearer(estimator):
    images = lit(torch.full((H, W), 0.08)).clone()
    images[:, :, 40:50, 60:70] = 1.0
    usable = EVERYWHERE.clone()
    usable[:, 40:50, 60:70] = False
    depth = estimator.estimate(ImageBatch(images, EVERYWHERE, usable, K)).depth * ray_lengths(K, H, W)
    torch.testing.assert_close(depth[usable], torch.full_like(depth[usable], 0.08), rtol=1e-3, atol=0)


def test_no_answer_where_no_usable_pixel_is_near(estimator):
    usable = EVERYWHERE.clone()
    usable[:, :, : W // 2] = False
    prediction = estimator.estimate(ImageBatch(lit(torch.full((H, W), 0.05)), EVERYWHERE, usable, K))
    assert not prediction.valid[0, :, : W // 2 - 8].any()
    assert prediction.valid[0, :, W // 2 :].all()


def test_sigma_grows_relative_to_depth_in_the_dark(estimator):
    near, far = (
        estimator.estimate(ImageBatch(lit(torch.full((H, W), d)), EVERYWHERE, EVERYWHERE, K)) for d in (0.04, 0.5)
    )
    assert float((far.sigma / far.depth).mean()) > 1.5 * float((near.sigma / near.depth).mean())


def test_shading_never_claims_metres(estimator):
    assert estimator.scale_state is ScaleState.RELATIVE
    assert not estimator.constant_scale


def test_ray_length_of_a_corner_is_its_norm():
    corner = plane_rays(np.array([(0 - 63.5) / 100, (0 - 47.5) / 100]))
    assert float(ray_lengths(K, H, W)[0, 0, 0]) == pytest.approx(np.linalg.norm(corner))


def test_rays_beyond_80_degrees_are_as_long_as_that_one():
    wide = K.clone()
    wide[:, :2, :2] /= 10
    assert float(ray_lengths(wide, H, W).max()) == pytest.approx(1 / np.cos(np.radians(80)), rel=1e-5)


def test_blur_keeps_the_sum_of_an_impulse():
    impulse = torch.zeros(1, 41, 41)
    impulse[0, 20, 20] = 1
    assert float(gaussian_blur(impulse, 3.0).sum()) == pytest.approx(1, abs=1e-5)
