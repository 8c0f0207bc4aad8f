"""A BufferCore that can be waited on, and that forgets when the clock jumps back."""

from collections.abc import Callable

from builtin_interfaces.msg import Time as TimeMessage
from geometry_msgs.msg import TransformStamped
from rclpy.clock import JumpThreshold, TimeJump
from rclpy.duration import Duration
from rclpy.logging import get_logger
from rclpy.node import Node
from rclpy.task import Future
from rclpy.time import Time

from tf2_ros.buffer_core import BufferCore
from tf2_ros.exceptions import TransformException

NO_WAIT = Duration()


class Buffer(BufferCore):
    """Transforms by name and time.

    With a node, a jump of its clock (simulated time only) back by a second or more clears the buffer. A timeout
    blocks the caller, so some other thread has to spin the listener's node meanwhile.
    """

    def __init__(self, cache_time: Duration | None = None, node: Node | None = None) -> None:
        super().__init__(cache_time)
        self._awaited: list[tuple[Future, Callable[[], TransformStamped]]] = []
        if node is not None:
            threshold = JumpThreshold(min_forward=None, min_backward=Duration(seconds=-1), on_clock_change=True)
            self.jump_handle = node.get_clock().create_jump_callback(threshold, post_callback=self.time_jump_callback)

    def time_jump_callback(self, time_jump: TimeJump) -> None:
        """Clear the buffer."""
        get_logger("tf2_buffer").warning("Detected jump back in time. Clearing tf buffer.")
        self.clear()

    def set_transform(self, transform: TransformStamped, authority: str) -> None:
        """Take in a transform that changes with time, and answer who waits for it."""
        super().set_transform(transform, authority)
        self._answer_awaited()

    def set_transform_static(self, transform: TransformStamped, authority: str) -> None:
        """Take in a transform that holds at all times, and answer who waits for it."""
        super().set_transform_static(transform, authority)
        self._answer_awaited()

    def lookup_transform(
        self, target_frame: str, source_frame: str, time: Time | TimeMessage, timeout: Duration = NO_WAIT
    ) -> TransformStamped:
        """Return the transform that moves points of `source_frame` into `target_frame` (time 0: the latest).

        Waits for it up to `timeout`, then raises the TransformException that says what is missing.
        """
        if timeout.nanoseconds:
            self.can_transform(target_frame, source_frame, time, timeout)
        return self.lookup_transform_core(target_frame, source_frame, time)

    def lookup_transform_full(
        self,
        target_frame: str,
        target_time: Time | TimeMessage,
        source_frame: str,
        source_time: Time | TimeMessage,
        fixed_frame: str,
        timeout: Duration = NO_WAIT,
    ) -> TransformStamped:
        """Return the transform from `source_frame` at one time to `target_frame` at another, through `fixed_frame`."""
        if timeout.nanoseconds:
            self.can_transform_full(target_frame, target_time, source_frame, source_time, fixed_frame, timeout)
        return self.lookup_transform_full_core(target_frame, target_time, source_frame, source_time, fixed_frame)

    async def lookup_transform_async(
        self, target_frame: str, source_frame: str, time: Time | TimeMessage
    ) -> TransformStamped:
        """Return the transform once it can be had."""
        await self.wait_for_transform_async(target_frame, source_frame, time)
        return self.lookup_transform_core(target_frame, source_frame, time)

    def can_transform(
        self,
        target_frame: str,
        source_frame: str,
        time: Time | TimeMessage,
        timeout: Duration = NO_WAIT,
        return_debug_tuple: bool = False,
    ) -> bool | tuple[bool, str]:
        """Return whether the transform can be had within `timeout`; with `return_debug_tuple` also why not."""
        answer = self._wait(lambda: self.can_transform_core(target_frame, source_frame, time), timeout)
        return answer if return_debug_tuple else answer[0]

    def can_transform_full(
        self,
        target_frame: str,
        target_time: Time | TimeMessage,
        source_frame: str,
        source_time: Time | TimeMessage,
        fixed_frame: str,
        timeout: Duration = NO_WAIT,
        return_debug_tuple: bool = False,
    ) -> bool | tuple[bool, str]:
        """Return whether the transform by way of `fixed_frame` can be had within `timeout`, and on request why not."""
        answer = self._wait(
            lambda: self.can_transform_full_core(target_frame, target_time, source_frame, source_time, fixed_frame),
            timeout,
        )
        return answer if return_debug_tuple else answer[0]

    def wait_for_transform_async(self, target_frame: str, source_frame: str, time: Time | TimeMessage) -> Future:
        """Return a future of the transform."""

        def look_up() -> TransformStamped:
            return self.lookup_transform_core(target_frame, source_frame, time)

        future = Future()
        with self._changed:
            self._awaited.append((future, look_up))
        self._answer_awaited()
        return future

    def _wait(self, ask: Callable[[], tuple[bool, str]], timeout: Duration) -> tuple[bool, str]:
        answer = False, ""

        def is_possible() -> bool:
            nonlocal answer
            answer = ask()
            return answer[0]

        with self._changed:
            self._changed.wait_for(is_possible, timeout.nanoseconds * 1e-9)
        return answer

    def _answer_awaited(self) -> None:
        """Fulfil the futures whose transform has come; outside the lock, for their callbacks may ask the buffer."""
        answers = []
        with self._changed:
            awaited, self._awaited = self._awaited, []
            for future, look_up in awaited:
                if future.cancelled():
                    continue
                try:
                    answers.append((future, look_up()))
                except TransformException:
                    self._awaited.append((future, look_up))
        for future, transform in answers:
            future.set_result(transform)
