"""Variables that processes which pass images around start with."""

from __future__ import annotations

from collections.abc import Mapping

from endo_depth_ros.nodes.fastdds_profile import environment_with_profile

# glibc returns an image-sized buffer to the kernel after each frame and pays for fresh pages at the next one; with
# these (32 MiB is the most it takes) it keeps them.
MALLOC_KEEPS_IMAGES = {"MALLOC_MMAP_THRESHOLD_": "33554432", "MALLOC_TRIM_THRESHOLD_": "536870912"}


def additional_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Variables for the processes started here, none of which the user has set."""
    tuned = {**MALLOC_KEEPS_IMAGES, **environment_with_profile(environment)}
    return {name: value for name, value in tuned.items() if environment.get(name) != value}
