"""Recipes: YAML files whose sections are settings of one component each."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import yaml

from endo_depth_ros.settings import SettingsError, make

R = TypeVar("R")


class RecipeError(ValueError):
    """The recipe can't be used; the text says which file, section and key, and what would do."""


def load_recipe(path: Path, recipe_class: type[R]) -> R:
    """The recipe in a YAML file: one mapping per field of recipe_class, defaults for what is left out.

    Raises RecipeError for a missing or unreadable file, unknown sections and keys, wrong types, values out of range.
    """
    try:
        document = yaml.safe_load(path.read_text())
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise RecipeError(f"{path}: not a readable YAML file ({error})") from error
    try:
        return make_recipe(document or {}, recipe_class)
    except RecipeError as error:
        raise RecipeError(f"{path}: {error}") from error


def make_recipe(document: Any, recipe_class: type[R]) -> R:
    """The recipe in nested mappings. Raises RecipeError."""
    if not isinstance(document, dict):
        raise RecipeError(f"a recipe is a mapping of sections, not {type(document).__name__}")
    hints = get_type_hints(recipe_class)
    known = [section.name for section in dataclasses.fields(recipe_class)]  # type: ignore[arg-type]  # recipes are dataclasses
    unknown = sorted(str(name) for name in document if name not in known)
    if unknown:
        raise RecipeError(f"there is no section '{unknown[0]}'; known: {', '.join(known)}")
    sections: dict[str, Any] = {}
    for name in known:
        values = document.get(name) or {}
        if not isinstance(values, dict):
            raise RecipeError(f"section '{name}' is {values!r} but must be a mapping of settings")
        try:
            sections[name] = make(hints[name], values)
        except SettingsError as error:
            raise RecipeError(f"section '{name}': {error}") from error
    return recipe_class(**sections)


def recipe_document(recipe: Any) -> dict[str, dict[str, Any]]:
    """The recipe as nested mappings that make_recipe takes."""
    return dataclasses.asdict(recipe)
