"""Weight files of the motion network: what is saved comes back, and everything else is refused with a sentence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from endo_depth_ros.depth.network_estimator import SHIPPED_WEIGHTS
from endo_depth_ros.depth.weights import KIND as DEPTH_NETWORK
from endo_depth_ros.pose.motion_network import MotionNetwork, MotionNetworkConfig
from endo_depth_ros.pose.motion_proposal import load_proposer
from endo_depth_ros.pose.motion_weights import MotionWeightsRecord, load_motion_weights, save_motion_weights
from endo_depth_ros.pose.pipeline import PosePipeline
from endo_depth_ros.pose.settings import PoseSettings
from endo_depth_ros.weights_file import WeightsError

CONFIG = MotionNetworkConfig(channels=(8, 8, 8), hidden=8)
RECORD = MotionWeightsRecord(CONFIG, 80, 64, 2.0, 3.0, "recipe", "commit", {"turn_error_deg": 1.0}, "Apache-2.0")


@pytest.fixture
def weights_file(tmp_path: Path) -> Path:
    path = tmp_path / "motion.safetensors"
    save_motion_weights(path, MotionNetwork(CONFIG), RECORD)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(WeightsError) as caught:
        load_motion_weights(path)
    sentence = str(caught.value)
    assert sentence.startswith(f"{path}: ")
    assert "\n" not in sentence
    return sentence


def test_network_and_record_come_back(weights_file: Path) -> None:
    loaded = load_motion_weights(weights_file)
    assert loaded.record == RECORD
    assert not loaded.network.training


def test_missing_truncated_and_other_files_are_refused(weights_file: Path, tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "none.safetensors")
    assert f"its schema is '{DEPTH_NETWORK.schema}'" in refusal(SHIPPED_WEIGHTS)
    weights_file.write_bytes(weights_file.read_bytes()[:-10])
    assert "not a whole safetensors file" in refusal(weights_file)
    torch.save({"a": 1}, weights_file)
    assert "python -m training export-pose" in refusal(weights_file)


@pytest.mark.parametrize(
    "change", [{"turn_factor": -1.0}, {"input_width": 30}, {"network": replace(CONFIG, searches=0)}, {"licence": ""}]
)
def test_a_record_that_no_training_gives_is_not_saved(tmp_path: Path, change: dict[str, object]) -> None:
    with pytest.raises(WeightsError, match=next(iter(change))):
        save_motion_weights(tmp_path / "a.safetensors", MotionNetwork(CONFIG), replace(RECORD, **change))  # type: ignore[arg-type]  # wrong on purpose
    assert list(tmp_path.iterdir()) == []


def test_the_setting_names_the_shipped_network_none_or_a_file(weights_file: Path) -> None:
    assert load_proposer("none") is None
    assert load_proposer(str(weights_file)) is not None
    assert load_proposer("endo_motion_small") is not None


def test_a_pipeline_with_a_file_that_is_not_there_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"none\.safetensors: can't be read"):
        PosePipeline(PoseSettings(motion_network=str(tmp_path / "none.safetensors")))
