"""Telling a GPU that failed from an error in the program."""

from __future__ import annotations

import torch

from endo_depth_ros.depth.runtime import RuntimeUnavailableError

# What PyTorch's RuntimeErrors of a lost or broken device say.
DEVICE_WORDS = ("CUDA", "CUBLAS", "cuBLAS", "CUDNN", "cuDNN")


def is_device_failure(error: RuntimeError) -> bool:
    """Whether the GPU ran out of memory, was lost, or can't be used any more."""
    if isinstance(error, RuntimeUnavailableError):
        return False
    return isinstance(error, torch.cuda.OutOfMemoryError) or any(word in str(error) for word in DEVICE_WORDS)


def describe_failure(error: RuntimeError) -> str:
    """What happened to the GPU, with PyTorch's reason."""
    reason = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
    if isinstance(error, torch.cuda.OutOfMemoryError):
        return f"the GPU's memory is full ({reason})"
    return f"the GPU failed ({reason})"
