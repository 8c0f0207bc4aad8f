"""Clips: frames as far apart as asked for, in rendered sequences as groups of neighbours."""

from __future__ import annotations

from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest

from endo_depth_ros.geometry.camera import pinhole_from_hfov
from endo_depth_ros.settings import SettingsError
from endo_depth_ros.synthetic.motion_blur import image_displacements
from training.clips import film_clip
from training.render import RenderingSettings, Task, render_sequence_file
from training.scenes import draw_scene
from training.sequence_file import read_record

CAMERA = pinhole_from_hfov(64, 48, 90.0)


@pytest.mark.parametrize("fastest", [0.02, 0.2])
def test_the_picture_moves_as_far_as_asked_for(fastest: float) -> None:
    take = draw_scene("bladder", 5, "cpu")
    views = list(islice(film_clip(take, CAMERA, 3.0, fastest, np.random.default_rng(0)), 6))
    motions = []
    for view, following in pairwise(views):
        assert following.time_s > view.time_s
        moved = image_displacements(CAMERA, view.depth, view.T_world_camera, following.T_world_camera)
        motions.append(np.median(np.linalg.norm(moved, axis=1)) / CAMERA.width)
    # Steps in time are 15 % long, so a fast camera may overshoot somewhat.
    assert max(motions) < 1.5 * fastest
    assert np.median(motions) > 0.01 * fastest


def test_clips_are_groups_of_neighbours_in_a_sequence(tmp_path: Path) -> None:
    path = tmp_path / "s.sequence.zip"
    settings = RenderingSettings(
        families="bladder", views=0, pairs=0, clips=2, clip_frames=3, clip_motion=0.1, width=64, height=48
    )
    render_sequence_file(Task(path, "bladder", 5, settings))
    views = read_record(path).views
    assert [view.pair for view in views] == [0, 0, 0, 1, 1, 1]
    assert [view.time_s for view in views] == sorted(view.time_s for view in views)


def test_a_recipe_of_nothing_is_refused() -> None:
    with pytest.raises(SettingsError, match="nothing to render"):
        RenderingSettings(views=0, pairs=0).check()
