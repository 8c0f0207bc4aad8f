"""What the nodes that answer frames share, on the least node of the kind."""

from dataclasses import dataclass

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import State

from endo_depth_ros.nodes.frame_lifecycle import FrameNode
from endo_depth_ros.nodes.runner import StartError

pytestmark = pytest.mark.ros


@dataclass(frozen=True)
class CounterSettings:
    autostart: bool = False
    synchronous: bool = False
    processing: str = "latest"
    queue_size: int = 3


class Counter(FrameNode[int]):
    """Answers numbers."""

    def __init__(self, fault="", stale="", **settings):
        super().__init__("counter")
        self._settings = CounterSettings(**settings)
        self.fault, self.stale, self.calls, self.answered = fault, stale, [], []
        self._start_if_wanted()

    @property
    def settings(self):
        return self._settings

    def _load(self):
        if self.fault:
            raise ValueError(self.fault)
        self.calls.append("load")

    def _listen(self):
        self.calls.append("listen")

    def _fall_silent(self):
        self.calls.append("fall silent")

    def _unload(self):
        self.calls.append("unload")

    def _work(self):
        while (number := self._slot.take()) is not None:
            self.answered.append(number)

    def _look_for_faults(self, silent_s):
        return self.stale

    def _diagnostic_values(self):
        return {"answers": len(self.answered)}


def state_of(node):
    return node._state_machine.current_state[0]


def test_autostart_loads_then_listens(graph):
    node = graph.add(Counter(autostart=True))
    assert node.calls == ["load", "listen"]
    assert state_of(node) == State.PRIMARY_STATE_ACTIVE


def test_without_autostart_nothing_is_loaded(graph):
    node = graph.add(Counter())
    assert node.calls == []
    assert state_of(node) == State.PRIMARY_STATE_UNCONFIGURED


def test_what_can_not_load_under_autostart_says_why(graph):
    with pytest.raises(StartError, match="there is no such model"):
        Counter(fault="there is no such model", autostart=True)


def test_the_worker_answers_until_deactivation_and_again_after_it(graph):
    node = graph.add(Counter(autostart=True))
    node._slot.put(1)
    graph.wait_for(lambda: node.answered == [1], "the first answer")
    node.trigger_deactivate()
    assert node.calls[-1] == "fall silent"
    assert node._worker is None
    node.trigger_activate()
    node._slot.put(2)
    graph.wait_for(lambda: node.answered == [1, 2], "the answer after reactivation")


def test_synchronous_nodes_have_no_worker(graph):
    assert graph.add(Counter(autostart=True, synchronous=True))._worker is None


def test_what_waits_at_deactivation_counts_as_dropped_once(graph):
    node = graph.add(Counter(autostart=True, synchronous=True, processing="every"))
    for number in range(5):
        node._slot.put(number)
    node.trigger_deactivate()
    node.trigger_activate()
    assert node._dropped == 5  # two gave way in a queue of three, three were still waiting


def test_cleanup_and_destruction_unload(graph):
    node = graph.add(Counter(autostart=True))
    node.trigger_deactivate()
    node.trigger_cleanup()
    assert node.calls[-2:] == ["fall silent", "unload"]
    assert state_of(node) == State.PRIMARY_STATE_UNCONFIGURED


@pytest.mark.parametrize(
    ("stale", "message"), [("", "complaints so far: bad_number"), ("no number yet", "no number yet")]
)
def test_diagnostics_tell_counts_and_what_is_stale(graph, stale, message):
    received = graph.collect(DiagnosticArray, "/diagnostics")
    node = graph.add(Counter(stale=stale, autostart=True))
    node._complaints.report("bad_number", "numbers", "not a number")
    graph.wait_for(lambda: any(m.status[0].message == message for m in received), message)
    values = {pair.key: pair.value for pair in received[-1].status[0].values}
    assert values["bad_number"] == "1"
    assert {"answers", "received_frames", "dropped_frames", "latency_p99_ms"} <= set(values)
