"""The plain forecaster: its exponential laws, the choice between two families, and its intervals."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.forecaster.baselines.parametric import ExponentialLaws, ParametricForecaster, fit_exponential_laws

if TYPE_CHECKING:
    from models.forecaster.curves import Floats

EVALUATIONS = np.arange(1.0, 31.0)

scores = st.floats(0.0, 1.0)

POWER = 0.8 - 0.4 * EVALUATIONS**-0.7
EXPONENTIAL = 0.8 - 0.6 * np.exp(-EVALUATIONS / 5)
SIGMOID = 0.2 + 0.6 / (1 + np.exp(-(EVALUATIONS - 6) / 1.5))


def s_shaped(plateau: float, noise: float = 0.0) -> Floats:
    """A training curve of 30 evaluations that lies flat for eight and then rises to ``plateau``."""
    risen: Floats = 1 - np.exp(-np.maximum(EVALUATIONS - 8, 0) / 4)
    return 0.2 + (plateau - 0.2) * risen + np.random.default_rng(0).normal(0, noise, 30)


@pytest.mark.parametrize(("a", "b", "c"), [(0.8, 0.6, 0.2), (0.7, 0.5, 1.0), (0.9, 0.3, 0.05), (0.6, 0.0, 1.0)])
def test_recovers_an_exponential_law_without_noise(a: float, b: float, c: float) -> None:
    """From 20 exact values the fit gives the law back, and its value at the end to within 0.005."""
    truth = ExponentialLaws(np.array([a]), np.array([b]), np.array([c]))
    fitted = fit_exponential_laws(EVALUATIONS[:20], truth.at(EVALUATIONS[:20]))
    assert fitted.at(EVALUATIONS) == pytest.approx(truth.at(EVALUATIONS), abs=0.005)


@given(st.lists(st.lists(scores, min_size=6, max_size=6), min_size=2, max_size=5))
def test_an_exponential_law_never_falls_or_passes_one(y: list[list[float]]) -> None:
    """Whatever the curves of a batch, b >= 0 and a <= 1, and each gets the law it gets alone."""
    x, values = EVALUATIONS[:6], np.array(y)
    laws = fit_exponential_laws(x, values)
    assert (laws.b >= 0).all()
    assert (laws.a <= 1).all()
    alone = np.concatenate([fit_exponential_laws(x, row[None, :]).at(x) for row in values])
    assert laws.at(x) == pytest.approx(alone, abs=1e-6)


@pytest.mark.parametrize(
    ("curve", "method"), [(POWER, "power law"), (EXPONENTIAL, "exponential law"), (SIGMOID, "exponential law")]
)
def test_the_method_names_the_law_that_fits(curve: Floats, method: str) -> None:
    """From 20 of 30 evaluations the family is told, and the end is met to 0.01."""
    forecast = ParametricForecaster().forecast(EVALUATIONS[:20], curve[:20], EVALUATIONS[29:])
    assert forecast.method == method
    assert forecast.mean == pytest.approx(curve[29:], abs=0.01)


def test_a_saturated_curve_stays_where_it_is() -> None:
    """After ten flat evaluations neither the mean nor the interval of the mean keeps rising."""
    y = 0.8 - 0.6 * np.exp(-(EVALUATIONS[:25] - 1) / 1.5)
    forecast = ParametricForecaster().forecast(EVALUATIONS[:25], y, EVALUATIONS[29:])
    assert forecast.mean == pytest.approx([0.8], abs=0.002)
    assert forecast.mean_upper[0] < 0.803


def test_forecasts_the_plateau_of_an_s_shaped_curve() -> None:
    """The flat start is left out: from 20 of 30 evaluations the end is met to 0.03."""
    forecast = ParametricForecaster().forecast(EVALUATIONS[:20], s_shaped(0.75, 0.005)[:20], np.array([30.0]))
    assert forecast.method == "exponential law"
    assert forecast.mean == pytest.approx([0.75], abs=0.03)


def test_laws_that_fit_alike_share_the_forecast() -> None:
    """Where noise hides which law holds, the interval of the mean reaches both ends."""
    y = POWER + np.random.default_rng(1).normal(0, 0.02, 30)
    forecast = ParametricForecaster().forecast(EVALUATIONS[:10], y[:10], EVALUATIONS[29:])
    saturated = fit_exponential_laws(EVALUATIONS[:10], y[None, :10]).at(EVALUATIONS[29:])[0, 0]
    assert forecast.mean_lower[0] <= saturated <= forecast.mean_upper[0]
    assert forecast.mean_lower[0] <= POWER[29] <= forecast.mean_upper[0]


def test_a_forecast_is_quick() -> None:
    """One is made after every evaluation of every training."""
    y = s_shaped(0.75, 0.01)[:25]
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        ParametricForecaster().forecast(EVALUATIONS[:25], y, EVALUATIONS[29:])
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.05  # under 0.002 s on one idle core


def test_a_gap_is_no_point() -> None:
    """NaN gaps leave the forecast as if the evaluations had not been."""
    y = s_shaped(0.75, 0.01)[:20]
    gap = y.copy()
    gap[[3, 14]] = np.nan
    kept = np.isfinite(gap)
    with_gap = ParametricForecaster().forecast(EVALUATIONS[:20], gap, EVALUATIONS[20:])
    without = ParametricForecaster().forecast(EVALUATIONS[:20][kept], y[kept], EVALUATIONS[20:])
    assert with_gap.upper.tolist() == without.upper.tolist()


@pytest.mark.parametrize(("curve", "seen"), [(POWER, 12), (EXPONENTIAL, 10), (EXPONENTIAL, 20), (SIGMOID, 20)])
def test_new_measurements_are_covered_at_ninety_percent(curve: Floats, seen: int) -> None:
    """About 90 % of new values fall in their interval, whichever the law, and on a sigmoid that has risen."""
    rng = np.random.default_rng(0)
    inside = []
    for _ in range(200):
        y = curve + rng.normal(0, 0.01, 30)
        forecast = ParametricForecaster().forecast(EVALUATIONS[:seen], y[:seen], EVALUATIONS[29:])
        inside.append(forecast.lower[0] <= y[29] <= forecast.upper[0])
    assert 0.84 <= np.mean(inside) <= 0.98


@pytest.mark.parametrize(
    ("x", "y", "last"),
    [
        ([], [], 0.5),
        ([1.0], [0.4], 0.4),
        ([1.0, 2.0, 3.0], [np.nan, np.nan, 0.3], 0.3),
        ([1.0, 2.0, 3.0, 4.0], [0.6, 0.6, 0.6, 0.6], 0.6),
        ([1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 0.0, 0.0], 0.0),
        ([0.0, 0.0, 0.0], [0.1, 0.2, 0.3], 0.5),
        ([1.0, 2.0, 3.0, 4.0], [0.8, 0.6, 0.4, 0.2], 0.2),
        ([2.0, 2.0, 2.0, 2.0], [0.1, 0.2, 0.3, 0.4], 0.4),
    ],
)
def test_a_curve_that_says_nothing_gets_its_last_value(x: list[float], y: list[float], last: float) -> None:
    """Without a rise to follow, the last value stands, in a wide interval, and the method says so."""
    forecast = ParametricForecaster().forecast(np.array(x), np.array(y), np.array([10.0, 30.0]))
    assert forecast.method == "last value"
    assert forecast.mean == pytest.approx([last, last])
    assert (forecast.upper - forecast.lower >= 0.25).all()


anything = st.floats(allow_nan=True, allow_infinity=True)


@given(st.lists(st.tuples(st.floats(-5, 50) | anything, scores | anything), max_size=12))
def test_no_curve_raises_or_leaves_the_unit_interval(points: list[tuple[float, float]]) -> None:
    """Whatever was recorded, lower <= mean_lower <= mean <= mean_upper <= upper within [0, 1]."""
    x, y = (np.array([point[axis] for point in points]) for axis in (0, 1))
    forecast = ParametricForecaster(replicates=20).forecast(x, y, np.array([0.0, 5.0, 30.0]))
    ordered = np.stack([forecast.lower, forecast.mean_lower, forecast.mean, forecast.mean_upper, forecast.upper])
    assert (np.diff(ordered, axis=0) >= 0).all()
    assert ((ordered >= 0) & (ordered <= 1)).all()


def test_the_same_curve_gets_the_same_forecast() -> None:
    """The bootstrap's seed is fixed, so that a replayed decision is the same decision."""
    y = s_shaped(0.7, 0.01)[:18]
    first, second = (ParametricForecaster().forecast(EVALUATIONS[:18], y, EVALUATIONS[18:]) for _ in range(2))
    assert first.mean_lower.tolist() == second.mean_lower.tolist()


def test_curves_of_unequal_length_are_refused() -> None:
    """Two axes that do not belong together are the caller's mistake, not an ugly curve."""
    with pytest.raises(ValueError, match=r"got \(2,\) and \(1,\)"):
        ParametricForecaster().forecast(np.array([1.0, 2.0]), np.array([0.5]), np.array([3.0]))
