"""Child processes of one run: logs in files, stopped together, their failures told in their own words."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

STOP_DEADLINE_S = 10.0
TAIL_LINES = 15


class ProcessError(RuntimeError):
    """A child process failed; the text has the end of its log."""


class ProcessGroup:
    """Starts processes with their output in log files; leaving the context stops those that still run."""

    def __init__(self, log_folder: Path, environment: Mapping[str, str]) -> None:
        """log_folder: created if needed. environment: of every child."""
        log_folder.mkdir(parents=True, exist_ok=True)
        self._logs = log_folder
        self._environment = dict(environment)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, command: Sequence[str]) -> None:
        """Start a process whose output goes to NAME.log."""
        with self.log(name).open("wb") as log:
            self._processes[name] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=self._environment
            )

    def log(self, name: str) -> Path:
        """The log file of a process."""
        return self._logs / f"{name}.log"

    def running(self, name: str) -> bool:
        """Whether the process still runs. Raises ProcessError when it failed."""
        code = self._processes[name].poll()
        if code:
            raise ProcessError(f"{name} ended with exit code {code}; {self.log(name)} ends:\n{self.tail(name)}")
        return code is None

    def tail(self, name: str) -> str:
        """The last lines of a process's log."""
        lines = self.log(name).read_text(errors="replace").splitlines()
        return "\n".join(f"  {line}" for line in lines[-TAIL_LINES:])

    def stop(self, name: str) -> None:
        """Ask a process to finish what it is doing, and wait for it; kill it when it does not."""
        process = self._processes[name]
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> ProcessGroup:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop what still runs."""
        for name in self._processes:
            self.stop(name)


def node_command(name: str, parameters: Mapping[str, object], remaps: Mapping[str, str] | None = None) -> list[str]:
    """The command line that starts a node of this package with this interpreter, wherever its script is installed."""
    command = [sys.executable, "-m", "endo_depth_ros.nodes.executables", name, "--ros-args"]
    for key, value in parameters.items():
        command += ["-p", f"{key}:={value}"]
    for old, new in (remaps or {}).items():
        command += ["-r", f"{old}:={new}"]
    return command
