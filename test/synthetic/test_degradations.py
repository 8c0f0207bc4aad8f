"""Named degradations."""

import numpy as np
import pytest

from endo_depth_ros.registry import UnknownNameError
from endo_depth_ros.synthetic.degradations import DEGRADATIONS, Viewing, degrade
from endo_depth_ros.synthetic.obstructions import Obstruction, obstruct
from endo_depth_ros.synthetic.sensor import Sensor, SensorSettings

CLEAR = Viewing(SensorSettings(), Obstruction(seed=1))


def picture(viewing):
    light = np.kron(np.random.default_rng(0).lognormal(-2, 0.5, (32, 40, 3)), np.ones((8, 8, 1)))
    view = obstruct(light.astype(np.float32), viewing.obstruction)
    return Sensor(320, 256, viewing.sensor, 0).develop(view.light, 0).astype(float)


@pytest.mark.parametrize("name", list(DEGRADATIONS))
def test_no_strength_changes_nothing_and_more_changes_more(name):
    assert degrade(CLEAR, name, 0.0) == CLEAR
    differences = [np.abs(picture(degrade(CLEAR, name, s)) - picture(CLEAR)).mean() for s in (0.15, 0.4, 0.7, 1.0)]
    assert differences[0] > 0.1
    assert np.all(np.diff(differences) > 0)


def test_strengths_beyond_one_and_unknown_names_are_refused():
    with pytest.raises(ValueError, match="smoke is 1.5; give one from 0 to 1"):
        degrade(CLEAR, "smoke", 1.5)
    with pytest.raises(UnknownNameError, match="there is no degradation 'fog'"):
        degrade(CLEAR, "fog", 0.5)


def test_under_and_overexposure_end_black_and_white():
    assert picture(degrade(CLEAR, "underexposure", 1.0)).mean() < 5
    inside = Sensor(320, 256, CLEAR.sensor, 0).field_of_view
    assert np.median(picture(degrade(CLEAR, "overexposure", 1.0))[inside]) > 245
