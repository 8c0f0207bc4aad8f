"""What the lifecycle nodes that answer frames share: autostart, a worker, the count of frames, diagnostics."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from typing import Any, Generic, Protocol, TypeVar

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.task import Future
from std_msgs.msg import Header

from endo_depth_ros.nodes.complaints import Complaints
from endo_depth_ros.nodes.frame_slot import FrameSlot
from endo_depth_ros.nodes.impossible_transitions import answer_impossible_transitions
from endo_depth_ros.nodes.latency import LatencyMeter
from endo_depth_ros.nodes.messages import diagnostic, diagnostics_message
from endo_depth_ros.nodes.runner import StartError
from endo_depth_ros.stamps import NANOSECONDS

DIAGNOSTICS_PERIOD_S = 1.0

Incoming = TypeVar("Incoming")


class FrameNodeSettings(Protocol):
    """The parameters that FrameNode reads."""

    @property
    def autostart(self) -> bool:
        """Configure and activate at once."""

    @property
    def synchronous(self) -> bool:
        """Answer in the subscription's callback, without a worker."""

    @property
    def processing(self) -> str:
        """'every' frame, queued, or the newest."""

    @property
    def queue_size(self) -> int:
        """Frames that wait under 'every'."""


class FrameNode(LifecycleNode, ABC, Generic[Incoming]):
    """Lifecycle node that answers frames one after the other, on a thread of its own unless `synchronous`.

    A subclass loads and listens, puts what arrives into `_slot` and takes it out in `_work`.
    """

    def __init__(self, name: str, **node_options: Any) -> None:
        """The subclass calls `_start_if_wanted` at the end of its own."""
        super().__init__(name, **node_options)
        self.done: Future = Future()
        self._complaints = Complaints(self.get_logger())
        self._latency = LatencyMeter()
        self._slot: FrameSlot[Incoming] = FrameSlot()
        self._dropped_before = 0
        self._worker: threading.Thread | None = None
        self._is_active = False
        self._received = 0
        self._last_received_ns = 0
        self._failure = ""
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        # By the steady clock: they must go on in simulated time that stands still.
        self._steady_clock = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(DIAGNOSTICS_PERIOD_S, self._publish_diagnostics, clock=self._steady_clock)
        answer_impossible_transitions(self)

    @property
    @abstractmethod
    def settings(self) -> FrameNodeSettings:
        """The parameters as they are now."""

    # What a subclass does

    @abstractmethod
    def _load(self) -> None:
        """Make what is needed to work. Raises RuntimeError, ValueError or OSError with the reason why it can't."""

    @abstractmethod
    def _listen(self) -> None:
        """Subscribe."""

    @abstractmethod
    def _fall_silent(self) -> None:
        """Undo `_listen`."""

    @abstractmethod
    def _unload(self) -> None:
        """Undo `_load`; also called when nothing is loaded."""

    @abstractmethod
    def _work(self) -> None:
        """Answer frames until `_slot` is closed; runs in the worker."""

    @abstractmethod
    def _look_for_faults(self, silent_s: float) -> str:
        """Complain of what is missing while active; what is stale after silent_s without frames, '' when nothing is."""

    @abstractmethod
    def _diagnostic_values(self) -> dict[str, object]:
        """Values of the diagnostics besides those that all nodes have."""

    # Lifecycle

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load; FAILURE with the reason in the log."""
        try:
            self._load()
        except (RuntimeError, ValueError, OSError) as error:
            self._failure = str(error)
            self.get_logger().error(f"can't configure: {error}")
            return TransitionCallbackReturn.FAILURE
        return TransitionCallbackReturn.SUCCESS

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Start to listen and to work."""
        result = super().on_activate(state)
        self._last_received_ns = time.monotonic_ns()
        self._slot = FrameSlot(self.settings.queue_size if self.settings.processing == "every" else 1)
        self._is_active = True
        if not self.settings.synchronous:
            self._worker = threading.Thread(target=self._work, name=f"{self.get_name()} worker", daemon=True)
            self._worker.start()
        self._listen()
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop to listen; the frame in work is finished."""
        self._stop()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Release what was loaded."""
        self._unload()
        return TransitionCallbackReturn.SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop and release everything."""
        self._stop()
        self._unload()
        return TransitionCallbackReturn.SUCCESS

    def destroy_node(self) -> None:
        """Stop the worker before its publishers go."""
        self._stop()
        self._unload()
        super().destroy_node()

    def _start_if_wanted(self) -> None:
        """Configure and activate under autostart. Raises StartError when that fails."""
        if not self.settings.autostart:
            return
        if self.trigger_configure() != TransitionCallbackReturn.SUCCESS:
            raise StartError(self._failure)
        self.trigger_activate()

    def _stop(self) -> None:
        if not self._is_active:
            return
        self._is_active = False
        self._fall_silent()
        self._slot.close()
        self._dropped_before += self._slot.dropped
        self._slot.dropped = 0
        if self._worker is not None:
            self._worker.join()
            self._worker = None

    # Counts and diagnostics

    def _count_received(self, received_ns: int) -> None:
        """One more frame came in, at received_ns of the steady clock."""
        self._received += 1
        self._last_received_ns = received_ns

    @property
    def _dropped(self) -> int:
        return self._dropped_before + self._slot.dropped

    def _publish_diagnostics(self) -> None:
        silent_s = (time.monotonic_ns() - self._last_received_ns) / NANOSECONDS
        stale = self._look_for_faults(silent_s) if self._is_active else ""
        counts = self._complaints.counts
        level, message = DiagnosticStatus.OK, "working" if self._is_active else "inactive"
        if stale:
            level, message = DiagnosticStatus.STALE, stale
        elif counts:
            level, message = DiagnosticStatus.WARN, "complaints so far: " + ", ".join(sorted(counts))
        values: dict[str, object] = {
            **self._diagnostic_values(),
            "received_frames": self._received,
            "answered_frames": self._latency.frames,
            "dropped_frames": self._dropped,
            "rate_hz": f"{self._latency.rate_hz():.2f}",
            "latency_p50_ms": f"{self._latency.percentile_ms(50):.2f}",
            "latency_p99_ms": f"{self._latency.percentile_ms(99):.2f}",
            **counts,
        }
        header = Header(stamp=self.get_clock().now().to_msg())
        status = diagnostic(self.get_fully_qualified_name(), level, message, values)
        self._diagnostics.publish(diagnostics_message(header, [status]))
