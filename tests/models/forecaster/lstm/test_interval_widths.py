"""Widths: what measured curves of other data sets need."""

from __future__ import annotations

import numpy as np

from models.forecaster.lstm.interval_widths import FACTORS, HORIZONS, widened
from models.forecaster.lstm.network import LEVELS, MEDIAN


def test_widths_are_taken_about_the_median() -> None:
    """The factor of the horizon stretches both sides alike and leaves the median where it is."""
    quantiles = np.sort(np.random.default_rng(0).normal(size=(3, 2, 2, len(LEVELS))), axis=-1)
    far = np.full((3, 2), HORIZONS[0])
    wider = widened(quantiles, far, np.ones(3, bool), siblings=False)
    middle = quantiles[..., MEDIAN : MEDIAN + 1]
    np.testing.assert_allclose(wider - middle, FACTORS[True, False][0] * (quantiles - middle))
