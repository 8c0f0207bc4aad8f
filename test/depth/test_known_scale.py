"""Which scale counts, and that it is constant within an epoch."""

from endo_depth_ros.contracts import Scale, ScaleState
from endo_depth_ros.depth.known_scale import KnownScale

NOMINAL = Scale(ScaleState.NOMINAL, sigma=0.4)
MEASURED = Scale(ScaleState.METRIC, 1.3, 0.02, epoch=4)


def test_without_anything_given_the_model_says():
    assert KnownScale().scale(NOMINAL, True) == NOMINAL
    assert KnownScale().scale(Scale(), True).state is ScaleState.RELATIVE


def test_a_measured_scale_brings_its_epoch_and_is_metric_only_where_verified():
    known = KnownScale().with_measured(MEASURED)
    assert known.scale(NOMINAL, True) == MEASURED
    assert known.scale(NOMINAL, False) == Scale(ScaleState.NOMINAL, 1.3, 0.02, epoch=4)


def test_the_setting_goes_first_and_each_change_begins_an_epoch():
    known = KnownScale().with_measured(MEASURED).with_setting(2.0)
    given = known.scale(NOMINAL, True)
    assert (given.value, given.epoch) == (2.0, 5)
    assert known.with_setting(2.0) is known
    again = known.with_setting(0.0).scale(NOMINAL, True)
    assert (again.value, again.epoch) == (1.3, 6)


def test_a_measured_scale_changes_no_epoch_while_the_setting_goes_first():
    known = KnownScale(2.0)
    after = known.with_measured(MEASURED)
    before, now = (k.scale(NOMINAL, True) for k in (known, after))
    assert (now.value, now.epoch) == (before.value, before.epoch)
