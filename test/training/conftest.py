"""A small data set and a small recipe."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("pytorch_lightning", reason="training is optional: pip install .[train]")

from planes import FAMILIES, small_document, write_planes

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
