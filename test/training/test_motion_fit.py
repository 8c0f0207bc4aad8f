"""The motion network is trained on renderings and videos, exported, scored; its losses are small where it is right."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import yaml
from ball import HEIGHT, WIDTH, K, look, pose, small_motion_document, write_ball

from endo_depth_ros.bags.camera_yaml import write_camera
from endo_depth_ros.geometry.camera import PINHOLE, Camera
from endo_depth_ros.pose.motion_network import COARSE, FINE, Grid, MotionAnswer, Stage
from endo_depth_ros.pose.motion_weights import load_motion_weights
from endo_depth_ros.pose.rigid_fit import inverse, move, project
from training.__main__ import main
from training.dataset import TRAINING, VALIDATION, DataError, SampleKey, find_sequences
from training.fit import CHECKPOINTS
from training.motion.held_out import CLEAR
from training.motion.losses import MotionLossSettings, Truth, motion_loss
from training.motion.samples import MotionSample, RenderedPairs
from training.motion.scores import score_motions
from training.motion.videos import VideoPairs, find_videos, prepare_videos
from training.sequence_file import SUFFIX


@pytest.fixture(scope="module")
def ball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ball")
    for seed in range(2):
        write_ball(folder / TRAINING / f"{seed:07d}{SUFFIX}", seed)
        write_ball(folder / VALIDATION / f"{1_000_000 + seed:07d}{SUFFIX}", 1_000_000 + seed)
    return folder


@pytest.fixture(scope="module")
def sample(ball: Path) -> MotionSample:
    pairs = RenderedPairs(find_sequences(ball / TRAINING, PINHOLE), CLEAR, (80, 64), seed=0, rank=0)
    return MotionSample(
        *(torch.stack(values) for values in zip(*(pairs[SampleKey(i, 0)] for i in range(3)), strict=True))
    )


def answer_of(sample: MotionSample, T_first_second: torch.Tensor) -> MotionAnswer:
    """What a network says that believes in a motion."""
    truth = Truth.of(sample)
    true = Truth.of(sample._replace(T_first_second=T_first_second)).T
    stages = []
    for stride in (COARSE, FINE):
        grid: Grid = truth.grid(truth.true_log, stride)
        pixels = project(move(true, grid.points), sample.K)
        log_b = torch.zeros(pixels.shape[:2])
        stages.append(Stage(pixels, log_b, true, 1e4 * torch.eye(6).expand(3, 6, 6)))
    places = truth.grid(truth.true_log, COARSE).places.flatten(0, 1)
    scores = -(stages[0].pixels[:, :, None] - places).square().sum(-1) / 20
    ones = torch.ones(3)
    return MotionAnswer(T_first_second, stages[1].information, ones, 0 * ones, scores, stages[0], (stages[1],))


def test_every_term_is_smallest_for_the_true_motion(sample: MotionSample) -> None:
    right = motion_loss(answer_of(sample, sample.T_first_second), sample, MotionLossSettings())
    wrong = motion_loss(answer_of(sample, inverse(sample.T_first_second)), sample, MotionLossSettings())
    assert float(right.match) < 1e-3
    assert float(right.motion) < 1e-3
    for name in ("search", "match", "motion", "sigma", "photometric", "total"):
        assert float(getattr(right, name)) < float(getattr(wrong, name))


def test_without_a_known_motion_the_images_alone_teach(sample: MotionSample) -> None:
    unknown = sample._replace(posed=torch.zeros(3, dtype=torch.bool))
    terms = motion_loss(answer_of(sample, sample.T_first_second), unknown, MotionLossSettings())
    assert [float(terms.search), float(terms.match), float(terms.motion), float(terms.sigma)] == [0, 0, 0, 0]
    assert float(terms.photometric) > 0


def test_scores_are_none_for_the_truth_and_those_of_a_still_camera_else(sample: MotionSample) -> None:
    right = score_motions(sample, answer_of(sample, sample.T_first_second))
    still = score_motions(sample, answer_of(sample, torch.eye(4).expand(3, 4, 4)))
    assert max(score.turn_error_deg for score in right) < 0.01
    for score in still:
        assert score.turn_error_deg == pytest.approx(score.turn_deg, abs=1e-3)
        assert score.shift_error == pytest.approx(score.shift, rel=1e-3)
        assert score.pixel_error == pytest.approx(score.motion, rel=1e-3)


def film(folder: Path, frames: int = 6) -> Path:
    """A folder of images with a calibration; tiles make them sharp."""
    folder.mkdir(parents=True)
    rows, columns = np.mgrid[: 3 * HEIGHT, : 3 * WIDTH]
    for index in range(frames):
        radiance, _ = look(pose(index), 5)
        large = cv2.resize(radiance, (3 * WIDTH, 3 * HEIGHT))
        tiles = np.where((rows // 12 + (columns + 2 * index) // 12) % 2, 1.0, 0.6)
        image = np.clip(110 * large * [1.2, 0.7, 0.6] * tiles[..., None], 0, 255).astype(np.uint8)
        cv2.imwrite(str(folder / f"{index:03d}.png"), image[..., ::-1])
    write_camera(folder / "camera.yaml", Camera(WIDTH, HEIGHT, K).resized(3 * WIDTH, 3 * HEIGHT))
    return folder


def test_training_goes_on_where_it_was_killed_and_ends_in_weights_that_load(
    ball: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe, run, weights = tmp_path / "recipe.yaml", tmp_path / "run", tmp_path / "motion.safetensors"
    recipe.write_text(yaml.safe_dump(small_motion_document(ball)))
    video = film(tmp_path / "videos" / "one").parent
    common = ["fit-pose", "--config", str(recipe), "--output", str(run), "--video", str(video)]
    assert main([*common, "--steps", "2"]) == 0
    assert main([*common, "--resume"]) == 0
    checkpoint = run / CHECKPOINTS / "0000004.ckpt"
    assert checkpoint.exists()
    held_out = ["--data", str(ball / VALIDATION), "--pairs", "6"]
    assert main(["export-pose", str(checkpoint), *held_out, "--output", str(weights)]) == 0
    record = load_motion_weights(weights).record
    assert (record.input_width, record.input_height) == (80, 64)
    assert "batch: 2" in record.recipe
    exported = capsys.readouterr().out
    assert main(["evaluate-pose", str(weights), *held_out]) == 0
    assert capsys.readouterr().out == exported


def test_pairs_of_a_video_are_near_one_another_and_have_no_motion(tmp_path: Path) -> None:
    folder = film(tmp_path / "clip")
    prepared = prepare_videos(folder, tmp_path / "cache", (80, 64))
    pairs = VideoPairs(prepared, seed=0, rank=0)
    sample = pairs[SampleKey(0, 0)]
    assert not bool(sample.posed)
    assert sample.images.shape == (2, 3, 64, 80)
    assert bool(sample.inside.any())
    assert not torch.equal(sample.images[0], sample.images[1])
    written = prepared[0].stat().st_mtime_ns
    assert prepare_videos(folder, tmp_path / "cache", (80, 64))[0].stat().st_mtime_ns == written


def test_mistakes_are_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DataError, match="is no folder"):
        find_videos(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no video"):
        prepare_videos(tmp_path / "empty", tmp_path / "cache", (80, 64))
    assert main(["evaluate-pose", str(tmp_path / "none.safetensors"), "--data", str(tmp_path)]) == 1
    assert "none.safetensors: can't be read" in capsys.readouterr().err
