"""Makes .venv: ROS 2 wheels, pinned packages, the stand-ins of pip_ros, and this project (editable)."""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from stamps import Stamp, fingerprint
from system_check import (
    SystemLacksError,
    check_platform,
    find_missing,
    find_missing_library,
    inspect_system,
    install_or_refuse,
)

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
STATE = VENV / "setup"
WHEELS = VENV / "wheels"
LOG = STATE / "pip.log"
BUILD_LOG = STATE / "pip_ros.log"
CONSTRAINTS = ROOT / "pip_ros" / "constraints.txt"
EXTRAS = "no-ros,openvino,onnx,train,eval,test,lint"

# What the editable install reads: a change means installing the project again.
PROJECT_INPUTS = ["setup.py", "setup.cfg"]

# An editable install leaves data_files out; ament_index and the nodes look for them here.
SHARE_LINKS = {
    "share/ament_index/resource_index/packages/endo_depth_ros": "resource/endo_depth_ros",
    "share/endo_depth_ros/package.xml": "package.xml",
    "share/endo_depth_ros/launch": "launch",
    "share/endo_depth_ros/config": "config",
    "share/endo_depth_ros/rviz": "rviz",
}

# A sourced ROS distribution, another environment's ROS wheels or pip settings of another project must not get in.
FOREIGN_VARIABLES = [
    "AMENT_PREFIX_PATH",
    "CMAKE_PREFIX_PATH",
    "COLCON_PREFIX_PATH",
    "LD_LIBRARY_PATH",
    "PYTHONHOME",
    "PYTHONPATH",
    "ROS_DISTRO",
    "VIRTUAL_ENV",
    "_ROS_WHEELS_BOOTSTRAP_COMPLETE",
]

# Runs before ros_wheels_bootstrapper.pth (alphabetical order). The first line lets ament_index find the wheels. The
# second lets the bootstrapper do its work again in a child of another environment, which inherits its "done" mark.
PREFIX_PTH = """\
import os, sys; os.environ.setdefault("AMENT_PREFIX_PATH", sys.prefix)
import os, sys; f"{sys.prefix}/lib" in os.environ.get("LD_LIBRARY_PATH", "").split(":") or \
os.environ.pop("_ROS_WHEELS_BOOTSTRAP_COMPLETE", None)
"""

# What pip's output says when it fails, the most telling first: one failure shows in many lines.
TELLING_SIGNS = ["No space left", "Could not fetch URL", "connection broken by", "fatal error:", "CMake Error", "ERROR"]

IMPORTS = "import cv2, rclpy, scipy, torch, tf2_msgs.msg, tf2_ros, message_filters, tf_transformations"


class SetupError(RuntimeError):
    """The set-up can't go on; the text says why and what to do."""


