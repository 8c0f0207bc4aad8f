"""Settings of a component, written once: a frozen dataclass that is also ROS parameters, YAML and help text."""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import yaml

S = TypeVar("S")
KEY = "setting"
ROS_PARAMETERS = ("use_sim_time", "qos_overrides", "start_type_description_service")


class SettingsError(ValueError):
    """A setting has a name, type or value that can't be used; the text says which, why and what would do."""


@dataclass(frozen=True)
class Rule:
    """What a setting means and which values it takes; `live` settings may change while the component runs."""

    description: str
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    live: bool = False

    def complaint(self, value: Any) -> str:
        """Why the value is not allowed, or ''."""
        unit = f" {self.unit}" if self.unit else ""
        if isinstance(value, float) and not math.isfinite(value):
            return f"is {value}; give a finite number"
        if self.minimum is not None and value < self.minimum:
            return f"is {value}{unit} but must be at least {self.minimum}{unit}"
        if self.maximum is not None and value > self.maximum:
            return f"is {value}{unit} but must be at most {self.maximum}{unit}"
        if self.choices and value not in self.choices:
            return f"is '{value}' but must be one of: {', '.join(self.choices)}"
        return ""


@dataclass(frozen=True)
class Entry:
    """One setting of a class: its name, type (bool, int, float or str), default and rule."""

    name: str
    type: type
    default: Any
    rule: Rule

    def checked(self, value: Any) -> Any:
        """The value in the setting's type. Raises SettingsError with the setting's name."""
        if self.type is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value) if abs(value) <= sys.float_info.max else math.inf
        if type(value) is not self.type:
            raise SettingsError(f"{self.name} is {value!r} ({type(value).__name__}) but must be {self.type.__name__}")
        complaint = self.rule.complaint(value)
        if complaint:
            raise SettingsError(f"{self.name} {complaint}")
        return value


def setting(
    default: Any,
    description: str,
    *,
    unit: str = "",
    minimum: float | None = None,
    maximum: float | None = None,
    choices: tuple[str, ...] = (),
    live: bool = False,
) -> Any:
    """A dataclass field that is a setting; see Rule."""
    rule = Rule(description, unit, minimum, maximum, choices, live)
    return field(default=default, metadata={KEY: rule})


def entries(cls: type) -> list[Entry]:
    """The settings of a dataclass, in order of definition."""
    hints = get_type_hints(cls)
    return [
        Entry(f.name, hints[f.name], f.default, f.metadata[KEY]) for f in dataclasses.fields(cls) if KEY in f.metadata
    ]


def make(cls: type[S], values: Mapping[str, Any]) -> S:
    """Settings with the given values and defaults for the rest.

    Raises SettingsError for an unknown name, a wrong type, a value outside its rule, or what `cls.check` refuses.
    """
    return changed(cls(), values)


def changed(settings: S, values: Mapping[str, Any]) -> S:
    """The settings with some values replaced. Raises SettingsError as `make` does."""
    known = {entry.name: entry for entry in entries(type(settings))}
    unknown = sorted(map(str, set(values) - set(known)))
    if unknown:
        raise SettingsError(f"there is no setting '{unknown[0]}'; known: {', '.join(known)}")
    checked = {name: known[name].checked(value) for name, value in values.items()}
    result: S = dataclasses.replace(settings, **checked)  # type: ignore[type-var]  # every settings class is a dataclass
    check = getattr(result, "check", None)
    if check is not None:
        check()
    return result


def load_parameter_file(path: Path, node_name: str, others: Collection[str] = ()) -> dict[str, Any]:
    """Values for node_name in a ROS parameter YAML (`/**`, `node` and `/ns/node` keys, later ones win).

    Parameters that belong to ROS itself (use_sim_time, qos_overrides) are left out, and so are those under `/**` that
    belong to other nodes, whose names are `others`.
    Raises SettingsError when the file is missing, not YAML, or not a parameter file.
    """
    try:
        document = yaml.safe_load(path.read_text())
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise SettingsError(f"{path}: not a readable YAML file ({error})") from error
    if not isinstance(document, dict):
        raise SettingsError(
            f"{path}: not a ROS parameter file; it starts with a node name or /**, then ros__parameters"
        )
    values: dict[str, Any] = {}
    for key, section in document.items():
        if not isinstance(section, dict) or not isinstance(section.get("ros__parameters"), dict):
            raise SettingsError(f"{path}: '{key}' has no ros__parameters section")
        if key == "/**":
            values.update({k: v for k, v in section["ros__parameters"].items() if k not in others})
        elif str(key).split("/")[-1] == node_name:
            values.update(section["ros__parameters"])
    return {name: value for name, value in values.items() if name not in ROS_PARAMETERS}
