"""A benchmark as JSON and as a table."""

import json
from dataclasses import replace

from endo_depth_ros.benchmark.figures import InProcess, OverGraph, Percentiles, RunResult
from endo_depth_ros.benchmark.machine_facts import MachineFacts
from endo_depth_ros.benchmark.report import Report, to_json, to_table

FIGURES = Percentiles(1.0, 2.0, 3.0)
IN_PROCESS = InProcess(
    320, 256, 300, {"ok": 300}, {"decode": FIGURES}, Percentiles(9.5, 10.5, 11.5), 88.8, 512.0, 0.0, ""
)
OVER_GRAPH = OverGraph(
    30.0, ("depth/image_rect",), 300, 299, {"ok": 299}, Percentiles(12.25, 14.0, 20.0), 330, 1, 10.0, 19.0
)
RESULT = RunResult("openvino", "fp32", 2, 640, 512, 8, IN_PROCESS, None)
REPORT = Report(
    measured_at="2026-01-01T00:00:00+00:00",
    version="1.0",
    machine=MachineFacts("Linux", "A processor", 2, 24000, "", 0.1),
    versions={"torch": "2.9"},
    model="endo_depth_small",
    weights="endo_depth_small.safetensors",
    weights_sha256="abcdef0123456789",
    settings={"input_width": 320},
    source="rendered, seed 0",
    encoding="rgb8",
    warm_up_frames=30,
    results=(RESULT,),
    absent={"torch-cuda": "no NVIDIA GPU"},
)


def test_the_json_has_schema_machine_versions_settings_weights_and_figures():
    found = json.loads(to_json(REPORT))
    assert found["schema"] == "endo_depth_ros.benchmark.1"
    assert found["machine"]["cores"] == 2
    assert found["versions"] == {"torch": "2.9"}
    assert found["settings"] == {"input_width": 320}
    assert found["weights_sha256"] == "abcdef0123456789"
    assert found["absent"] == {"torch-cuda": "no NVIDIA GPU"}
    measured = found["results"][0]
    assert (measured["runtime"], measured["width"], measured["over_graph"]) == ("openvino", 640, None)
    assert measured["in_process"]["stages"]["decode"] == {"p50_ms": 1.0, "p95_ms": 2.0, "p99_ms": 3.0}
    assert measured["in_process"]["end_to_end"]["p99_ms"] == 11.5


def test_the_table_names_what_was_measured_and_what_was_not():
    table = to_table(REPORT)
    assert "A processor, 2 cores, 24 GB, no GPU" in table
    assert "openvino fp32, 2 threads: 640x512 in, depth 320x256" in table
    assert "torch-cuda: not measured: no NVIDIA GPU" in table
    rows = [line.split() for line in table.splitlines()]
    assert ["decode", "1.00", "2.00", "3.00"] in rows
    assert ["end", "to", "end", "9.50", "10.50", "11.50"] in rows


def test_the_table_says_what_the_graph_adds_and_what_was_lost():
    table = to_table(replace(REPORT, results=(replace(RESULT, over_graph=OVER_GRAPH),)))
    assert ["over", "DDS", "12.25", "14.00", "20.00"] in [line.split() for line in table.splitlines()]
    assert "299 of 300 frames answered at 30 Hz, 1 dropped" in table


def test_a_publishing_that_was_not_possible_is_told():
    unpublished = replace(RESULT, in_process=replace(IN_PROCESS, publish_obstacle="no ROS for this Python"))
    assert "publish: not measured: no ROS" in to_table(replace(REPORT, results=(unpublished,)))


def test_memory_of_a_gpu_is_told_where_there_is_one():
    on_gpu = replace(RESULT, runtime="torch-cuda", in_process=replace(IN_PROCESS, peak_gpu_mb=321.0))
    assert "peak memory 512 MB, GPU 321 MB" in to_table(replace(REPORT, results=(on_gpu,)))
    assert "GPU" not in to_table(REPORT).partition("peak memory")[2].partition("\n")[0]