def main() -> int:
    """Bring .venv up to date; returns the exit code."""
    announce_sourced_ros(os.environ)
    try:
        check_platform(inspect_system())
        VENV.mkdir(exist_ok=True)
        with only_one_at_a_time():
            update_environment()
    except (SetupError, SystemLacksError) as error:
        print(f"[set-up] {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("[set-up] interrupted; run make again to repair .venv", file=sys.stderr)
        return 130
    return 0


def update_environment() -> None:
    """Run the steps whose inputs changed since they were last finished.

    Without the stamp "venv" the environment is unfinished, whatever it holds: it is made anew.
    """
    venv_print = fingerprint(ROOT, [CONSTRAINTS], str(ROOT), sys.executable, platform.python_version(), PREFIX_PTH)
    project_print = fingerprint(ROOT, [ROOT / name for name in PROJECT_INPUTS], EXTRAS, str(SHARE_LINKS))
    stand_ins = find_stand_ins(ROOT / "pip_ros")
    stand_ins_print = fingerprint(ROOT, stand_ins)
    venv, project, pip_ros = (Stamp(STATE / name) for name in ("venv", "project", "pip_ros"))

    is_new = not venv.matches(venv_print)
    if not is_new and project.matches(project_print) and pip_ros.matches(stand_ins_print):
        return
    started = time.monotonic()
    install_or_refuse(find_missing(inspect_system()))
    if is_new:
        make_venv()
    with ThreadPoolExecutor(max_workers=1) as pool:
        # Compiling and downloading at once: on two cores this saves the time of the smaller.
        wheels = pool.submit(lambda: [build_wheel(folder) for folder in stand_ins])
        if not project.matches(project_print):
            venv.remove()
            install_project()
            project.write(project_print)
            venv.write(venv_print)
        pip_ros.remove()
        install_wheels(wheels.result())
    check_imports()
    pip_ros.write(stand_ins_print)
    print(f"[set-up] .venv is ready after {time.monotonic() - started:.0f} s; endo-depth doctor says what it has")


def announce_sourced_ros(environment: Mapping[str, str]) -> None:
    """Say so where the shell has a ROS distribution, which this environment leaves alone."""
    if environment.get("ROS_DISTRO"):
        print(
            f"[set-up] ROS 2 {environment['ROS_DISTRO']} is sourced in this shell; make is for machines without ROS "
            "and goes on in .venv, apart from it. To use that ROS, put this folder into a workspace's src/ and run: "
            "rosdep install --from-paths src -yi && colcon build --packages-select endo_depth_ros"
        )


def isolated(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without foreign ROS variables, pip held to our versions, in isolated builds as well."""
    kept = {name: value for name, value in environment.items() if name not in FOREIGN_VARIABLES}
    # pip takes several files, parted by spaces, so that a path with a space must be a URL.
    pins = CONSTRAINTS.as_uri()
    return {**kept, "PIP_CONSTRAINT": pins, "PIP_BUILD_CONSTRAINT": pins, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def find_stand_ins(folder: Path) -> list[Path]:
    """The packages of pip_ros: every folder with a pyproject.toml."""
    return sorted(path.parent for path in folder.glob("*/pyproject.toml"))


@contextmanager
def only_one_at_a_time() -> Iterator[None]:
    """Two makes in one folder take turns."""
    with (VENV / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def make_venv() -> None:
    """An empty virtual environment; wheels already built are kept."""
    print(f"[set-up] making .venv with Python {platform.python_version()} ({sys.executable})", flush=True)
    for entry in VENV.iterdir():
        if entry.name in (WHEELS.name, "setup.lock"):
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    STATE.mkdir()
    run_logged([sys.executable, "-m", "venv", str(VENV)], LOG, "could not make .venv")
    site_packages = VENV / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    (site_packages / "endo_depth_ros_prefix.pth").write_text(PREFIX_PTH)


def install_project() -> None:
    """One pip run for the project and all it depends on.

    Bytecode is left to the first import: compiling all of torch and scipy now would take longer than that.
    """
    print(f"[set-up] installing packages with pip (log: {LOG.relative_to(ROOT)})", flush=True)
    command = ["install", "--no-compile", "--use-pep517", "--editable", f"{ROOT}[{EXTRAS}]"]
    run_pip(command, LOG, "could not install the packages")
    for link, target in SHARE_LINKS.items():
        path = VENV / link
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.symlink_to(ROOT / target)


def build_wheel(folder: Path) -> Path:
    """The wheel of one pip_ros package, built unless a wheel of the same sources is there already."""
    key = fingerprint(ROOT, [folder, CONSTRAINTS], platform.python_version())[:16]
    kept = WHEELS / f"{folder.name}-{key}"
    wheel = next(kept.glob("*.whl"), None)
    if wheel is None:
        print(f"[set-up] building {folder.relative_to(ROOT)}", flush=True)
        partial = WHEELS / f"{folder.name}-unfinished"
        shutil.rmtree(partial, ignore_errors=True)
        command = ["wheel", "--no-deps", "--wheel-dir", str(partial), str(folder)]
        run_pip(command, BUILD_LOG, f"could not build {folder.relative_to(ROOT)}")
        for outdated in WHEELS.glob(f"{folder.name}-{'[0-9a-f]' * 16}"):
            shutil.rmtree(outdated)
        partial.rename(kept)
        wheel = next(kept.glob("*.whl"))
    return wheel


def install_wheels(wheels: list[Path]) -> None:
    """Put the pip_ros packages into .venv, in place of older builds of them."""
    command = ["install", "--no-compile", "--no-deps", "--force-reinstall", *map(str, wheels)]
    run_pip(command, LOG, "could not install the packages of pip_ros")


def check_imports() -> None:
    """Import what everything stands on, so that a missing system library is named here."""
    result = subprocess.run(
        [str(VENV / "bin" / "python"), "-c", IMPORTS], env=isolated(os.environ), capture_output=True, text=True
    )
    if result.returncode == 0:
        return
    missing = find_missing_library(result.stderr)
    if missing is None:
        last = (result.stderr.strip().splitlines() or ["no message"])[-1]
        raise SetupError(f"the packages in .venv can't be imported ({last}); run: rm -rf .venv && make setup")
    install_or_refuse([missing])
    check_imports()


def run_pip(arguments: list[str], log_path: Path, failure: str) -> None:
    """Run .venv's pip; raises SetupError that names the log."""
    run_logged([str(VENV / "bin" / "python"), "-m", "pip", *arguments], log_path, failure)


def run_logged(command: list[str], log_path: Path, failure: str) -> None:
    """Run a command with its output added to the log; raises SetupError with the reason found there."""
    with log_path.open("a+") as log:
        begin = log.seek(0, os.SEEK_END)
        code = subprocess.run(
            command, env=isolated(os.environ), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        ).returncode
        if code == 0:
            return
        log.seek(begin)
        reason = find_reason(list(log)) or f"exit code {code}"
    raise SetupError(
        f"{failure} ({reason}); the whole story is in {log_path.relative_to(ROOT)}. "
        "Check the network and the free disk space (about 5 GB), then run make again"
    )


def find_reason(lines: list[str]) -> str:
    """The line of pip's output that tells most about a failure, at most 200 characters; '' when none does."""
    for sign in TELLING_SIGNS:
        for line in lines:
            if sign in line:
                return line.strip()[:200]
    return ""


if __name__ == "__main__":
    sys.exit(main())
