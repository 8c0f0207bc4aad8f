"""Settings that can't be meant are refused."""

import pytest

from endo_depth_ros.pose.settings import PoseSettings
from endo_depth_ros.settings import SettingsError, entries, make


def test_an_even_window_is_refused() -> None:
    with pytest.raises(SettingsError, match="odd"):
        make(PoseSettings, {"flow_window_px": 16})


def test_every_setting_is_described() -> None:
    assert all(entry.rule.description for entry in entries(PoseSettings))
