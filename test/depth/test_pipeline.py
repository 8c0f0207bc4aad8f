"""The path from a raw image to depth that says what it is worth."""

from dataclasses import replace

import numpy as np
import pytest
from degraded import blur, cover
from wall import Wall

from endo_depth_ros.contracts import Frame, ScaleState, Verdict
from endo_depth_ros.depth.estimator import DepthEstimator, DepthPrediction
from endo_depth_ros.depth.pipeline import DepthPipeline
from endo_depth_ros.depth.runtime_cpu import TorchCpu
from endo_depth_ros.depth.settings import DepthSettings
from endo_depth_ros.geometry.camera import EQUIDISTANT, Camera, pinhole_from_hfov
from endo_depth_ros.geometry.stereographic import plane_rays
from endo_depth_ros.settings import SettingsError, make

W, H = 320, 256
K = np.array([[240.0, 0, 159.5], [0, 240, 127.5], [0, 0, 1]])
CAMERA = Camera(W, H, K)


class Ramp(DepthEstimator):
    """Depth that grows from left to right, from under 0.001 to 2 units: a network that was trained in metres."""

    name = "ramp"
    scale_state = ScaleState.NOMINAL
    constant_scale = True

    def estimate(self, batch):
        import torch

        height, width = batch.inside.shape[-2:]
        depth = torch.logspace(np.log10(0.0005), np.log10(2.0), width).expand(1, height, width)
        return DepthPrediction(depth, 0.1 * depth, torch.ones_like(batch.inside))


