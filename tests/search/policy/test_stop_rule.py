"""When a training may end early, and what a curve amounts to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from models.forecaster.baselines.parametric import ParametricForecaster
from models.forecaster.forecast import Forecast
from search.policy.stop_rule import StopSpec, chance_of_gain, decide, has_taken_off, level, outcome
from storage.records import CellState, Evaluation

if TYPE_CHECKING:
    from models.forecaster.interface import Forecaster

EVALUATIONS = 30
D0 = 0.25

scores = st.floats(0.0, 1.0)
curves = st.lists(scores, min_size=1, max_size=EVALUATIONS)


@dataclass
class Fixed:
    """A forecaster that always says the same, and notes what it was asked."""

    mean: float
    half_width: float = 0.001
    noise: float = 0.0
    asked: tuple[list[float], list[float], list[float]] | None = None

    def context(self, curves: object) -> None:
        """It knows of no siblings."""

    def forecast(self, x: np.ndarray, y: np.ndarray, at: np.ndarray, siblings: object = None) -> Forecast:  # noqa: ARG002
        """The same for every curve; half widths of what is expected, and of the noise of a value around it."""
        self.asked = (x.tolist(), y.tolist(), at.tolist())
        mean = np.full(at.shape, self.mean)
        near, far = self.half_width, float(np.hypot(self.half_width, self.noise))
        return Forecast(mean, mean - far, mean + far, mean - near, mean + near, "fixed")


def curve(values: list[float]) -> list[Evaluation]:
    """Evaluations with these validation scores."""
    return [Evaluation(i, i / 2, 10 * i, value, 1.0, 0.1) for i, value in enumerate(values, start=1)]


def ask(
    values: list[float], forecaster: Forecaster, *, tolerance: float = 0.02, spec: StopSpec | None = None
) -> str | None:
    """The reason of a stop, or None."""
    decision = decide(
        curve(values),
        evaluations=EVALUATIONS,
        d0=D0,
        tolerance=tolerance,
        spec=spec or StopSpec(),
        forecaster=forecaster,
    )
    return None if decision is None else decision.reason


def rise(length: int, *, to: float = 0.8, over: float = 3.0) -> list[float]:
    """A curve that rises to a plateau without noise."""
    return [to - (to - 0.2) * float(np.exp(-i / over)) for i in range(length)]


LEVEL = [0.3, 0.5, 0.7, 0.8, 0.8, 0.8, 0.8, 0.8]


@pytest.mark.parametrize(
    ("values", "forecaster", "stops"),
    [
        (LEVEL, Fixed(0.8), True),
        (LEVEL, Fixed(0.7), True),  # it may even fall
        (LEVEL, Fixed(0.804), True),  # less than the stop tolerance of 0.005
        (LEVEL, Fixed(0.806), False),  # more
        (LEVEL, Fixed(0.9), False),
        (LEVEL, Fixed(0.8, half_width=0.2), False),  # nobody knows
        (LEVEL, Fixed(0.8, noise=0.05), False),  # evaluations jump: the level may rise by luck alone
        (LEVEL[:5], Fixed(0.8), False),  # before the first evaluation that may stop
        ([0.8] * 6, Fixed(0.8), True),  # at it
        ([0.8] * 29, Fixed(0.8), True),
        ([0.8] * 30, Fixed(0.8), False),  # the budget is used up: nothing to stop
        ([0.29] * 10, Fixed(0.29), False),  # not taken off: 0.25 + 0.05 is the least
        ([0.30] * 10, Fixed(0.30), True),
        ([0.0] * 10, Fixed(0.0), False),
        ([0.0] * 12, ParametricForecaster(), False),
        (rise(4), ParametricForecaster(), False),
        (rise(8, over=20), ParametricForecaster(), False),  # still rising
        ([0.8 - 0.3 * i**-2.5 for i in range(1, 26)], ParametricForecaster(), True),
    ],
)  # fmt: skip
def test_a_curve_stops_at_its_plateau(values: list[float], forecaster: Forecaster, *, stops: bool) -> None:
    """It stops when it has taken off, and more is unlikely; not before, and not without a budget left."""
    assert (ask(values, forecaster) is not None) == stops


def test_a_flat_end_stops_whatever_the_rise_was() -> None:
    """A curve that saturated exponentially, and lay flat for ten evaluations, stops five before the end."""
    values = rise(25, over=1.5)
    assert max(values[-10:]) - min(values[-10:]) < 0.0001
    assert ask(values, ParametricForecaster()) is not None


def test_a_stop_says_why() -> None:
    """The reason names where the curve stands, the chance of more, the risk and the method."""
    decision = decide(
        curve(LEVEL), evaluations=EVALUATIONS, d0=D0, tolerance=0.02, spec=StopSpec(), forecaster=Fixed(0.801, 0.001)
    )
    assert decision is not None
    assert decision.reason == (
        "plateau reached: at evaluation 8 of 30 the level is 0.8000, and the chance of more than +0.0050 is 0.00 "
        "(risk 0.1, fixed)"
    )
    end = decision.forecast
    assert (end.mean, end.lower, end.upper) == pytest.approx((0.801, 0.800, 0.802))
    assert end.method == "fixed"


def test_the_forecast_is_asked_for_the_last_evaluation() -> None:
    """The forecaster sees the whole curve by evaluation, and is asked where the budget ends."""
    forecaster = Fixed(0.8)
    ask(LEVEL, forecaster)
    assert forecaster.asked == ([1, 2, 3, 4, 5, 6, 7, 8], LEVEL, [30])


def test_settings_move_the_rule() -> None:
    """A higher risk, a larger tolerance share and an earlier first evaluation stop what the defaults would not."""
    uncertain = Fixed(0.803, half_width=0.006)
    assert ask(LEVEL, uncertain) is None
    assert ask(LEVEL, uncertain, spec=StopSpec(risk=0.4)) is not None
    assert ask(LEVEL, uncertain, tolerance=0.2) is not None
    assert ask(LEVEL[:5], Fixed(0.7), spec=StopSpec(first_evaluation=5)) is not None
    assert ask(LEVEL, Fixed(0.8), spec=StopSpec(first_evaluation=9)) is None


@given(values=curves, mean=scores)
def test_nothing_stops_outside_its_window(values: list[float], mean: float) -> None:
    """No stop before the first evaluation, before take-off, or at the end, whatever is forecast."""
    if ask(values, Fixed(mean)) is not None:
        assert StopSpec().first_evaluation <= len(values) < EVALUATIONS
        assert max(values) >= D0 + 0.05


def expecting(mean: float, half_width: float, noise: float = 0.0) -> Forecast:
    """A forecast of one position."""
    return Fixed(mean, half_width, noise).forecast(np.zeros(1), np.zeros(1), np.zeros(1))


@given(now=scores, means=st.tuples(scores, scores), half_width=st.floats(1e-4, 0.3), tolerance=st.floats(0.001, 0.1))
def test_the_chance_of_gain_grows_with_the_forecast(
    now: float, means: tuple[float, float], half_width: float, tolerance: float
) -> None:
    """A higher forecast, a lower level, and a smaller tolerance each make a gain more likely."""
    low, high = sorted(means)
    chance = chance_of_gain(expecting(low, half_width), now, tolerance)
    assert 0 <= chance <= 1
    assert chance <= chance_of_gain(expecting(high, half_width), now, tolerance)
    assert chance <= chance_of_gain(expecting(low, half_width), now - 0.05, tolerance)
    assert chance <= chance_of_gain(expecting(low, half_width), now, tolerance / 2)


@pytest.mark.parametrize(
    ("mean", "half_width", "chance"),
    [(0.81, 0.05, 0.5), (0.86, 0.05, 0.95), (0.76, 0.05, 0.05), (0.82, 0.0, 1.0), (0.80, 0.0, 0.0)],
)
def test_the_chance_of_gain_reads_a_90_percent_interval(mean: float, half_width: float, chance: float) -> None:
    """At the interval's ends it is 5 and 95 %; without any spread it is yes or no."""
    assert chance_of_gain(expecting(mean, half_width), 0.8, 0.01) == pytest.approx(chance, abs=1e-6)


