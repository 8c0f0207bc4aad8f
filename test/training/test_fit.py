"""A small training runs, stops, goes on, and says what keeps it from doing so."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from endo_depth_ros.depth.network import DepthNetwork, NetworkConfig
from endo_depth_ros.depth.relief import NO_DOUBT
from endo_depth_ros.depth.weights import WeightsRecord, save_weights
from training.checkpoints import CheckpointError, load_checkpoint, newest_checkpoint, read_network
from training.dataset import DataError, Sample
from training.fit import CHECKPOINTS, fit
from training.fit_recipe import FitRecipe, OptimiserSettings
from training.module import DepthTraining, TrainingDivergedError, parameter_groups, rate_share, untrained

# Differences between a training that was killed and resumed and one that was not, relative; it is 0 on most machines.
RESUME_TOLERANCE = 1e-4


class KilledError(Exception):
    """Stands for the end of the process."""


@pytest.fixture(autouse=True)
def keep_threads() -> Any:
    """Fit sets the threads of its process."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def curve(output: Path, name: str) -> dict[int, float]:
    """A curve of the training by step."""
    files = sorted(output.rglob("events.*"))
    events = [event for file in files for event in EventAccumulator(str(file)).Reload().Scalars(name)]
    return {event.step: event.value for event in events}


