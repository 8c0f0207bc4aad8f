"""Bags that other tools recorded are evaluated rightly, or the reason why not is a sentence."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from ellipsoid_scene import views
from rosbags.rosbag2 import StoragePlugin, Writer

from endo_depth_ros.bags.messages import (
    TYPESTORE,
    make_camera_info,
    make_color_image,
    make_compressed_image,
    make_depth_image,
    make_transforms,
)
from endo_depth_ros.cli.evaluation_job import InputOptions, Job, run_job
from endo_depth_ros.evaluation.protocol import load_protocol
from endo_depth_ros.geometry.camera import Camera
from endo_depth_ros.nodes.depth_settings import DepthNodeSettings
from endo_depth_ros.runs.run_folder import read_result
from endo_depth_ros.runs.truth_topics import TruthTopics
from endo_depth_ros.settings import make

pytestmark = pytest.mark.end_to_end

CAMERA = Camera(96, 80, np.array([[80.0, 0, 47.5], [0, 80.0, 39.5], [0, 0, 1]]))
START_NS, PERIOD_NS = 10**9, 40_000_000
# The shading model, and any frame is taken: these are no pictures of an endoscope.
SETTINGS = make(
    DepthNodeSettings,
    {"model": "shading", "max_edge_width_px": 0.0, "max_cold_fraction": 1.0, "max_veil": 1.0, "field_of_view": "none"},
)
STORAGES = [StoragePlugin.SQLITE3, StoragePlugin.MCAP]


def lit(depth):
    """uint8 [H, W, 3]: tissue by the light of the scope's tip."""
    light = (depth.min() / depth) ** 2
    return (np.clip(0.25 + 0.6 * light, 0, 1)[..., None] ** (1 / 2.2) * np.array([230, 120, 100])).astype(np.uint8)


def messages(count=4, name="/cam", jpeg=False):
    """(topic, time of recording, message) of a recording with everything, camera_info a little late."""
    for index, (T, depth, _) in enumerate(views(CAMERA, count)):
        stamp_ns = START_NS + index * PERIOD_NS
        image = lit(depth)
        if jpeg:
            yield f"{name}/image/compressed", stamp_ns, make_compressed_image(stamp_ns, "scope", image, 95)
        else:
            yield f"{name}/image", stamp_ns, make_color_image(stamp_ns, "scope", image)
        yield f"{name}/camera_info", stamp_ns + 5, make_camera_info(stamp_ns, "scope", CAMERA)
        yield "/truth/camera_info", stamp_ns + 6, make_camera_info(stamp_ns, "scope", CAMERA)
        yield "/truth/depth", stamp_ns + 7, make_depth_image(stamp_ns, "scope", depth.astype(np.float32))
        yield "/tf", stamp_ns + 8, make_transforms(stamp_ns, "world", "scope", T)


def record(folder, recorded, storage=StoragePlugin.SQLITE3):
    """A bag as the rosbags library, that is not ours, writes it."""
    with Writer(folder, version=9, storage_plugin=storage) as writer:
        connections = {}
        for topic, time_ns, message in sorted(recorded, key=lambda each: each[1]):
            kind = message.__msgtype__
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, kind, typestore=TYPESTORE)
            writer.write(connections[topic], time_ns, TYPESTORE.serialize_cdr(message, kind))
    return folder


def evaluate(tmp_path, path, **options):
    """(outcome, result) of one job."""
    given = InputOptions(**options)
    job = Job("bag", "bag", Path(path), "", load_protocol("default"), SETTINGS, given, False, tmp_path / "result")
    outcome = run_job(job)
    return outcome, read_result(job.folder)


def figures(result):
    return dataclasses.asdict(result)["facts"]["depth"]["sequence_median"]


@pytest.mark.parametrize("storage", STORAGES)
def test_sqlite3_and_mcap_of_another_recorder_have_the_same_right_figures(tmp_path, storage):
    outcome, result = evaluate(tmp_path, record(tmp_path / "bag", messages(), storage))
    assert outcome.failure == ""
    assert (result.facts["images"], result.facts["unanswered"]) == (4, 0)
    assert figures(result)["coverage"] > 0.9
    assert figures(result)["abs_rel"] < 0.1
    assert result.facts["temporal"]["pairs"] == 3


