"""The runtimes by name, and the choice for this machine."""

from __future__ import annotations

from endo_depth_ros.depth.runtime import Runtime, RuntimeUnavailableError
from endo_depth_ros.depth.runtime_cpu import TorchCpu
from endo_depth_ros.depth.runtime_cuda import TorchCuda
from endo_depth_ros.depth.runtime_openvino import OpenVino
from endo_depth_ros.depth.settings import DepthSettings
from endo_depth_ros.registry import Registry

RUNTIMES: Registry[type[Runtime]] = Registry("runtime")
for _runtime in (TorchCuda, OpenVino, TorchCpu):  # the fastest first
    RUNTIMES.register(_runtime.name)(_runtime)

DEVICE_TYPES = {"auto": ("cuda", "cpu"), "cuda": ("cuda",), "cpu": ("cpu",)}
DEVICE_TYPE_OF = {"torch-cuda": "cuda", "openvino": "cpu", "torch-cpu": "cpu"}


def select_runtime(settings: DepthSettings) -> Runtime:
    """The first runtime that the settings allow and this machine can use.

    Raises RuntimeUnavailableError with the obstacle of each candidate.
    """
    obstacles = []
    for name in RUNTIMES:
        if settings.runtime in ("auto", name) and DEVICE_TYPE_OF[name] in DEVICE_TYPES[settings.device]:
            runtime = RUNTIMES.get(name)
            obstacle = find_obstacle(runtime, settings.precision)
            if not obstacle:
                return runtime(settings.precision, settings.cpu_threads)
            obstacles.append(f"{name}: {obstacle}")
    reasons = "; ".join(obstacles) or "that runtime is for another device"
    raise RuntimeUnavailableError(
        f"device '{settings.device}' with runtime '{settings.runtime}' and precision '{settings.precision}' can't be "
        f"used ({reasons}); set all three to auto, or device to cpu"
    )


def find_obstacle(runtime: type[Runtime], precision: str) -> str:
    """Why the runtime can't be used in this precision on this machine, or ''."""
    if precision not in ("auto", *runtime.precisions):
        return f"it offers no {precision}, only {' and '.join(runtime.precisions)}"
    return runtime.obstacle()
