"""How the widths of intervals are calibrated on measured curves."""

from __future__ import annotations

import numpy as np

from tests.benchmarks.forecast.calibrate import distances, needed_width


def test_the_needed_width_holds_nine_in_ten() -> None:
    """Of 19 outcomes the 18th: with one more counted as outside it is the least that is sure on average."""
    assert needed_width(np.arange(1.0, 20)) == 18.0
    assert needed_width(np.array([1.0, 5.0]), np.array([0.95, 0.05])) == 1.0


def test_distance_counts_in_half_intervals_of_its_side() -> None:
    """One at either bound, whatever the skew."""
    ends = distances(np.array([0.4, 0.9]), np.array([0.5, 0.5]), np.array([0.4, 0.4]), np.array([0.9, 0.9]))
    np.testing.assert_allclose(ends, [1.0, 1.0])
