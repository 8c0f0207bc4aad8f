"""A small data set and a small recipe."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("pytorch_lightning", reason="training is optional: pip install .[train]")

from planes import FAMILIES, write_planes

from training.dataset import TRAINING, VALIDATION
from training.fit_recipe import FitRecipe
from training.recipe import make_recipe
from training.sequence_file import SUFFIX


@pytest.fixture(scope="session")
def renderings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set folder: two families, two training and one validation sequence of each. Do not change it."""
    folder = tmp_path_factory.mktemp("renderings")
    for index, family in enumerate(FAMILIES * 2):
        write_planes(folder / TRAINING / family / f"{index:07d}{SUFFIX}", family, index)
    for index, family in enumerate(FAMILIES):
        write_planes(folder / VALIDATION / family / f"{1_000_000 + index:07d}{SUFFIX}", family, 1_000_000 + index)
    return folder


@pytest.fixture
def small_recipe(renderings: Path) -> FitRecipe:
    """A training of eight steps that takes seconds."""
    return make_recipe(small_document(renderings), FitRecipe)


def small_document(folder: Path) -> dict[str, dict[str, object]]:
    """The small recipe as a document."""
    return {
        "data": {
            "folder": str(folder),
            "batch": 4,
            "pairs": 1,
            "width": 64,
            "height": 64,
            "first_width": 64,
            "first_height": 32,
            "first_share": 0.5,
            "workers": 0,
        },
        "optimiser": {"steps": 8, "warm_up_steps": 2, "learning_rate": 1e-3},
        "trainer": {
            "accelerator": "cpu",
            "precision": "32-true",
            "cpu_threads": 1,
            "epoch_steps": 3,
            "checkpoint_steps": 2,
            "validation_steps": 4,
            "validation_views": 4,
            "log_steps": 1,
        },
    }
