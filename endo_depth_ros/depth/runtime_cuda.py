"""PyTorch on an NVIDIA GPU: half precision, channels last, replayed as a CUDA graph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn.utils import convert_conv2d_weight_memory_format

from endo_depth_ros.depth.fold_norms import fold_norms
from endo_depth_ros.depth.runtime import ByShape, LoadedNetwork, Runtime

# Convolution algorithms are chosen and memory is reserved in the first runs, which a graph must not record.
RUNS_BEFORE_CAPTURE = 3


class TorchCuda(Runtime):
    """The first NVIDIA GPU that PyTorch sees."""

    name = "torch-cuda"
    precisions = ("fp16", "fp32", "bf16")

    def __init__(self, precision: str, threads: int) -> None:
        """Threads have no meaning here."""
        super().__init__(precision, threads)
        self.device = torch.device("cuda", 0)

    @staticmethod
    def obstacle() -> str:
        """Why there is no GPU to use, or ''."""
        if torch.version.cuda is None:
            return "this PyTorch is a CPU build; install a CUDA build to use an NVIDIA GPU"
        return "" if torch.cuda.is_available() else "PyTorch sees no NVIDIA GPU; check nvidia-smi and the driver"

    def load(self, network: nn.Module, example: tuple[Tensor, ...]) -> LoadedNetwork:
        """The network on the GPU, recorded once for each input shape."""
        dtype = {"fp16": torch.float16, "fp32": torch.float32, "bf16": torch.bfloat16}[self.precision]
        folded = fold_norms(network.eval()).to(self.device, dtype)
        ready = convert_conv2d_weight_memory_format(folded, torch.channels_last)
        torch.backends.cudnn.benchmark = True  # shapes stay, so it pays to try all algorithms
        torch.backends.cudnn.allow_tf32 = False  # who asks for fp32 gets it
        return ReplayedNetwork(torch.inference_mode()(ready.forward), capture_cuda_graph)


class Graph(Protocol):
    """Work on fixed memory that can be done again."""

    def replay(self) -> None:
        """Do it."""


Capture = Callable[[Callable[[], tuple[Tensor, ...]]], tuple[Graph, tuple[Tensor, ...]]]


@dataclass(frozen=True, eq=False)
class Recording:
    """A graph, and the memory it reads and writes."""

    graph: Graph
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


class ReplayedNetwork:
    """Runs a network by replaying what was recorded at the first inputs of the same shapes."""

    def __init__(self, network: LoadedNetwork, capture: Capture) -> None:
        """capture: records a function without arguments and gives the graph and the outputs that it writes."""
        self._recordings = ByShape(lambda *inputs: record(network, capture, inputs))

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """The network's outputs; copies, since the next replay writes over the recorded ones."""
        recording = self._recordings.of(inputs)
        with torch.inference_mode():
            for held, given in zip(recording.inputs, inputs, strict=True):
                held.copy_(given)
            recording.graph.replay()
            return tuple(output.clone() for output in recording.outputs)


def record(network: LoadedNetwork, capture: Capture, inputs: tuple[Tensor, ...]) -> Recording:
    """The network's work on inputs like these, in memory of its own."""
    with torch.inference_mode():
        held = tuple(tensor.clone(memory_format=torch.contiguous_format) for tensor in inputs)
        graph, outputs = capture(lambda: network(*held))
    return Recording(graph, held, outputs)


def capture_cuda_graph(work: Callable[[], tuple[Tensor, ...]]) -> tuple[Graph, tuple[Tensor, ...]]:
    """Record the work as a CUDA graph (PyTorch manual, CUDA semantics, CUDA graphs). Raises RuntimeError."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(RUNS_BEFORE_CAPTURE):
            work()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, capture_error_mode="thread_local"):
        outputs = work()
    return graph, outputs