def test_compressed_images_have_nearly_the_figures_of_raw_ones(tmp_path):
    _, raw = evaluate(tmp_path / "raw", record(tmp_path / "raw_bag", messages()))
    outcome, jpeg = evaluate(tmp_path / "jpeg", record(tmp_path / "jpeg_bag", messages(jpeg=True)))
    assert outcome.failure == ""
    assert figures(jpeg)["abs_rel"] == pytest.approx(figures(raw)["abs_rel"], abs=0.02)


def test_of_several_cameras_one_must_be_named_and_is_then_evaluated(tmp_path):
    both = [*messages(name="/left"), *(each for each in messages(name="/right") if each[0].startswith("/right"))]
    bag = record(tmp_path / "bag", both)
    outcome, result = evaluate(tmp_path, bag)
    assert result is None
    assert "several image topics; give --image-topic as one of: /left/image, /right/image" in outcome.failure
    outcome, result = evaluate(tmp_path, bag, image_topic="/right/image")
    assert (outcome.failure, result.facts["images"]) == ("", 4)
    outcome, _ = evaluate(tmp_path / "other", bag, image_topic="/middle/image")
    assert "no images on /middle/image; give --image-topic as one of: " in outcome.failure


def test_without_camera_info_nothing_is_answered_until_a_lens_is_given(tmp_path):
    bag = record(tmp_path / "bag", [each for each in messages() if each[0] != "/cam/camera_info"])
    outcome, result = evaluate(tmp_path, bag)
    assert (outcome.failure, result.facts["unanswered"]) == ("", 4)
    assert "--hfov DEG to assume one" in result.rows[0]["reason"]


def test_truth_without_camera_info_of_another_size_is_a_sentence(tmp_path):
    large = SETTINGS.input_width * 2, SETTINGS.input_height * 2
    recorded = [each for each in messages() if not each[0].startswith("/truth")]
    depth = np.full((large[1], large[0]), 0.05, np.float32)
    recorded.append(("/truth/depth", START_NS, make_depth_image(START_NS, "scope", depth)))
    outcome, _ = evaluate(tmp_path, record(tmp_path / "bag", recorded))
    assert "the true depth is 640x512 and has no camera_info; record one beside it" in outcome.failure


def test_images_recorded_out_of_order_are_joined_with_truth_by_their_stamps(tmp_path):
    _, ordered = evaluate(tmp_path / "a", record(tmp_path / "ordered", messages()))
    times = {START_NS + place * PERIOD_NS: START_NS + other * PERIOD_NS for place, other in enumerate((0, 2, 1, 3))}
    swapped = [
        (topic, times.get(time_ns, time_ns) if topic == "/cam/image" else time_ns, message)
        for topic, time_ns, message in messages()
    ]
    outcome, result = evaluate(tmp_path / "b", record(tmp_path / "swapped", swapped))
    assert (outcome.failure, result.facts["images"]) == ("", 4)
    stamps = [row["stamp_ns"] for row in result.rows]
    assert stamps == [START_NS + place * PERIOD_NS for place in (0, 2, 1, 3)]
    # Truth that were joined by place would be that of another pose.
    assert figures(result)["abs_rel"] == pytest.approx(figures(ordered)["abs_rel"], abs=0.01)


def test_a_truncated_sqlite_file_is_evaluated_as_far_as_it_goes_or_a_sentence(tmp_path):
    folder = record(tmp_path / "bag", messages(40))
    file = next(folder.glob("*.db3"))
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    outcome, result = evaluate(tmp_path, folder)
    assert result is None
    assert "corrupt" in outcome.failure or "not a readable bag" in outcome.failure
    assert "recover it with" in outcome.failure or "give a rosbag2 folder" in outcome.failure


def test_a_bag_without_truth_is_a_sentence_that_names_what_there_is(tmp_path):
    bag = record(tmp_path / "bag", [each for each in messages() if not each[0].startswith("/truth")])
    outcome, _ = evaluate(tmp_path, bag)
    assert "no true depth on /truth/depth; give --truth-depth TOPIC (images in this bag: /cam/image)" in outcome.failure


def test_a_topic_of_truth_that_is_no_depth_is_a_sentence(tmp_path):
    outcome, _ = evaluate(tmp_path, record(tmp_path / "bag", messages()), topics=TruthTopics(depth="/cam/image"))
    assert "/cam/image is rgb8, no depth; name a topic of 32FC1 (metres) or 16UC1 (mm)" in outcome.failure
