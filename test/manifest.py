"""What package.xml and setup.py say, for the tests that compare it with what is there."""

from __future__ import annotations

import ast
import importlib
import os
import xml.etree.ElementTree as ElementTree
from functools import lru_cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def dependencies(*tags: str) -> set[str]:
    """Names in package.xml under these tags."""
    root = ElementTree.parse(ROOT / "package.xml").getroot()
    return {(element.text or "").strip() for tag in tags for element in root.findall(tag)}


def package_field(tag: str) -> str:
    """Text of one element of package.xml."""
    return (ElementTree.parse(ROOT / "package.xml").getroot().findtext(tag) or "").strip()


@lru_cache(maxsize=1)
def distribution() -> Any:
    """The distribution that setup.py describes."""
    # setuptools first: it brings distutils, which Python has no longer since 3.12.
    importlib.import_module("setuptools")
    run_setup = importlib.import_module("distutils.core").run_setup
    before = Path.cwd()
    os.chdir(ROOT)
    try:
        return run_setup("setup.py", stop_after="init")
    finally:
        os.chdir(before)


def executables() -> dict[str, str]:
    """Console scripts and the function each one runs, as module:function."""
    pairs = (script.split("=") for script in distribution().entry_points["console_scripts"])
    return {name.strip(): target.strip() for name, target in pairs}


def imported_modules(folder: str) -> dict[str, str]:
    """Top-level modules that the Python files of a folder import, each with one file that does."""
    found: dict[str, str] = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            else:
                continue
            found.update({name.split(".")[0]: str(path.relative_to(ROOT)) for name in names})
    return found
