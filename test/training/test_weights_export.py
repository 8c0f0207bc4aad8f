"""A checkpoint becomes a weights file that loads, with what is known about it."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from endo_depth_ros.depth.relief import NO_DOUBT, ReliefDoubt
from endo_depth_ros.depth.weights import load_weights
from training.__main__ import main
from training.checkpoints import CheckpointError
from training.dataset import VALIDATION
from training.evaluate import evaluate
from training.export import export
from training.fit_recipe import FitRecipe
from training.module import DepthTraining
from training.recipe import recipe_document

CALIBRATED = 0.72


@pytest.fixture
def checkpoint(small_recipe: FitRecipe, tmp_path: Path) -> Path:
    """As fit writes it, of an untrained network."""
    training = DepthTraining(recipe_document(small_recipe))
    state = {"hyper_parameters": dict(training.hparams), "state_dict": training.state_dict()}
    torch.save(state, tmp_path / "0000008.ckpt")
    return tmp_path / "0000008.ckpt"


def test_exported_weights_load_and_know_their_history(checkpoint: Path, renderings: Path, tmp_path: Path) -> None:
    weights = tmp_path / "folder" / "w.safetensors"
    table = export(checkpoint, renderings / VALIDATION, weights, "cpu")
    loaded = load_weights(weights)
    state = torch.load(checkpoint, weights_only=True)["state_dict"]
    for name, value in loaded.network.state_dict().items():
        torch.testing.assert_close(value, state[f"network.{name}"], rtol=0, atol=0)
    record = loaded.record
    assert (record.input_width, record.input_height, record.licence) == (64, 64, "Apache-2.0")
    assert "learning_rate: 0.001" in record.recipe
    assert record.commit
    assert math.isfinite(record.metrics["abs_rel"])
    assert record.metrics["within_1"] == pytest.approx(CALIBRATED, abs=0.02)
    assert "floor" in table
    assert "AUSE" in table


def test_the_mean_of_several_networks_is_that_of_their_tensors(
    checkpoint: Path, renderings: Path, tmp_path: Path
) -> None:
    one, mean = tmp_path / "one.safetensors", tmp_path / "mean.safetensors"
    export(checkpoint, renderings / VALIDATION, one, "cpu")
    content = torch.load(checkpoint, weights_only=True)
    content["state_dict"] = {
        name: 3 * value if value.is_floating_point() else value for name, value in content["state_dict"].items()
    }
    torch.save(content, checkpoint)
    export(checkpoint, renderings / VALIDATION, mean, "cpu", [one])
    assert load_weights(mean).record.recipe.startswith("# averaged with one.safetensors\n")
    first, both = (load_weights(path).network.state_dict() for path in (one, mean))
    for name, value in first.items():
        torch.testing.assert_close(both[name], 2 * value if value.is_floating_point() else value)


def test_evaluation_uses_the_calibrated_sigma(checkpoint: Path, renderings: Path, tmp_path: Path) -> None:
    weights = tmp_path / "w.safetensors"
    export(checkpoint, renderings / VALIDATION, weights, "cpu")
    # Of all pixels together, as the factor is fitted; the table's last row is the mean over images.
    table = evaluate(weights, renderings / VALIDATION, 40, "cpu").splitlines()
    tenths = next(line for line in table if line.startswith("within 1 sigma, by tenths")).split(":")[1]
    assert np.mean([float(share) for share in tenths.split()]) == pytest.approx(CALIBRATED, abs=0.02)


def test_the_doubt_about_relief_is_written_and_heeded(checkpoint: Path, renderings: Path, tmp_path: Path) -> None:
    data, sure, doubtful = renderings / VALIDATION, tmp_path / "sure.safetensors", tmp_path / "doubtful.safetensors"
    first = export(checkpoint, data, sure, "cpu")
    command = ["export", str(checkpoint), "--data", str(data), "--output", str(doubtful)]
    assert main([*command, "--relief-doubt", "1.0", "170", "175"]) == 0
    before, after = load_weights(sure).record, load_weights(doubtful).record
    assert before.relief_doubt == NO_DOUBT
    assert after.relief_doubt == ReliefDoubt(1.0, 170.0, 175.0)
    assert after.sigma_factor == before.sigma_factor
    assert after.metrics["abs_rel"] != before.metrics["abs_rel"]
    assert after.scale_sigma != before.scale_sigma
    assert evaluate(doubtful, data, 40, "cpu") != evaluate(sure, data, 40, "cpu") == first


def test_a_doubt_that_can_not_be_meant_is_refused_before_anything_is_scored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["export", str(tmp_path / "none.ckpt"), "--data", str(tmp_path), "--output", str(tmp_path / "w")]
    for doubt in (("-1", "60", "80"), ("nan", "60", "80"), ("0.1", "80", "60"), ("0.1", "60", "1e39")):
        assert main([*command, "--relief-doubt", *doubt]) == 1
        assert capsys.readouterr().err.startswith("[export] relief doubt: ")


@pytest.mark.parametrize("content", [b"", b"cut"])
def test_other_files_are_refused_with_their_name(tmp_path: Path, renderings: Path, content: bytes) -> None:
    (tmp_path / "x.ckpt").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"x\.ckpt: not a readable checkpoint"):
        export(tmp_path / "x.ckpt", renderings, tmp_path / "w.safetensors", "cpu")


def test_tensors_alone_are_no_checkpoint(tmp_path: Path, renderings: Path) -> None:
    torch.save({"a": torch.zeros(1)}, tmp_path / "x.ckpt")
    with pytest.raises(CheckpointError, match="not a checkpoint of `python -m training fit`"):
        export(tmp_path / "x.ckpt", renderings, tmp_path / "w.safetensors", "cpu")
