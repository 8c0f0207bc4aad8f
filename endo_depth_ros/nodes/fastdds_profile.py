"""The Fast DDS profile of this package, for processes whose user has chosen none."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

# Jazzy and older read the first variable, newer ones the second.
PROFILE_VARIABLES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")
TRANSPORTS_VARIABLE = "FASTDDS_BUILTIN_TRANSPORTS"


def profile_path() -> Path | None:
    """The installed config/fastdds.xml, else the one of the source tree, else None."""
    candidates = [Path(__file__).parents[2] / "config" / "fastdds.xml"]
    # Here, so that the names above can be had without ROS. OSError: AMENT_PREFIX_PATH is not set.
    from ament_index_python.packages import PackageNotFoundError, get_package_share_directory

    with contextlib.suppress(PackageNotFoundError, ValueError, OSError):
        candidates.insert(0, Path(get_package_share_directory("endo_depth_ros")) / "config" / "fastdds.xml")
    return next((path for path in candidates if path.is_file()), None)


def environment_with_profile(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment and profile_variables."""
    return {**environment, **profile_variables(environment)}


def profile_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """For shared memory large enough for images; none where the user chose profile, transports or another RMW."""
    profile = profile_path()
    chosen = any(environment.get(name) for name in (*PROFILE_VARIABLES, TRANSPORTS_VARIABLE))
    other_rmw = not environment.get("RMW_IMPLEMENTATION", "rmw_fastrtps_cpp").startswith("rmw_fastrtps")
    if profile is None or chosen or other_rmw:
        return {}
    return dict.fromkeys(PROFILE_VARIABLES, str(profile))
