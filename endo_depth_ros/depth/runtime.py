"""Where a network runs: runtimes by name, what each needs, and the choice for this machine."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch

from endo_depth_ros.registry import Registry


class RuntimeUnavailableError(RuntimeError):
    """The runtime can't be used on this machine; the text says why and what would do."""


class Runtime(ABC):
    """Runs a torch module on one device."""

    device: torch.device

    @staticmethod
    @abstractmethod
    def obstacle() -> str:
        """Why this machine can't use the runtime, or ''."""

    @abstractmethod
    def load(self, module: torch.nn.Module) -> torch.nn.Module:
        """The module, ready to run on this runtime's device, in inference mode."""


RUNTIMES: Registry[type[Runtime]] = Registry("runtime")


@RUNTIMES.register("torch-cuda")
class TorchCuda(Runtime):
    """PyTorch on the first NVIDIA GPU."""

    def __init__(self) -> None:
        self.device = torch.device("cuda", 0)

    @staticmethod
    def obstacle() -> str:
        """Why there is no GPU to use, or ''."""
        if torch.version.cuda is None:
            return "this PyTorch is a CPU build; install a CUDA build to use an NVIDIA GPU"
        return "" if torch.cuda.is_available() else "PyTorch sees no NVIDIA GPU; check nvidia-smi and the driver"

    def load(self, module: torch.nn.Module) -> torch.nn.Module:
        """The module on the GPU."""
        return module.to(self.device).eval()


@RUNTIMES.register("torch-cpu")
class TorchCpu(Runtime):
    """PyTorch on the CPU, available wherever PyTorch is."""

    def __init__(self) -> None:
        self.device = torch.device("cpu")

    @staticmethod
    def obstacle() -> str:
        """Never any."""
        return ""

    def load(self, module: torch.nn.Module) -> torch.nn.Module:
        """The module on the CPU."""
        return module.to(self.device).eval()


DEVICES = {"auto": tuple(RUNTIMES), "cuda": ("torch-cuda",), "cpu": ("torch-cpu",)}


def select_runtime(device: str) -> Runtime:
    """The first runtime for `device` ('auto', 'cuda', 'cpu') that this machine can use.

    Raises RuntimeUnavailableError with the obstacle of each candidate.
    """
    obstacles = []
    for name in DEVICES[device]:
        runtime = RUNTIMES.get(name)
        obstacle = runtime.obstacle()
        if not obstacle:
            return runtime()
        obstacles.append(f"{name}: {obstacle}")
    raise RuntimeUnavailableError(
        f"device '{device}' can't be used ({'; '.join(obstacles)}); set device to auto or cpu"
    )
