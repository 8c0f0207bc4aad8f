"""Corners followed from frame to frame."""

import numpy as np
from wall import K, Wall

from endo_depth_ros.imaging.tracks import extract_texture, find_corners, follow_corners

EVERYWHERE = np.ones((128, 160), bool)


def follow(before, after, where=EVERYWHERE):
    return follow_corners(extract_texture(before.image), extract_texture(after.image), where)


def test_corners_are_found_again_where_the_wall_is():
    wall = Wall()
    position = np.array([0.0006, -0.0004, 0.001])
    (before, depth), (after, _) = wall.frame(0), wall.frame(1, position)
    tracks = follow(before, after)
    assert len(tracks) > 80
    column, row = np.rint(tracks.before).astype(int).T
    rays = (tracks.before - K[:2, 2]) / np.diag(K)[:2]
    points = np.column_stack([rays, np.ones(len(rays))]) * depth[row, column, None] - position
    expected = points[:, :2] / points[:, 2:] * np.diag(K)[:2] + K[:2, 2]
    error = np.linalg.norm(expected - tracks.after, axis=1)
    assert np.median(error) < 0.15
    assert np.quantile(error, 0.9) < 0.5


def test_corners_lie_where_they_are_wanted():
    where = np.zeros((128, 160), bool)
    where[20:60, 30:100] = True
    corners = find_corners(extract_texture(Wall().frame(0)[0].image), where)
    assert len(corners) > 20
    assert where[np.rint(corners[:, 1]).astype(int), np.rint(corners[:, 0]).astype(int)].mean() > 0.95


def test_shading_that_moves_is_no_texture():
    y, x = np.mgrid[:256, :320]
    light = 128 + 100 * np.cos(x / 60) * np.cos(y / 50)
    texture = extract_texture(np.repeat(light[..., None], 3, 2).astype(np.uint8))
    assert np.ptp(texture[10:-10, 10:-10].astype(int)) < 20


def test_another_scene_leaves_few_tracks():
    one, other = Wall(seed=1).frame(0)[0], Wall(seed=2).frame(1)[0]
    assert len(follow(one, other)) < 0.3 * len(follow(one, one))


def test_a_blank_frame_has_no_tracks():
    blank = Wall().frame(0)[0]
    blank.image[:] = 120
    assert len(follow(blank, blank)) == 0
