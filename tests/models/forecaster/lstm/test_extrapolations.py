"""Cheap extrapolations of binned curves."""

from __future__ import annotations

import numpy as np

from models.forecaster.lstm.encoding import BINS
from models.forecaster.lstm.extrapolations import POWERS, fit_lines


def test_a_law_is_found_again() -> None:
    """A curve of one of the shapes is extrapolated exactly."""
    z = np.linspace(0.05, 1.0, BINS)
    lines = fit_lines(z[None, None], (0.8 - 0.1 * z**-0.5)[None, None], np.ones((1, 2, BINS)))
    shape = POWERS.index(-0.5)
    np.testing.assert_allclose(lines.at(np.array([[4.0]]))[0, 0, :, shape], 0.75)
    assert lines.error[0, :, shape].max() < 1e-9
