"""Recipes say what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.fit_recipe import FitRecipe
from training.motion.recipe import MotionRecipe
from training.recipe import RecipeError, load_recipe, make_recipe, recipe_document
from training.render import RenderingRecipe

RECIPES = Path(__file__).parents[2] / "training" / "recipes"


def test_the_shipped_recipes_load() -> None:
    assert load_recipe(RECIPES / "synthetic.yaml", FitRecipe).data.width % 32 == 0
    assert load_recipe(RECIPES / "renderings.yaml", RenderingRecipe).renderings.projection == "stereographic"
    assert load_recipe(RECIPES / "clips.yaml", RenderingRecipe).renderings.projection == "pinhole"
    assert load_recipe(RECIPES / "pose.yaml", MotionRecipe).data.batch > 0


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("clips: 3", "set projection to pinhole, or clips to 0"),
        ("hfov_max_deg: 150", "degrees from the axis, more than 88"),
        ("projection: fisheye", "projection is 'fisheye' but must be one of: stereographic, pinhole"),
    ],
)
def test_renderings_that_no_network_could_use_are_refused(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(f"renderings: {{{text}}}")
    with pytest.raises(RecipeError, match=sentence):
        load_recipe(path, RenderingRecipe)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("dta: {}", "there is no section 'dta'"),
        ("data: {bach: 3}", "section 'data': there is no setting 'bach'"),
        ("data: {batch: twelve}", "section 'data': batch is 'twelve' (str) but must be int"),
        ("data: {width: 300}", "width is 300 but must be a multiple of 32"),
        ("data: {batch: 2, pairs: 2}", "2 pairs do not fit in a batch of 2"),
        ("data: 3", "section 'data' is 3 but must be a mapping"),
        ("- 1", "a recipe is a mapping of sections"),
        ("data: [", "not a readable YAML file"),
        ("trainer: {precision: int8}", "precision is 'int8' but must be one of"),
        ("optimiser: {learning_rate: .nan}", "learning_rate is nan"),
    ],
)
def test_mistakes_are_one_sentence_with_the_file(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    with pytest.raises(RecipeError) as raised:
        load_recipe(path, FitRecipe)
    assert sentence in str(raised.value)
    assert str(path) in str(raised.value)


def test_a_recipe_survives_its_document(small_recipe: FitRecipe) -> None:
    assert make_recipe(recipe_document(small_recipe), FitRecipe) == small_recipe


def test_sizes_grow_on_the_way(small_recipe: FitRecipe) -> None:
    schedule = small_recipe.schedule()
    assert [schedule.size(batch) for batch in (0, 3, 4, 100)] == [(64, 32), (64, 32), (64, 64), (64, 64)]