def kill_at(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """End the training before a step."""
    whole = DepthTraining.training_step

    def step_or_die(self: DepthTraining, batch: Sample, batch_index: int) -> torch.Tensor:
        if self.global_step == step:
            raise KilledError
        return whole(self, batch, batch_index)

    monkeypatch.setattr(DepthTraining, "training_step", step_or_die)


def test_a_training_begins_from_imagenet_or_from_a_weights_file(small_recipe: FitRecipe, tmp_path: Path) -> None:
    path, config = tmp_path / "trained.safetensors", NetworkConfig()
    network = DepthNetwork(config).eval()
    record = WeightsRecord(config, 320, 256, 1.0, NO_DOUBT, 0.4, "recipe", "0000000", {}, "Apache-2.0")
    save_weights(path, network, record)
    begun = untrained(small_recipe, path).network.state_dict()
    for name, value in network.state_dict().items():
        torch.testing.assert_close(begun[name], value, rtol=0, atol=0)
    name = next(name for name in begun if name.startswith("encoder") and begun[name].ndim == 4)
    assert not torch.equal(begun[name], untrained(small_recipe).network.state_dict()[name])


def test_a_resumed_training_is_the_training_that_was_not_killed(
    small_recipe: FitRecipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit(small_recipe, tmp_path / "whole", resume=False)
    with monkeypatch.context() as patched:
        kill_at(patched, 5)
        with pytest.raises(KilledError):
            fit(small_recipe, tmp_path / "killed", resume=False)
    assert newest_checkpoint(tmp_path / "killed" / CHECKPOINTS).stem == "0000004"
    fit(small_recipe, tmp_path / "killed", resume=True)

    losses = [curve(tmp_path / name / "curves", "train/total") for name in ("whole", "killed")]
    assert set(losses[0]) == set(range(8))
    assert losses[1] == pytest.approx(losses[0], rel=RESUME_TOLERANCE)
    states = [load_checkpoint(tmp_path / name / CHECKPOINTS / "0000008.ckpt") for name in ("whole", "killed")]
    for part in ("state_dict", "current_model_state"):
        for name, value in states[0][part].items():
            torch.testing.assert_close(states[1][part][name], value, rtol=RESUME_TOLERANCE, atol=1e-6)


def test_a_training_leaves_checkpoints_curves_and_its_recipe(small_recipe: FitRecipe, tmp_path: Path) -> None:
    fit(small_recipe, tmp_path, resume=False)
    names = {path.name for path in (tmp_path / CHECKPOINTS).iterdir()}
    assert names == {"0000008.ckpt", "best.ckpt"}
    assert set(curve(tmp_path / "curves", "validation/abs_rel")) == {3, 7}
    assert curve(tmp_path / "curves", "family_abs_rel/wall")
    assert (tmp_path / "recipe.yaml").read_text().startswith("data:")
    network, recipe = read_network(tmp_path / CHECKPOINTS / "best.ckpt")
    assert recipe == small_recipe
    assert not network.training
    with pytest.raises(CheckpointError, match="--resume"):
        fit(small_recipe, tmp_path, resume=False)


def test_the_last_step_has_a_checkpoint_whenever_it_comes(small_recipe: FitRecipe, tmp_path: Path) -> None:
    recipe = replace(small_recipe, optimiser=replace(small_recipe.optimiser, steps=5))
    fit(recipe, tmp_path, resume=False)
    newest = newest_checkpoint(tmp_path / CHECKPOINTS)
    assert newest.stem == "0000005"
    content = load_checkpoint(newest)
    assert content["global_step"] == 5
    assert content["current_model_state"].keys() == content["state_dict"].keys()
    fit(small_recipe, tmp_path, resume=True)
    assert newest_checkpoint(tmp_path / CHECKPOINTS).stem == "0000008"


def test_a_loss_that_is_no_number_stops_the_training_and_keeps_the_last_checkpoint(
    small_recipe: FitRecipe, tmp_path: Path
) -> None:
    wild = dataclasses.replace(small_recipe.optimiser, learning_rate=1.0, warm_up_steps=0, clip_norm=0.0)
    poisoned = dataclasses.replace(small_recipe, optimiser=wild)
    original = DepthTraining.forward

    def poison(self: DepthTraining, batch: Sample) -> tuple[torch.Tensor, torch.Tensor]:
        log_depth, log_b = original(self, batch)
        return (log_depth * float("nan"), log_b) if self.training and self.global_step == 3 else (log_depth, log_b)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(DepthTraining, "forward", poison)
        with pytest.raises(TrainingDivergedError, match=r"the loss is nan at step 3; the last checkpoint is good"):
            fit(poisoned, tmp_path, resume=False)
    assert newest_checkpoint(tmp_path / CHECKPOINTS).stem == "0000002"


def test_without_renderings_there_is_a_sentence(small_recipe: FitRecipe, tmp_path: Path) -> None:
    empty = dataclasses.replace(small_recipe, data=dataclasses.replace(small_recipe.data, folder=str(tmp_path)))
    with pytest.raises(DataError, match="holds no rendered sequences"):
        fit(empty, tmp_path / "run", resume=False)


def test_nothing_to_resume_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no readable checkpoint; start without --resume"):
        newest_checkpoint(tmp_path)


def test_a_damaged_checkpoint_is_passed_over(small_recipe: FitRecipe, tmp_path: Path) -> None:
    fit(small_recipe, tmp_path, resume=False)
    whole = tmp_path / CHECKPOINTS / "0000008.ckpt"
    (tmp_path / CHECKPOINTS / "0000010.ckpt").write_bytes(whole.read_bytes()[:100_000])
    (tmp_path / CHECKPOINTS / "0000012.ckpt").write_bytes(b"cut")
    assert newest_checkpoint(tmp_path / CHECKPOINTS) == whole


def test_every_parameter_is_optimised_once(small_recipe: FitRecipe) -> None:
    network = DepthTraining(dataclasses.asdict(small_recipe)).network
    groups = parameter_groups(network, small_recipe.optimiser)
    chosen = [id(parameter) for group in groups for parameter in group["params"]]
    assert sorted(chosen) == sorted(id(parameter) for parameter in network.parameters())
    assert all(parameter.ndim == 1 for group in groups if not group["weight_decay"] for parameter in group["params"])


def test_the_learning_rate_warms_up_holds_and_falls() -> None:
    settings = OptimiserSettings(steps=100, warm_up_steps=10, constant_share=0.5, final_share=0.1)
    shares = [rate_share(step, settings) for step in (0, 4, 9, 50, 75, 100, 200)]
    assert shares == pytest.approx([0.1, 0.5, 1.0, 1.0, 0.55, 0.1, 0.1])
