"""Message classes and definitions by type name."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory

from endo_depth_ros.bags.messages import definition_of

SEPARATOR = "=" * 80
PRIMITIVES = {
    "bool", "byte", "char", "float32", "float64", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64",
    "uint64", "string", "wstring",
}  # fmt: skip


class UnknownTypeError(ValueError):
    """The message type is not installed; the text names its package."""


def message_class(type_name: str) -> Any:
    """The class of a type such as sensor_msgs/msg/Image. Raises UnknownTypeError that names the missing package."""
    package, _, name = type_name.partition("/msg/")
    try:
        return getattr(importlib.import_module(f"{package}.msg"), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise UnknownTypeError(
            f"the message type {type_name} is not installed; install the package {package} (ros-<distro>-"
            f"{package.replace('_', '-')})"
        ) from error


def full_definition(type_name: str) -> str:
    """The type's definition and those it needs, as a bag keeps them; '' where they can't be found.

    Standard types come from the bag library, others from the .msg files that their packages install.
    """
    standard = definition_of(type_name)
    if standard:
        return standard
    parts: dict[str, str] = {}
    pending = [type_name]
    while pending:
        name = pending.pop(0)
        if name in parts:
            continue
        text = _read_definition(name)
        if text is None:
            return ""
        parts[name] = text
        pending += _nested_types(name, text)
    first = parts.pop(type_name)
    nested = [f"{SEPARATOR}\nMSG: {name.replace('/msg/', '/')}\n{text}" for name, text in parts.items()]
    return "\n".join([first, *nested])


def _read_definition(type_name: str) -> str | None:
    package, _, name = type_name.partition("/msg/")
    try:
        return (Path(get_package_share_directory(package)) / "msg" / f"{name}.msg").read_text()
    except (PackageNotFoundError, OSError, ValueError):
        return None


def _nested_types(type_name: str, text: str) -> list[str]:
    package = type_name.partition("/")[0]
    found = []
    for line in text.splitlines():
        match = re.match(r"\s*([A-Za-z][\w/]*)(\S*)\s+\w+", line.partition("#")[0])
        if match is None or match[1] in PRIMITIVES:
            continue
        *prefix, name = match[1].split("/")
        found.append(f"{prefix[0] if prefix else package}/msg/{name}")
    return found
