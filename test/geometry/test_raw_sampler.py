"""A raw image along rays: where they go, what is not seen, and that fine detail is averaged."""

import numpy as np

from endo_depth_ros.geometry.camera import Camera
from endo_depth_ros.geometry.raw_sampler import RawSampler, shrink

K = np.array([[100.0, 0, 63.5], [0, 100, 47.5], [0, 0, 1]])
RAW = Camera(128, 96, K)


def rays(pixels):
    return np.concatenate([(np.asarray(pixels) - K[:2, 2]) / 100, np.ones((*np.shape(pixels)[:-1], 1))], -1)


def test_a_ray_finds_what_its_pixel_shows():
    ramp = np.arange(128, dtype=np.float32)[None].repeat(96, 0)
    pixels = np.array([[[3.0, 5.0], [60.5, 40.0], [127.0, 95.0]]])
    np.testing.assert_allclose(RawSampler(RAW, rays(pixels), 100).sample(ramp), pixels[..., 0], atol=1 / 32)


def test_rays_that_leave_the_image_see_nothing():
    sampler = RawSampler(RAW, np.concatenate([rays([[[64.0, 48.0], [200.0, 48.0]]]), [[[0, 0, -1.0]]]], 1), 100)
    assert sampler.seen.tolist() == [[True, False, False]]
    assert sampler.sample(np.full((96, 128), 7.0, np.float32)).tolist() == [[7.0, 0.0, 0.0]]


def test_a_coarse_grid_averages_over_its_pixels():
    checks = np.indices((96, 128)).sum(0).astype(np.float32) % 2
    coarse = np.stack(np.meshgrid(np.arange(10, 110, 4.0), np.arange(10, 80, 4.0)), -1)
    np.testing.assert_allclose(RawSampler(RAW, rays(coarse), 25).sample(checks), 0.5, atol=1e-6)


def test_shrinking_keeps_the_mean():
    picture = np.random.default_rng(0).uniform(size=(96, 128)).astype(np.float32)
    small = shrink(picture, RAW.resized(40, 30))
    assert small.shape == (30, 40)
    np.testing.assert_allclose(small.mean(), picture.mean(), atol=0.01)
