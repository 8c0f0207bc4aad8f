"""Which weights a model takes."""

import hashlib
from pathlib import Path

from endo_depth_ros.depth.network_estimator import SHIPPED_WEIGHTS
from endo_depth_ros.depth.settings import DepthSettings
from endo_depth_ros.depth.weights_choice import hash_file, weights_file


def test_weights_are_those_that_are_named_else_the_packages_own(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert weights_file(DepthSettings()) == SHIPPED_WEIGHTS
    assert weights_file(DepthSettings(weights="~/mine.safetensors")) == tmp_path / "mine.safetensors"
    assert weights_file(DepthSettings(model="shading", weights="~/mine.safetensors")) is None


def test_files_are_told_apart_by_sha_256(tmp_path: Path):
    (tmp_path / "w").write_bytes(b"weights")
    assert hash_file(tmp_path / "w") == hashlib.sha256(b"weights").hexdigest()
