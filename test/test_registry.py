"""Registry: names to things."""

import pytest

from endo_depth_ros.registry import Registry, UnknownNameError


def test_an_unknown_name_is_answered_with_the_known_ones():
    registry: Registry[int] = Registry("number")
    registry.register("one")(1)
    registry.register("two")(2)
    assert registry.get("two") == 2
    assert list(registry) == ["one", "two"]
    with pytest.raises(UnknownNameError, match="no number 'three'; choose one of: one, two"):
        registry.get("three")


def test_a_name_is_taken_once():
    registry: Registry[int] = Registry("number")
    registry.register("one")(1)
    with pytest.raises(ValueError, match="registered already"):
        registry.register("one")(2)
