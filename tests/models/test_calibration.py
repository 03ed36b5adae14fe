"""Widths: what other data sets need, and what a study's own finished curves add."""

from __future__ import annotations

import numpy as np
import pytest

from models.forecaster.calibration import distances, needed_width, own_width, widened
from models.forecaster.lstm import load
from models.forecaster.network import LEVELS, MEDIAN


def test_widths_are_taken_about_the_median() -> None:
    """A factor of 2 doubles both sides and leaves the median where it is."""
    quantiles = np.sort(np.random.default_rng(0).normal(size=(3, 2, 2, len(LEVELS))), axis=-1)
    once = widened(quantiles, np.ones((3, 2)), np.ones(3, bool), siblings=False)
    twice = widened(quantiles, np.ones((3, 2)), np.ones(3, bool), siblings=False, width=2.0)
    middle = quantiles[..., MEDIAN : MEDIAN + 1]
    np.testing.assert_allclose(twice - middle, 2 * (once - middle))


def test_the_needed_width_holds_nine_in_ten() -> None:
    """Of 19 outcomes the 18th: with one more counted as outside it is the least that is sure on average."""
    assert needed_width(np.arange(1.0, 20)) == 18.0
    assert needed_width(np.array([1.0, 5.0]), np.array([0.95, 0.05])) == 1.0


@pytest.mark.parametrize(("curves", "width"), [(18, 1.0), (19, 2.0), (40, 2.0)])
def test_a_study_rescales_only_after_19_curves(curves: int, width: float) -> None:
    """Fewer say nothing about a tail of one in ten."""
    assert own_width(np.full(curves, 2.0)) == width


def test_distance_counts_in_half_intervals_of_its_side() -> None:
    """One at either bound, whatever the skew."""
    ends = distances(np.array([0.4, 0.9]), np.array([0.5, 0.5]), np.array([0.4, 0.4]), np.array([0.9, 0.9]))
    np.testing.assert_allclose(ends, [1.0, 1.0])


def test_a_forecaster_adapts_to_the_studys_own_curves() -> None:
    """Twenty alike and quiet curves narrow the interval; eighteen change nothing."""
    x = np.arange(1.0, 31)
    curves = [(x, 0.7 + 0.001 * i - 0.3 * x**-0.8) for i in range(20)]
    forecaster = load()
    assert forecaster.adapted(curves[:18]).width == 1.0
    adapted = forecaster.adapted(curves)
    assert 0.5 <= adapted.width < 1.0
    at = np.array([30.0])
    wide, narrow = (f.forecast(x[:10], curves[0][1][:10], at) for f in (forecaster, adapted))
    assert narrow.upper[0] - narrow.lower[0] < wide.upper[0] - wide.lower[0]
