"""How plateau stops are judged on measured curves."""

from __future__ import annotations

import numpy as np

from tests.benchmarks.forecast.curves import Curve
from tests.benchmarks.stops.plateau_stops import STOP_TOLERANCE, judged, looks


def curve(name: str, rise: float) -> Curve:
    """Twenty points at 0.5, then twenty that lie higher."""
    return Curve("set", name, name, np.arange(1.0, 41.0), np.repeat([0.5, 0.5 + rise], 20))


def test_a_stop_before_a_rise_is_wrong() -> None:
    """A stop counts as wrong only where the level rises by more than the stop tolerance afterwards."""
    curves = [curve("flat", 0.9 * STOP_TOLERANCE), curve("rising", 0.1)]
    row = judged(curves, lambda _curve, _at: 10)
    assert (row.stops, row.wrong, row.saved) == (2, 0.5, 0.75)
    assert row.wrong_interval == (0.0, 1.0)
    assert np.isclose(row.lost or 0.0, (0.1 + 0.9 * STOP_TOLERANCE) / 2)


def test_a_rule_that_never_stops_saves_nothing() -> None:
    """Without a stop there is no share of wrong ones."""
    row = judged([curve("flat", 0.0)], lambda _curve, _at: None)
    assert (row.stops, row.wrong, row.wrong_interval, row.saved, row.lost) == (0, None, None, 0.0, None)


def test_looks_begin_where_the_rule_may_stop() -> None:
    """No look before the first evaluation that the spec allows, none at the last point, a hundred at most."""
    assert looks(15).tolist() == list(range(6, 15))
    many = looks(1000)
    assert (many[0], many[-1], len(many)) == (6, 999, 100)
