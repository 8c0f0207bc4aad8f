"""Bad input is said once in a while and counted always."""

from endo_depth_ros.nodes.complaints import Complaints


class Log:
    def __init__(self):
        self.lines = []

    def warning(self, message):
        self.lines.append(message)
        return True


def test_the_same_complaint_is_logged_once_a_period_and_counted_always():
    log, now = Log(), [0.0]
    complaints = Complaints(log, period_s=5.0, monotonic_s=lambda: now[0])
    for now[0] in (0.0, 1.0, 4.9, 5.0):
        complaints.report("bad_image", "/image", "it is broken")
    assert log.lines == ["/image: it is broken", "/image: it is broken (2 more like it since the last message)"]
    assert complaints.counts == {"bad_image": 4}


def test_other_sources_and_faults_are_not_silenced():
    log = Log()
    complaints = Complaints(log, monotonic_s=lambda: 0.0)
    complaints.report("bad_image", "/left", "step is wrong")
    complaints.report("bad_image", "/right", "step is wrong")
    complaints.report("bad_image", "/left", "data is truncated")
    assert len(log.lines) == 3


def test_the_same_fault_with_other_numbers_is_the_same():
    log = Log()
    complaints = Complaints(log, monotonic_s=lambda: 0.0)
    complaints.report("bad_image", "/left", "step is 7 bytes but a row takes 480")
    complaints.report("bad_image", "/left", "step is 9 bytes but a row takes 480")
    assert len(log.lines) == 1
