"""The commands as a user starts them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from planes import small_document

from training.__main__ import main
from training.fit import CHECKPOINTS

ROOT = Path(__file__).parents[2]


def test_mistakes_end_with_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("data: {bach: 3}")
    assert main(["fit", "--config", str(recipe), "--output", str(tmp_path / "run")]) == 1
    assert capsys.readouterr().err.startswith(f"[fit] {recipe}: section 'data': there is no setting 'bach'")
    assert main(["evaluate", str(tmp_path / "none.safetensors"), "--data", str(tmp_path)]) == 1
    assert "none.safetensors" in capsys.readouterr().err


def test_an_unknown_family_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = ROOT / "training" / "recipes" / "renderings.yaml"
    assert main(["render", "--config", str(config), "--output", str(tmp_path), "--families", "knee"]) == 1
    assert "there is no family 'knee'; known: colon" in capsys.readouterr().err


@pytest.mark.end_to_end
def test_two_processes_train_one_network(renderings: Path, tmp_path: Path) -> None:
    document = small_document(renderings)
    document["trainer"] |= {"devices": 2, "epoch_steps": 2, "checkpoint_steps": 2, "validation_steps": 2}
    document["optimiser"] |= {"steps": 2}
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(yaml.safe_dump(document))
    command = [sys.executable, "-m", "training", "fit", "--config", str(recipe), "--output", str(tmp_path / "run")]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr
    checkpoint = torch.load(tmp_path / "run" / CHECKPOINTS / "0000002.ckpt", weights_only=True)
    assert checkpoint["global_step"] == 2
