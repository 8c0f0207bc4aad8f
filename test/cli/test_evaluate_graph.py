"""The nodes in lock step give the figures and poses of the process, and the same ones twice."""

import numpy as np
import pytest
from sphere_world import CAMERA, SphereWorld, wander

from endo_depth_ros.bags.frames_to_bag import FrameBagOptions
from endo_depth_ros.cli.evaluation_job import InputOptions, Job, run_job
from endo_depth_ros.contracts import Frame
from endo_depth_ros.datasets.truth_bag import write_truth
from endo_depth_ros.datasets.truth_sequence import TruthFrame
from endo_depth_ros.evaluation.protocol import load_protocol
from endo_depth_ros.nodes.depth_settings import DepthNodeSettings
from endo_depth_ros.pose.settings import PoseSettings
from endo_depth_ros.runs.run_folder import read_result
from endo_depth_ros.settings import make

pytestmark = [pytest.mark.ros, pytest.mark.end_to_end]

COUNT, STEP = 8, 4
# The shading model, and any frame is taken: these are no pictures of an endoscope.
SETTINGS = make(
    DepthNodeSettings,
    {"model": "shading", "max_edge_width_px": 0.0, "max_cold_fraction": 1.0, "max_veil": 1.0, "field_of_view": "none"},
)


def truth_frames():
    """The sphere's inside as the scope's own light shows it, its texture fine and faint."""
    world = SphereWorld()
    for index in range(COUNT):
        T = wander(STEP * index)
        grey, depth = world.look(T)
        light = (depth.min() / depth) ** 2 * (0.75 + 0.25 * grey[..., 0] / 255)
        image = (light[..., None] ** (1 / 2.2) * np.array([230, 120, 100])).astype(np.uint8)
        yield TruthFrame(Frame(10**9 + index * 133_000_000, "scope", image, CAMERA), depth, T)


def evaluate(folder, bag, graph):
    """The result of one way of evaluating the bag."""
    job = Job(
        "bag", "bag", bag, "", load_protocol("default"), SETTINGS, InputOptions(), graph, folder, PoseSettings()
    )  # fmt: skip
    outcome = run_job(job)
    assert outcome.failure == ""
    return read_result(folder)


def numbers(rows, names):
    return np.array([[row[name] for name in names] for row in rows])


def test_nodes_in_lock_step_answer_alike_twice_and_as_the_process_does(tmp_path):
    pytest.importorskip("gtsam")
    bag = tmp_path / "b.mcap"
    write_truth(truth_frames(), bag, FrameBagOptions())
    first, second = (evaluate(tmp_path / name, bag, graph=True) for name in ("first", "second"))
    process = evaluate(tmp_path / "process", bag, graph=False)
    for result in (first, second, process):
        result.facts.pop("times")
        for row in result.rows:
            row.pop("latency_ms")
    assert first.facts == second.facts
    assert str(first.rows) == str(second.rows)
    assert first.facts["images"] == COUNT
    assert first.facts["pose"]["states"] == process.facts["pose"]["states"]
    assert first.facts["pose"]["tracked"] >= COUNT // 2
    for alignment, errors in process.facts["depth"].items():
        assert first.facts["depth"][alignment] == pytest.approx(errors, abs=1e-4)
    columns = "pose_x", "pose_y", "pose_z", "pose_error"
    np.testing.assert_allclose(numbers(first.rows, columns), numbers(process.rows, columns), atol=1e-4)
