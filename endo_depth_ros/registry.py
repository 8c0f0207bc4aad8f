"""Named things to choose from in a parameter: estimators, runtimes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class UnknownNameError(ValueError):
    """Nothing is registered under the name; the text lists what is."""


class Registry(Generic[T]):
    """Maps names to what they stand for, in order of registration."""

    def __init__(self, kind: str) -> None:
        """kind: what the entries are, for messages ('estimator')."""
        self.kind = kind
        self._entries: dict[str, T] = {}

    def register(self, name: str) -> Callable[[T], T]:
        """Decorate a class or function to make it available as `name`. Raises ValueError when the name is taken."""

        def decorate(entry: T) -> T:
            if name in self._entries:
                raise ValueError(f"{self.kind} '{name}' is registered already")
            self._entries[name] = entry
            return entry

        return decorate

    def get(self, name: str) -> T:
        """The entry called `name`. Raises UnknownNameError."""
        if name not in self._entries:
            raise UnknownNameError(f"there is no {self.kind} '{name}'; choose one of: {', '.join(self._entries)}")
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)