def scope_image(level=140):
    y, x = np.mgrid[:H, :W]
    image = np.zeros((H, W, 3), np.uint8)
    image[np.hypot(x - 159.5, y - 127.5) < 115] = (level, level // 2, level // 2)
    return image


def frame(image, camera=CAMERA, stamp_ns=7):
    return Frame(stamp_ns, "scope", image, camera)


def pipeline(**settings):
    return DepthPipeline(
        make(DepthSettings, {"model": "shading", "device": "cpu", "crop_to_field_of_view": False, **settings})
    )


def ramp_pipeline(**settings):
    made = pipeline(**settings)
    made.estimator = Ramp(made.settings, TorchCpu("auto", 1))
    return made


def test_the_answer_keeps_stamp_and_frame_id():
    answer = pipeline().process(frame(scope_image()))
    assert (answer.frame.stamp_ns, answer.frame.frame_id, answer.status.stamp_ns) == (7, "scope", 7)


def test_depth_is_nan_outside_the_scope_and_sigma_wherever_depth_is():
    answer = pipeline().process(frame(scope_image()))
    assert answer.status.field_of_view == "disc"
    assert np.isnan(answer.depth[scope_image().max(2) == 0]).all()
    assert (np.isfinite(answer.sigma) == np.isfinite(answer.depth)).all()
    assert answer.status.coverage > 0.99


def test_the_whole_image_counts_when_no_field_of_view_is_looked_for():
    answer = pipeline(field_of_view="none").process(frame(np.full((H, W, 3), (140, 70, 70), np.uint8)))
    assert answer.valid.all()


def test_a_dark_frame_has_a_verdict_and_no_depth():
    answer = pipeline().process(frame(np.zeros((H, W, 3), np.uint8)))
    assert answer.status.verdict is Verdict.DARK
    assert "dark" in answer.status.reason
    assert not answer.valid.any()
    assert answer.status.coverage == 0.0


def test_an_overexposed_frame_has_a_verdict_and_no_depth():
    answer = pipeline().process(frame(np.full((H, W, 3), 255, np.uint8)))
    assert answer.status.verdict is Verdict.OVEREXPOSED
    assert not answer.valid.any()


def test_a_highlight_is_not_depth():
    image = scope_image()
    image[120:130, 150:160] = 240
    assert np.isnan(pipeline().process(frame(image)).depth[120:130, 150:160]).all()


def test_shading_is_relative_and_a_given_scale_makes_it_nominal_only():
    assert pipeline().process(frame(scope_image())).status.scale.state is ScaleState.RELATIVE
    given = pipeline(metres_per_unit=3.0).process(frame(scope_image())).status.scale
    assert (given.state, given.value) == (ScaleState.NOMINAL, 3.0)


def test_a_given_scale_is_metric_only_with_a_calibrated_camera():
    scaled = ramp_pipeline(metres_per_unit=1.5)
    assert scaled.process(frame(scope_image())).status.scale.state is ScaleState.METRIC
    guessed = pinhole_from_hfov(W, H, 70.0)
    assert scaled.process(frame(scope_image(), guessed)).status.scale.state is ScaleState.NOMINAL
    assert ramp_pipeline().process(frame(scope_image())).status.scale.state is ScaleState.NOMINAL


def test_depth_out_of_range_is_infinite_never_clipped():
    answer = ramp_pipeline(field_of_view="none", min_depth_m=0.001, max_depth_m=1.0).process(
        frame(np.full((H, W, 3), (140, 70, 70), np.uint8))
    )
    row = answer.depth[100]
    assert row[0] == -np.inf
    assert row[-1] == np.inf
    finite = row[np.isfinite(row)]
    assert 0.001 <= finite.min() < 0.00104
    assert 0.97 < finite.max() <= 1.0
    assert np.isnan(answer.sigma[100][~np.isfinite(row)]).all()


def test_relative_depth_has_no_range():
    answer = pipeline(min_depth_m=0.5, max_depth_m=1.0).process(frame(scope_image()))
    assert not np.isinf(answer.depth).any()
    assert answer.valid.any()


def test_scale_multiplies_depth_and_sigma():
    plain, scaled = (p.process(frame(scope_image())) for p in (pipeline(), pipeline(metres_per_unit=2.0)))
    seen = plain.valid
    np.testing.assert_allclose(scaled.depth[seen], 2 * plain.depth[seen], rtol=1e-6)
    np.testing.assert_allclose(scaled.sigma[seen], 2 * plain.sigma[seen], rtol=1e-6)


def test_another_camera_is_followed_from_its_first_frame():
    made = pipeline()
    first = made.process(frame(scope_image()))
    other = made.process(frame(scope_image(), Camera(W, H, np.diag([2.0, 2, 1]) @ K)))
    assert other.frame.camera.K[0, 0] == 2 * first.frame.camera.K[0, 0]


def test_a_large_image_is_answered_at_working_size_with_its_camera():
    image = np.repeat(np.repeat(scope_image(), 4, 0), 4, 1)
    answer = pipeline().process(frame(image, CAMERA.resized(4 * W, 4 * H)))
    assert answer.depth.shape == (H, W)
    np.testing.assert_allclose(answer.frame.camera.K, K, atol=1e-9)


def test_two_runs_give_identical_depth():
    first, second = (
        [made.process(frame(scope_image(level))).depth for level in (100, 140, 180)]
        for made in (pipeline(), pipeline())
    )
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


def test_warm_up_leaves_no_trace():
    warm, cold = pipeline(), pipeline()
    warm.warm_up()
    np.testing.assert_array_equal(warm.process(frame(scope_image())).depth, cold.process(frame(scope_image())).depth)


class Flickering(DepthEstimator):
    """The depth of a wall that the camera approaches, times another factor on each frame."""

    name = "flickering"
    scale_state = ScaleState.NOMINAL
    constant_scale = True
    factors = (1.0, 1.1, 0.95, 1.05)

    def estimate(self, batch):
        import torch

        self.count = getattr(self, "count", -1) + 1
        K, (height, width) = batch.K[0].double().numpy(), batch.inside.shape[-2:]
        v, u = np.mgrid[:height, :width]
        rays = plane_rays((np.stack([u, v], -1) - K[:2, 2]) / K[0, 0])
        depth = Wall().depth_along(rays, position(self.count)) * self.factors[self.count]
        depth = torch.from_numpy(depth.astype(np.float32))[None]
        return DepthPrediction(depth, 0.1 * depth, torch.ones_like(batch.inside))


def position(index):
    return (0.0, 0.0, 0.0005 * index)


def approach(index):
    return Wall().frame(index * 40_000_000, position(index))


def flickering_pipeline(**settings):
    made = pipeline(field_of_view="none", **settings)
    made.estimator = Flickering(made.settings, TorchCpu("auto", 1))
    return made


def test_flicker_of_the_scale_is_taken_out_and_told():
    made = flickering_pipeline(steadiness_time_s=5.0)
    for index, factor in enumerate(Flickering.factors):
        scene, depth = approach(index)
        answer = made.process(scene)
        told = answer.status.steadiness
        before = np.mean(np.log(Flickering.factors[: max(1, index)]))
        assert told == pytest.approx(np.exp(before) / factor, abs=0.02)
        seen = answer.valid
        np.testing.assert_allclose(answer.depth[seen], depth[seen] * factor * told, rtol=3e-3)
        np.testing.assert_allclose(answer.sigma[seen], 0.1 * answer.depth[seen], rtol=0.01)


def test_depth_is_the_models_own_without_steadiness():
    made = flickering_pipeline(steadiness=False)
    for index, factor in enumerate(Flickering.factors):
        scene, depth = approach(index)
        answer = made.process(scene)
        assert answer.status.steadiness == 1
        np.testing.assert_allclose(answer.depth[answer.valid], (depth * factor)[answer.valid], rtol=3e-3)


def test_a_frame_that_is_not_ok_ends_what_is_steadied():
    made = flickering_pipeline()
    made.process(approach(0)[0])
    smoky = replace(approach(1)[0], image=cover(approach(1)[0].image, (255, 255, 255)))
    assert made.process(smoky).status.verdict is Verdict.OBSCURED
    assert made.process(approach(2)[0]).status.steadiness == 1


def test_the_next_frame_may_be_begun_before_the_last_is_finished():
    one_by_one, overlapping = flickering_pipeline(), flickering_pipeline()
    expected = [one_by_one.process(approach(index)[0]) for index in range(4)]
    found, before = [], overlapping.begin(approach(0)[0])
    for index in range(1, 4):
        begun = overlapping.begin(approach(index)[0])
        found.append(overlapping.finish(before))
        before = begun
    found.append(overlapping.finish(before))
    for a, b in zip(found, expected, strict=True):
        assert a.status == b.status
        np.testing.assert_array_equal(a.depth, b.depth)


def test_a_reset_ends_what_is_steadied_from_the_next_begun_frame_on():
    made = flickering_pipeline(steadiness_time_s=5.0)
    made.process(approach(0)[0])
    before = made.begin(approach(1)[0])
    made.reset()
    after = made.begin(approach(2)[0])
    assert made.finish(before).status.steadiness == pytest.approx(1 / 1.1, abs=0.02)
    assert made.finish(after).status.steadiness == 1


def test_a_blurred_frame_has_a_verdict_and_no_depth():
    scene, _ = approach(0)
    answer = flickering_pipeline().process(replace(scene, image=blur(scene.image, 6.0)))
    assert answer.status.verdict is Verdict.BLURRED
    assert not answer.valid.any()


def test_blur_of_a_wide_scope_is_seen_although_its_rectified_middle_is_small():
    camera = Camera(1350, 1080, np.array([[767.0, 0, 679], [0, 767, 543], [0, 0, 1]]), EQUIDISTANT, np.zeros(4))
    patches = np.random.default_rng(0).uniform(0.3, 1.0, (18, 23, 1)) * np.array([220, 130, 110])
    sharp = np.kron(patches, np.ones((60, 60, 1)))[:, :1350].astype(np.uint8)
    made = pipeline(field_of_view="none")
    assert made.process(frame(sharp, camera)).status.verdict is Verdict.OK
    assert made.process(frame(blur(sharp), camera)).status.verdict is Verdict.BLURRED


def test_contradicting_settings_are_refused():
    with pytest.raises(SettingsError, match="dark_level 200 must be below saturated_level 100"):
        make(DepthSettings, {"dark_level": 200, "saturated_level": 100})
