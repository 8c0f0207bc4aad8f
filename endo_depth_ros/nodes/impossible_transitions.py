"""Lifecycle transitions that are not possible are answered, not fatal."""

from __future__ import annotations

from lifecycle_msgs.srv import ChangeState
from rclpy.lifecycle import LifecycleNode


def answer_impossible_transitions(node: LifecycleNode) -> None:
    """Make ChangeState answer success=False where rclpy would raise out of the executor and end the process.

    Managers ask an autostarted node to configure although it is active; rclpy (Humble to Jazzy) then raises RCLError.
    """
    service = node._service_change_state
    change_state = service.callback

    def answer(request: ChangeState.Request, response: ChangeState.Response) -> ChangeState.Response:
        try:
            return change_state(request, response)
        except RuntimeError as error:
            wanted = request.transition.label or request.transition.id
            node.get_logger().warning(f"transition {wanted} is not possible now ({' '.join(str(error).split())})")
            response.success = False
            return response

    service.callback = answer
