"""A step of the set-up runs again exactly when its inputs changed."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "pip_ros" / "environment"))

from stamps import Stamp, fingerprint


def make_tree(root: Path) -> Path:
    """A folder with two source files."""
    package = root / "package"
    (package / "inner").mkdir(parents=True)
    (package / "pyproject.toml").write_text("[project]")
    (package / "inner" / "code.py").write_text("x = 1")
    return package


def test_same_inputs_have_the_same_fingerprint(tmp_path: Path) -> None:
    package = make_tree(tmp_path)
    assert fingerprint(tmp_path, [package], "3.11") == fingerprint(tmp_path, [package], "3.11")


def test_another_place_of_the_same_tree_has_the_same_fingerprint(tmp_path: Path) -> None:
    first, second = make_tree(tmp_path / "a"), make_tree(tmp_path / "b")
    assert fingerprint(tmp_path / "a", [first]) == fingerprint(tmp_path / "b", [second])


def test_changed_content_name_or_fact_changes_the_fingerprint(tmp_path: Path) -> None:
    package = make_tree(tmp_path)
    prints = [fingerprint(tmp_path, [package], "3.11"), fingerprint(tmp_path, [package], "3.12")]
    (package / "inner" / "code.py").write_text("x = 2")
    prints.append(fingerprint(tmp_path, [package], "3.11"))
    (package / "inner" / "code.py").rename(package / "inner" / "other.py")
    prints.append(fingerprint(tmp_path, [package], "3.11"))
    assert len(set(prints)) == 4


def test_what_builds_and_caches_leave_does_not_count(tmp_path: Path) -> None:
    package = make_tree(tmp_path)
    before = fingerprint(tmp_path, [package])
    for name in ("__pycache__/code.cpython-311.pyc", "build/lib/code.py", "package.egg-info/PKG-INFO"):
        path = package / name
        path.parent.mkdir(parents=True)
        path.write_text("left behind")
    assert fingerprint(tmp_path, [package]) == before


def test_missing_input_counts_as_nothing_and_its_arrival_is_noticed(tmp_path: Path) -> None:
    before = fingerprint(tmp_path, [tmp_path / "setup.cfg"])
    (tmp_path / "setup.cfg").write_text("[metadata]")
    assert fingerprint(tmp_path, [tmp_path / "setup.cfg"]) != before


def test_stamp_matches_only_what_was_written_and_not_removed(tmp_path: Path) -> None:
    stamp = Stamp(tmp_path / "setup" / "venv")
    assert not stamp.matches("abc")
    stamp.write("abc")
    assert stamp.matches("abc")
    assert not stamp.matches("abd")
    stamp.remove()
    assert not stamp.matches("abc")
    stamp.remove()
