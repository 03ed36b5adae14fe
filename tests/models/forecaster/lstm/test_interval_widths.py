"""Widths: what measured curves of other data sets need."""

from __future__ import annotations

import numpy as np

from models.forecaster.lstm.interval_widths import FACTORS, HORIZONS, distances, needed_width, widened
from models.forecaster.lstm.network import LEVELS, MEDIAN


def test_widths_are_taken_about_the_median() -> None:
    """The factor of the horizon stretches both sides alike and leaves the median where it is."""
    quantiles = np.sort(np.random.default_rng(0).normal(size=(3, 2, 2, len(LEVELS))), axis=-1)
    far = np.full((3, 2), HORIZONS[0])
    wider = widened(quantiles, far, np.ones(3, bool), siblings=False)
    middle = quantiles[..., MEDIAN : MEDIAN + 1]
    np.testing.assert_allclose(wider - middle, FACTORS[True, False][0] * (quantiles - middle))


def test_the_needed_width_holds_nine_in_ten() -> None:
    """Of 19 outcomes the 18th: with one more counted as outside it is the least that is sure on average."""
    assert needed_width(np.arange(1.0, 20)) == 18.0
    assert needed_width(np.array([1.0, 5.0]), np.array([0.95, 0.05])) == 1.0


def test_distance_counts_in_half_intervals_of_its_side() -> None:
    """One at either bound, whatever the skew."""
    ends = distances(np.array([0.4, 0.9]), np.array([0.5, 0.5]), np.array([0.4, 0.4]), np.array([0.9, 0.9]))
    np.testing.assert_allclose(ends, [1.0, 1.0])
