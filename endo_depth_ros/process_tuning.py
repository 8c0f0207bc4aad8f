"""How a process that works on images uses memory and cores; before the libraries that ask are imported."""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import MutableMapping

# glibc returns an image-sized buffer to the kernel after each frame and pays for fresh pages at the next one; with
# these (mallopt(3); 32 MiB is the most it takes for the first) it keeps them.
KEPT_MEMORY = {"MALLOC_MMAP_THRESHOLD_": (-3, 32 << 20), "MALLOC_TRIM_THRESHOLD_": (-1, 512 << 20)}
# NumPy's threads wait for one another where the network has the cores: one keyframe in ten took 216 instead of 106 ms.
ONE_THREAD = ("OPENBLAS_NUM_THREADS", "1")


def tune_process(environment: MutableMapping[str, str] = os.environ) -> None:
    """Keep freed memory for the next frame, and NumPy's linear algebra on one thread; what the user has set stays."""
    environment.setdefault(*ONE_THREAD)
    if "glibc.malloc" in environment.get("GLIBC_TUNABLES", ""):
        return
    with contextlib.suppress(AttributeError, OSError, TypeError):  # only glibc has it
        mallopt = ctypes.CDLL(None).mallopt
        for variable, (parameter, value) in KEPT_MEMORY.items():
            if variable not in environment:
                mallopt(parameter, value)
