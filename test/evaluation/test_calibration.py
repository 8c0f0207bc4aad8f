"""Sigma against errors whose distribution is known."""

import math

import numpy as np
import pytest

from endo_depth_ros.evaluation.calibration import SigmaCalibration, average_sparsification, sparsify


def gaussian(shape=(200, 300), factor=1.0, seed=0):
    """Depth, its stated sigma and truth, where the error is Gaussian with `factor` sigma."""
    rng = np.random.default_rng(seed)
    truth = rng.uniform(0.05, 0.1, shape)
    sigma = rng.uniform(0.0005, 0.005, shape)
    return truth + factor * sigma * rng.standard_normal(shape), sigma, truth


def calibrate(*frames):
    collected = SigmaCalibration()
    for frame in frames:
        collected.add(*frame)
    return collected.result()


def test_honest_sigma_covers_what_a_gaussian_does_in_every_decile():
    result = calibrate(gaussian(seed=1), gaussian(seed=2))
    assert result.pixels == 2 * 200 * 300
    assert result.within_1_sigma == pytest.approx(0.683, abs=0.01)
    assert result.within_2_sigma == pytest.approx(0.954, abs=0.01)
    assert result.recalibration == pytest.approx(1, abs=0.01)
    assert len(result.bins) == 10
    for one in result.bins:
        assert one.within_1_sigma == pytest.approx(0.683, abs=0.02)
        assert one.rms_error == pytest.approx(one.sigma, rel=0.05)
    assert [one.sigma for one in result.bins] == sorted(one.sigma for one in result.bins)


def test_boasting_sigma_is_told_by_its_factor():
    result = calibrate(gaussian(factor=3.0))
    assert result.recalibration == pytest.approx(3, abs=0.03)
    assert result.within_1_sigma == pytest.approx(math.erf(1 / 3 / math.sqrt(2)), abs=0.01)


def test_coverage_by_hand():
    depth = np.array([[1.0, 2.0, 3.0, np.nan, 5.0]])
    truth = np.array([[1.5, 2.0, 1.0, 4.0, np.nan]])
    result = calibrate((depth, np.ones((1, 5)), truth))
    assert result.pixels == 3
    assert result.within_1_sigma == pytest.approx(2 / 3)
    assert result.within_2_sigma == 1.0
    assert result.recalibration == pytest.approx(math.sqrt((0.25 + 0 + 4) / 3))


def test_no_pixel_is_no_number():
    result = calibrate((np.full((2, 2), np.nan), np.ones((2, 2)), np.ones((2, 2))))
    assert math.isnan(result.within_1_sigma)
    assert result.bins == ()


def relative(error):
    """Depth and truth whose relative errors are these, all below the truth of 1."""
    return 1 - error, np.ones_like(error)


def test_sigma_that_orders_errors_perfectly_leaves_no_area():
    error = np.random.default_rng(0).uniform(0, 0.3, (20, 30))
    depth, truth = relative(error)
    result = sparsify(depth, error * depth, truth)
    assert result.ause == pytest.approx(0, abs=1e-6)
    assert result.aurg > 0


def test_sigma_that_orders_errors_backwards_is_worse_than_chance():
    error = np.random.default_rng(0).uniform(0, 0.3, (20, 30))
    depth, truth = relative(error)
    assert sparsify(depth, (1 - error) * depth, truth).aurg < 0


def test_a_constant_sigma_is_chance():
    error = np.sort(np.random.default_rng(0).uniform(0, 0.3, 600)).reshape(20, 30)
    depth, truth = relative(error)
    assert sparsify(depth, 0.1 * depth, truth).aurg == pytest.approx(0, abs=1e-12)


def test_the_curve_by_hand():
    error = np.array([[0.1, 0.2, 0.3, 0.4]])
    depth, truth = relative(error)
    result = sparsify(depth, np.array([[0.1, 0.2, 0.4, 0.3]]) * depth, truth)
    curve = dict(zip(result.removed, result.by_sigma, strict=True))
    assert curve[0.0] == pytest.approx(0.25)
    assert curve[0.26] == pytest.approx((0.1 + 0.2 + 0.4) / 3)
    assert curve[0.5] == pytest.approx(0.15)
    assert curve[0.98] == pytest.approx(0.1)
    assert curve[1.0] == 0
    assert len(result.removed) == 51


def test_frames_weigh_the_same():
    depth, truth = relative(np.full((2, 2), 0.1))
    other, _ = relative(np.full((2, 2), 0.3))
    mean = average_sparsification([sparsify(depth, np.ones((2, 2)), truth), sparsify(other, np.ones((2, 2)), truth)])
    assert mean.by_sigma[0] == pytest.approx(0.2)
    assert average_sparsification([]) is None
    assert sparsify(np.full((2, 2), np.nan), np.ones((2, 2)), truth) is None
