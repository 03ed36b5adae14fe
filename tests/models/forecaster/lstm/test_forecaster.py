"""The fitted forecaster: any curve gets an interval, siblings count in no order, and widths are as calibrated."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.forecaster.lstm.forecaster import LstmForecaster, load
from models.forecaster.prior.drawn_curves import draw

if TYPE_CHECKING:
    from models.forecaster.forecast import Forecast

NAN = float("nan")


@pytest.fixture(scope="module")
def forecaster() -> LstmForecaster:
    """The shipped weights."""
    return load()


def rising(points: int, *, noise: float = 0.01, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A curve that has almost reached 0.8."""
    x = np.arange(1.0, points + 1)
    return x, 0.8 - 0.4 / np.sqrt(x) + noise * np.random.default_rng(seed).standard_normal(points)


def sound(forecast: Forecast) -> bool:
    """Finite, within [0, 1], and in order."""
    rows = np.stack([forecast.lower, forecast.mean, forecast.upper, forecast.mean_lower, forecast.mean_upper])
    ordered = (forecast.lower <= forecast.upper).all() and (forecast.mean_lower <= forecast.mean_upper).all()
    return bool(np.isfinite(rows).all() and (rows >= 0).all() and (rows <= 1).all() and ordered)


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ([1], [0.4]),
        ([1, 2], [0.4, 0.5]),
        ([1, 2, 3, 4], [0.5] * 4),
        (range(1, 2001), [0.0] * 2000),
        (range(1, 2001), np.linspace(0.1, 0.9, 2000)),
        ([1, 2, 3, 4, 5, 6], [0.6, 0.7, 0.75, 0.0, 0.0, 0.0]),
        ([1, 2, 3, 4, 5, 6], [0.1, NAN, 0.3, NAN, NAN, 0.5]),
        ([3, 1, 2], [0.5, 0.3, 0.4]),
        ([2, 2, 2], [0.5, 0.3, 0.4]),
        ([0, 1, 2], [0.5, 0.3, 0.4]),
        ([1, 2, 3], [-1e30, 1e30, 0.5]),
        ([1, 2, 3], [np.inf, -np.inf, 0.5]),
        ([1e-6, 1.0, 1e9], [0.1, 0.2, 0.3]),
    ],
)
def test_ugly_curves_get_an_interval(forecaster: LstmForecaster, x: list[float], y: list[float]) -> None:
    """One point, constants, gaps, a collapse, disorder, absurd values: a sound forecast, and no warning."""
    forecast = forecaster.forecast(np.array(x, float), np.array(y, float), np.array([3000.0, 1e10]))
    assert sound(forecast)
    assert forecast.method == "lstm"


@pytest.mark.parametrize(("x", "y"), [([], []), ([1, 2], [NAN, NAN]), ([NAN, -1], [0.5, 0.5]), ([1e15], [0.5])])
def test_without_a_usable_point_the_laws_answer_and_say_so(
    forecaster: LstmForecaster, x: list[float], y: list[float]
) -> None:
    """Nothing seen: an interval as wide as the ignorance, under the name of what made it."""
    forecast = forecaster.forecast(np.array(x, float), np.array(y, float), np.array([30.0]))
    assert sound(forecast)
    assert forecast.method.startswith("parametric")
    assert forecast.upper[0] - forecast.lower[0] >= 0.5


@settings(max_examples=30, deadline=None)
@given(
    y=arrays(np.float64, st.integers(1, 40), elements=st.floats(-2, 2) | st.just(NAN)),
    start=st.floats(1e-3, 1e4),
    factor=st.floats(1.001, 50),
)
def test_any_curve_gets_a_sound_forecast(y: np.ndarray, start: float, factor: float) -> None:
    """Whatever the values, the positions and the horizon."""
    x = start + np.arange(len(y))
    assert sound(load_once().forecast(x, y, np.array([x[-1] * factor])))


def test_positions_and_shapes_that_make_no_sense_are_refused(forecaster: LstmForecaster) -> None:
    """The caller's own mistakes are named, not forecast."""
    x, y = rising(5)
    with pytest.raises(ValueError, match=r"x and y must have one shape .* \(5,\) and \(4,\)"):
        forecaster.forecast(x, y[:4], np.array([10.0]))
    with pytest.raises(ValueError, match="finite, positive"):
        forecaster.forecast(x, y, np.array([0.0]))


def test_a_batch_says_what_single_calls_say(forecaster: LstmForecaster) -> None:
    """Curves of any length side by side do not disturb each other."""
    curves = [rising(n, seed=n) for n in (1, 3, 17, 40, 300)]
    at = np.array([[x[-1] * 2, x[-1] * 3] for x, _ in curves])
    together = forecaster.forecast_many(curves, at)
    for (x, y), positions, one in zip(curves, at, together, strict=True):
        np.testing.assert_allclose(forecaster.forecast(x, y, positions).mean, one.mean, atol=1e-5)


