"""Visibility of sources and surroundings where both are known."""

import pytest
import torch
from known_views import Slit, Wall, WallAndBall

from endo_depth_ros.synthetic.visibility import openness, source_visibility

UP = torch.tensor([[0.0], [0.0], [-1.0]])


def see_source(point, clearance, radius=0.001):
    return float(source_visibility(clearance, torch.tensor(point)[:, None], UP, torch.zeros(3), radius))


def test_open_wall_sees_the_whole_source():
    assert see_source([0.01, 0.0, 0.03], Wall(0.03)) == pytest.approx(1)


def test_nothing_is_seen_through_a_ball():
    assert see_source([0.0, 0.0, 0.03], WallAndBall(0.03, (0.0, 0.0, 0.015), 0.004)) == 0


def test_rim_of_a_ball_hides_half_of_the_source():
    rim = 0.004 / (0.015**2 - 0.004**2) ** 0.5 * 0.03  # where the line from the source touches the ball
    clearance = WallAndBall(0.03, (0.0, 0.0, 0.015), 0.004)
    assert see_source([rim, 0.0, 0.03], clearance) == pytest.approx(0.5, abs=0.25)
    assert see_source([rim - 0.002, 0.0, 0.03], clearance) < 0.05
    assert see_source([rim + 0.004, 0.0, 0.03], clearance) > 0.9


def test_larger_sources_have_wider_penumbras():
    clearance = WallAndBall(0.03, (0.0, 0.0, 0.015), 0.004)
    across = [[x, 0.0, 0.03] for x in torch.linspace(0, 0.02, 81).tolist()]

    def count_half_lit(radius):
        return sum(0.02 < see_source(point, clearance, radius) < 0.98 for point in across)

    assert count_half_lit(0.002) > 1.5 * count_half_lit(0.0005)


def test_lone_wall_is_open_and_a_slit_is_not():
    point = torch.tensor([[0.0], [0.0], [0.03]])
    assert float(openness(Wall(0.03), point, UP, 0.01)) == pytest.approx(1, abs=1e-4)
    assert float(openness(Slit(0.001), point, UP, 0.01)) < 0.3


def test_a_wider_slit_is_more_open():
    point = torch.tensor([[0.0], [0.0], [0.03]])
    values = [float(openness(Slit(width), point, UP, 0.01)) for width in (0.0005, 0.002, 0.005, 0.02)]
    assert values == sorted(values)
    assert values[-1] == 1
