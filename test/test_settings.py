"""Settings: types, ranges, files."""

from dataclasses import dataclass

import pytest

from endo_depth_ros.settings import SettingsError, changed, entries, load_parameter_file, make, setting


@dataclass(frozen=True)
class Example:
    size: int = setting(4, "Size", unit="px", minimum=1, maximum=8)
    share: float = setting(0.5, "Share", minimum=0.0)
    mode: str = setting("a", "Mode", choices=("a", "b"), live=True)
    on: bool = setting(True, "Switch")

    def check(self):
        if self.size == 8 and not self.on:
            raise SettingsError("size 8 needs on")


def test_entries_follow_the_dataclass():
    assert [(e.name, e.type, e.default) for e in entries(Example)] == [
        ("size", int, 4),
        ("share", float, 0.5),
        ("mode", str, "a"),
        ("on", bool, True),
    ]


def test_an_integer_is_good_for_a_float_but_not_the_reverse():
    assert make(Example, {"share": 2}).share == 2.0
    with pytest.raises(SettingsError, match="size is 2.0 .float. but must be int"):
        make(Example, {"size": 2.0})


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"size": 0}, "size is 0 px but must be at least 1 px"),
        ({"size": 9}, "size is 9 px but must be at most 8 px"),
        ({"share": float("nan")}, "share is nan; give a finite number"),
        ({"share": 10**400}, "share is inf; give a finite number"),
        ({1: 2, "x": 3}, "there is no setting '1'"),
        ({"mode": "c"}, "mode is 'c' but must be one of: a, b"),
        ({"on": 1}, "on is 1 .int. but must be bool"),
        ({"size": True}, "size is True .bool. but must be int"),
        ({"colour": 1}, "there is no setting 'colour'; known: size, share, mode, on"),
        ({"size": 8, "on": False}, "size 8 needs on"),
    ],
)
def test_a_bad_value_is_refused_with_its_name_and_reason(values, complaint):
    with pytest.raises(SettingsError, match=complaint):
        make(Example, values)


def test_changed_keeps_the_other_values():
    settings = changed(make(Example, {"size": 2}), {"mode": "b"})
    assert (settings.size, settings.mode) == (2, "b")


def test_parameter_file_sections_for_the_node_are_merged(tmp_path):
    file = tmp_path / "p.yaml"
    file.write_text(
        "/**: {ros__parameters: {size: 1, use_sim_time: true}}\n"
        "/scope/node_a: {ros__parameters: {size: 2, mode: b, qos_overrides: {x: 1}}}\n"
        "node_b: {ros__parameters: {size: 3}}\n"
    )
    assert load_parameter_file(file, "node_a") == {"size": 2, "mode": "b"}


@pytest.mark.parametrize(
    "text", ["", "[1]", "a: 1", "a: {b: 1}", "a: {ros__parameters: 3}", "\t: :", "\x00", "a: 2001-99-99", "[" * 3000]
)
def test_a_file_that_is_no_parameter_file_is_named(tmp_path, text):
    file = tmp_path / "p.yaml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=str(file)):
        load_parameter_file(file, "a")


def test_a_missing_parameter_file_is_named(tmp_path):
    with pytest.raises(SettingsError, match="nowhere.yaml"):
        load_parameter_file(tmp_path / "nowhere.yaml", "a")