def test_the_chance_of_gain_counts_the_noise_of_a_level() -> None:
    """The level at the end is a median of five: it varies as they do in draws."""
    sigma = 0.02
    levels = np.median(np.random.default_rng(0).normal(0.8, sigma, (200_000, 5)), axis=1)
    chance = chance_of_gain(expecting(0.8, 1e-6, 1.645 * sigma), 0.8, 0.01)
    assert chance == pytest.approx((levels > 0.81).mean(), abs=0.005)


@pytest.mark.parametrize(
    ("values", "now"), [([0.1, 0.2, 0.3], 0.2), ([0.9, 0.1, 0.2, 0.3, 0.4, 0.5], 0.3), ([0.8, 0.8, 0.0, 0.8, 0.8], 0.8)]
)
def test_the_level_is_the_median_of_the_last_five(values: list[float], now: float) -> None:
    """One outlier does not move it."""
    assert level(curve(values)) == pytest.approx(now)


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ([0.0] * 30, CellState.NOT_LEARNED),
        ([0.25] * 30, CellState.NOT_LEARNED),  # everything is foreground
        ([0.29] * 30, CellState.NOT_LEARNED),
        ([0.30] * 30, CellState.DONE),
        ([0.0] * 10 + [0.7] * 20, CellState.DONE),
        ([0.5] * 20 + [0.0] * 10, CellState.COLLAPSED),
        ([0.5] * 27 + [0.0] * 3, CellState.COLLAPSED),
        ([0.5] * 28 + [0.0] * 2, CellState.COLLAPSED),
        ([0.5] * 29 + [0.0], CellState.DONE),  # a late dip, which may pass
        ([0.5] * 26 + [0.0] * 3 + [0.5], CellState.DONE),  # a dip that did pass
        ([0.5] * 27 + [0.25] * 3, CellState.DONE),  # at D0, not under it
        ([0.5] * 27 + [0.2499] * 3, CellState.COLLAPSED),
        ([0.1, 0.2, 0.7], CellState.DONE),
        ([0.7, 0.0, 0.0], CellState.COLLAPSED),
        ([0.7, 0.0], CellState.DONE),
    ],
)
def test_an_ended_curve_has_an_outcome(values: list[float], state: CellState) -> None:
    """It never took off, it fell under D0 and stayed there, or it is done."""
    assert outcome(curve(values), D0) == state


@given(curves)
def test_a_curve_that_has_not_taken_off_has_not_learned(values: list[float]) -> None:
    """Take-off decides between not learned and the rest."""
    learned = outcome(curve(values), D0) != CellState.NOT_LEARNED
    assert not learned or has_taken_off(curve(values), D0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"risk": 0.0},
        {"risk": 0.5},
        {"tolerance_share": 0.3},
        {"tolerance_share": 0.0},
        {"first_evaluation": 2},
        {"x": 1},
    ],
)
def test_settings_that_cannot_be_are_refused(wrong: dict[str, float]) -> None:
    """A stop tolerance above a quarter of the tolerance could make a plateau of its own."""
    with pytest.raises(ValidationError):
        StopSpec.model_validate(wrong)
