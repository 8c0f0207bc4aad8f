"""What --require asks of a run, such as 'absrel<0.1,coverage>0.8'."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
PATTERN = re.compile(r"\s*([A-Za-z][\w.]*)\s*(<=|>=|<|>)\s*(\S+)\s*")


class RequirementError(ValueError):
    """A requirement can't be understood; the text says which, why and what to write."""


@dataclass(frozen=True)
class Requirement:
    """figure: its name without underscores, in lower case."""

    text: str
    figure: str
    comparison: str
    limit: float

    def unmet(self, figures: Mapping[str, float]) -> str:
        """Why the figures, by such names, don't meet it, or ''. A figure that is not known meets nothing.

        Raises RequirementError for a figure that there is not.
        """
        if self.figure not in figures:
            raise RequirementError(
                f"--require: there is no figure '{self.figure}' in this run; known: {', '.join(sorted(figures))}"
            )
        value = figures[self.figure]
        if math.isnan(value):
            return f"{self.text} is required, but {self.figure} is not known"
        if COMPARISONS[self.comparison](value, self.limit):
            return ""
        return f"{self.text} is required, but {self.figure} is {value:.4g}"


def parse_requirements(text: str) -> tuple[Requirement, ...]:
    """The requirements, separated by commas. Raises RequirementError."""
    return tuple(_parse(part) for part in text.split(","))


def plain_name(name: str) -> str:
    """A figure's name as requirements have it: abs_rel, AbsRel and absrel are one."""
    return name.replace("_", "").lower()


def _parse(part: str) -> Requirement:
    match = PATTERN.fullmatch(part)
    if match is None:
        raise RequirementError(
            f"--require: '{part.strip()}' is no requirement; write FIGURE<NUMBER or FIGURE>NUMBER, such as absrel<0.1"
        )
    figure, comparison, number = match.groups()
    try:
        limit = float(number)
    except ValueError as error:
        raise RequirementError(f"--require: '{number}' in '{part.strip()}' is no number") from error
    if math.isnan(limit):
        raise RequirementError(f"--require: nothing compares with '{number}' in '{part.strip()}'")
    return Requirement(part.strip(), plain_name(figure), comparison, limit)
