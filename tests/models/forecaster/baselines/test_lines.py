"""Straight lines through many curves at once."""

from __future__ import annotations

import numpy as np
import pytest

from models.forecaster.baselines.lines import fit_rising_lines, moments

RNG = np.random.default_rng(0)
SHAPES, CURVES, WEIGHTS = RNG.uniform(0, 1, (9, 3)), RNG.uniform(0, 1, (4, 9)), RNG.uniform(0.1, 2, 9)


def test_a_line_is_that_of_least_squares() -> None:
    """Slope and intercept of every curve in every shape are numpy's."""
    m = moments(SHAPES, CURVES, WEIGHTS)
    slope = m.slope(0.0)
    for i, j in np.ndindex(slope.shape):
        expected = np.polyfit(SHAPES[:, j], CURVES[i], 1, w=np.sqrt(WEIGHTS))
        assert [slope[i, j], (m.y_mean - slope * m.s_mean)[i, j]] == pytest.approx(expected)


def test_curves_at_shared_positions_are_fitted_as_those_at_their_own() -> None:
    """The product of matrices is a shorter way to the same moments."""
    shared = moments(SHAPES, CURVES, WEIGHTS)
    own = moments(np.tile(SHAPES, (4, 1, 1)), CURVES, np.tile(WEIGHTS, (4, 1)))
    for name in ("s_mean", "y_mean", "ss", "sy", "yy"):
        values = np.broadcast_to(getattr(own, name), (4, 3))
        assert values == pytest.approx(np.broadcast_to(getattr(shared, name), (4, 3)))


def test_a_shape_of_one_value_has_no_slope() -> None:
    """What rounding leaves is not divided by."""
    assert not moments(np.full((9, 1), 0.3), CURVES, WEIGHTS).slope(1e-12).any()


def test_rising_lines_keep_their_bounds_and_tell_their_errors() -> None:
    """None falls with x or has an asymptote above 1, and errors are those of the line that is returned."""
    fitted = fit_rising_lines(SHAPES, CURVES, WEIGHTS)
    assert (fitted.b >= 0).all()
    assert (fitted.a <= 1).all()
    residuals = CURVES[:, :, None] - fitted.a[:, None] + fitted.b[:, None] * SHAPES
    assert fitted.errors == pytest.approx(np.average(residuals**2, axis=1, weights=WEIGHTS))
