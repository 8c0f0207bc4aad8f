"""Crops are taken of image, camera and truth alike, and lists of test frames leave the others out."""

import numpy as np
from ellipsoid_scene import CAMERA, views

from endo_depth_ros.contracts import Frame
from endo_depth_ros.datasets.truth_sequence import TruthFrame, TruthSequence
from endo_depth_ros.evaluation.protocol import Crop
from endo_depth_ros.runs.recordings import SequenceRecording


def sequence(count=3):
    def read():
        for index, (T, depth, image) in enumerate(views(CAMERA, count)):
            yield TruthFrame(Frame(index, "scope", image, CAMERA), depth.astype(np.float32), T)

    return TruthSequence("folder", "s", count, read)


def test_a_crop_keeps_every_ray_its_colour_and_depth():
    crop = Crop(x=5, y=7, width=20, height=12)
    (frame, *_), (truth, *_) = (list(walk) for walk in (_walks(SequenceRecording(sequence(), crop))))
    _, depth, image = views(CAMERA, 3)[0]
    np.testing.assert_array_equal(frame.image, image[7:19, 5:25])
    np.testing.assert_array_equal(truth.depth, depth[7:19, 5:25].astype(np.float32))
    assert frame.camera == truth.camera == CAMERA.cropped(5, 7, 20, 12)


def test_only_listed_frames_have_true_depth_but_all_are_predicted_and_have_poses():
    frames, truths = _walks(SequenceRecording(sequence(), counted=frozenset({1})))
    assert [frame.stamp_ns for frame in frames] == [0, 1, 2]
    assert [truth.stamp_ns for truth in truths if truth.depth is not None] == [1]
    assert all(truth.T_world_camera is not None for truth in truths)


def _walks(recording):
    return list(recording.frames()), list(recording.truths())
