"""Where keyframes are optimised: on a thread while frames go on, or within the call."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from endo_depth_ros.pose.keyframe import Keyframe
from endo_depth_ros.pose.lie import Array
from endo_depth_ros.pose.settings import PoseSettings
from endo_depth_ros.pose.window import FactorsMaker, Window, WindowResult

MAX_PENDING = 2


class KeyframeOptimiser:
    """Owns the window; works on copies, so that the tracker's keyframes only change when it takes a result."""

    def __init__(self, settings: PoseSettings, others: Sequence[FactorsMaker] = ()) -> None:
        """others: more knowledge about keyframes, see FactorsMaker."""
        self._settings, self._others = settings, others
        self._thread = None if settings.synchronous else ThreadPoolExecutor(1, "keyframes")
        self._pending: deque[Future[WindowResult]] = deque()
        self._window: Window | None = None

    def restart(self, first: Keyframe, covariance: Array) -> None:
        """Begin a window with `first`, whose pose has this covariance [6, 6] (body frame)."""
        self.forget()
        self._window = Window(self._settings, copy.deepcopy(first), covariance, self._others)

    def forget(self) -> None:
        """Let go of the window; what is still being optimised counts no more."""
        self._pending.clear()
        self._window = None

    def submit(self, keyframe: Keyframe) -> None:
        """Optimise with one more keyframe."""
        assert self._window is not None
        if self._thread is None:
            self._pending.append(_done(self._window, copy.deepcopy(keyframe)))
        else:
            self._pending.append(self._thread.submit(self._window.add, copy.deepcopy(keyframe)))

    @property
    def is_busy(self) -> bool:
        """Whether more keyframes would only queue up."""
        return sum(not future.done() for future in self._pending) >= MAX_PENDING

    def take_result(self) -> WindowResult | None:
        """The newest result since the last call. Raises RuntimeError where the graph had no solution."""
        result = None
        while self._pending and self._pending[0].done():
            result = self._pending.popleft().result()
        return result

    def close(self) -> None:
        """Stop the thread."""
        self._pending.clear()
        if self._thread is not None:
            self._thread.shutdown(wait=True, cancel_futures=True)


def _done(window: Window, keyframe: Keyframe) -> Future[WindowResult]:
    """What a thread would do, within the call."""
    future: Future[WindowResult] = Future()
    try:
        future.set_result(window.add(keyframe))
    except RuntimeError as error:
        future.set_exception(error)
    return future