def test_a_unit_of_position_changes_nothing(forecaster: LstmForecaster) -> None:
    """Ratios of 0.1 or numbers of cases: the same forecast."""
    x, y = rising(12)
    by_ratio = forecaster.forecast(x / 100, y, np.array([0.3]))
    np.testing.assert_allclose(by_ratio.mean, forecaster.forecast(x, y, np.array([30.0])).mean, atol=1e-6)


def test_siblings_count_in_no_order(forecaster: LstmForecaster) -> None:
    """The same siblings in another order, the same forecast."""
    others = [(*rising(30, seed=seed), np.array([seed, 2.0])) for seed in range(1, 9)]
    x, y = rising(9)
    forecasts = [
        forecaster.forecast(x, y, np.array([30.0]), forecaster.context(order)) for order in (others, others[::-1])
    ]
    np.testing.assert_allclose(forecasts[0].mean, forecasts[1].mean, atol=1e-5)
    np.testing.assert_allclose(forecasts[0].upper, forecasts[1].upper, atol=1e-5)


def test_siblings_that_rise_late_raise_the_forecast(forecaster: LstmForecaster) -> None:
    """A curve that lies flat, as its siblings did before they took off, is not given up."""
    x = np.arange(1.0, 31)
    late = [0.2 + 0.5 / (1 + np.exp(-(x - 15 - shift))) for shift in range(-2, 3)]
    flat_x, flat_y = x[:10], np.full(10, 0.2)
    alone = forecaster.forecast(flat_x, flat_y, np.array([30.0]))
    beside = forecaster.forecast(flat_x, flat_y, np.array([30.0]), forecaster.context([(x, y) for y in late]))
    assert beside.mean[0] > alone.mean[0] + 0.1
    assert beside.method == "lstm, 5 siblings"


def test_only_the_nearest_64_siblings_are_asked(forecaster: LstmForecaster) -> None:
    """Those with the nearest covariates."""
    context = forecaster.context([(*rising(10), np.array([float(depth)])) for depth in range(100)])
    assert context is not None
    near = context.near(np.array([99.0]))
    assert len(context.chosen) == len(near.chosen) == 64
    assert {float(s.covariates[0]) for s in near.chosen if s.covariates is not None} == set(range(36, 100))


def test_siblings_without_a_point_are_no_siblings(forecaster: LstmForecaster) -> None:
    """A study's first curve has none, and is forecast all the same."""
    assert forecaster.context([]) is None
    assert forecaster.context([(np.array([1.0]), np.array([NAN]))]) is None


def test_what_was_measured_is_not_forecast(forecaster: LstmForecaster) -> None:
    """Asked for a position that the curve has passed, it gives the measured level there."""
    x, y = rising(30, noise=0.0)
    forecast = forecaster.forecast(x, y, np.array([10.0, 60.0]))
    assert forecast.mean[0] == pytest.approx(y[9], abs=0.01)
    assert forecast.mean[1] > y[9]


def test_intervals_cover_fresh_curves_of_the_prior(forecaster: LstmForecaster) -> None:
    """Calibrated where calibration is known: nine in ten, or so, of fresh drawn curves end within."""
    rng = np.random.default_rng(2026)
    hits = []
    for _ in range(60):
        drawn = draw(rng, groups=4, curves=2)
        seen = max(1, int(rng.uniform(0.1, 0.8) * len(drawn.x)))
        ends = drawn.y[..., -1].ravel()
        curves = [(drawn.x[:seen], y[:seen]) for y in drawn.y.reshape(-1, len(drawn.x))]
        forecasts = forecaster.forecast_many(curves, np.full((len(curves), 1), drawn.x[-1]))
        hits.extend(f.lower[0] - 1e-3 <= end <= f.upper[0] + 1e-3 for f, end in zip(forecasts, ends, strict=True))
    assert 0.82 <= np.mean(hits) <= 0.98


def test_chances_fall_as_the_bar_rises(forecaster: LstmForecaster) -> None:
    """The whole distribution of the expected value is there, not only its interval."""
    x, y = rising(15)
    forecast = forecaster.forecast(x, y, np.array([30.0]))
    chances = [float(forecast.chance_above(bar)[0]) for bar in (0.0, *np.linspace(0.6, 0.9, 20), 1.01)]
    assert chances[0] == 1.0
    assert chances[-1] == 0.0
    assert all(a >= b for a, b in pairwise(chances))
    upper = float(forecast.mean_upper[0])
    assert forecast.chance_above(upper)[0] == pytest.approx(0.05, abs=0.01)
    assert forecast.chance_above(upper, 1.0)[0] > forecast.chance_above(upper, 0.3)[0] > 0.05


def load_once(_loaded: list[LstmForecaster] = []) -> LstmForecaster:  # noqa: B006 - a cache: hypothesis takes no fixture
    """The shipped weights, read once."""
    if not _loaded:
        _loaded.append(load())
    return _loaded[0]
