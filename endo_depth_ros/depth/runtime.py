"""What a network runs on: the interface of runtimes."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar, Generic, TypeVar

import torch
from torch import Tensor, nn

# More threads than this gain little on networks of this size and take cores from the rest of the robot.
MOST_AUTOMATIC_THREADS = 4
MAX_SHAPES = 8

LoadedNetwork = Callable[..., tuple[Tensor, ...]]
T = TypeVar("T")


class RuntimeUnavailableError(RuntimeError):
    """The runtime can't be used on this machine; the text says why and what would do."""


class Runtime(ABC):
    """Runs networks on one device. Subclasses: runtime_*.py; chosen by `runtimes.select_runtime`."""

    name: ClassVar[str]
    precisions: ClassVar[tuple[str, ...]]  # what it offers, the default first
    device: torch.device

    def __init__(self, precision: str, threads: int) -> None:
        """precision: one of `precisions`, or auto. threads: on the CPU, 0 for as many as cores, at most 4."""
        self.precision = self.automatic_precision() if precision == "auto" else precision
        self.threads = automatic_threads(threads)

    @staticmethod
    @abstractmethod
    def obstacle() -> str:
        """Why this machine can't use the runtime, or ''."""

    @classmethod
    def automatic_precision(cls) -> str:
        """What auto means on this machine: the default, unless a runtime knows better."""
        return cls.precisions[0]

    @abstractmethod
    def load(self, network: nn.Module, example: tuple[Tensor, ...]) -> LoadedNetwork:
        """The network, ready for tensors of any shape on the runtime's device; prepared anew at each new shape.

        Takes the module over: it is not to be used elsewhere. `example`: inputs on the CPU, as small as may be.
        What it returns belongs to the caller.
        """


class ByShape(Generic[T]):
    """What was prepared for the input shapes of late; the one that was prepared first goes when there are too many."""

    def __init__(self, prepare: Callable[..., T]) -> None:
        """prepare: makes it from the first inputs of a shape. It must not hold its holder: cycles keep memory."""
        self._prepare = prepare
        self._prepared: dict[tuple[torch.Size, ...], T] = {}

    def of(self, inputs: tuple[Tensor, ...]) -> T:
        """What belongs to the shapes of these inputs."""
        shapes = tuple(tensor.shape for tensor in inputs)
        if shapes not in self._prepared:
            if len(self._prepared) == MAX_SHAPES:
                del self._prepared[next(iter(self._prepared))]
            self._prepared[shapes] = self._prepare(*inputs)
        return self._prepared[shapes]


def automatic_threads(threads: int) -> int:
    """The number itself, for 0 as many as there are cores, at most MOST_AUTOMATIC_THREADS."""
    return threads or min(available_cores(), MOST_AUTOMATIC_THREADS)


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
