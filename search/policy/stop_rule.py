"""When a training may end before its budget, and what a curve amounts to: pure, on validation scores alone."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import BaseModel, Field

from storage.records import CellState, PlateauForecast

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from models.forecaster.forecast import Forecast
    from models.forecaster.interface import Forecaster
    from models.forecaster.siblings import Siblings
    from storage.records import Evaluation

    Floats = NDArray[np.float64]

TAKE_OFF_ABOVE_D0 = 0.05
LEVEL_OVER = 5
LEVEL_NOISE = 0.287  # variance of the median of five independent normal values, in that of one
STAYS_UNDER = 2
LONG_UNDER_D0 = 0.6  # of the budget
LUCK = 1.3  # standard deviations by which the best of about ten evaluations lies above their level
JITTER_OVER = 12  # evaluations
MOST_JITTER = 0.01  # in DSC; what bends more is the curve itself
LEAST_FOR_JITTER = 4


class StopSpec(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """When the forecast may stop a training.

    Attributes:
        risk: The largest accepted share of stops that would have gained more than the stop tolerance.
        tolerance_share: The stop tolerance as a share of the study's tolerance; at most a quarter, so that stopping
            cannot make a plateau.
        first_evaluation: No stop before this evaluation.
        forecaster: What forecasts the rest: the fitted network, or two parametric laws.
    """

    risk: Annotated[float, Field(gt=0, lt=0.5)] = 0.1
    tolerance_share: Annotated[float, Field(gt=0, le=0.25)] = 0.25
    first_evaluation: Annotated[int, Field(ge=3)] = 6
    forecaster: Literal["lstm", "parametric"] = "lstm"


StopKind = Literal["plateau", "cannot_matter", "not_learned", "collapsed"]


@dataclass(frozen=True)
class StopDecision:
    """Stop this training, for this reason, with this forecast of its last evaluation.

    Attributes:
        kind: What was decided; a training that cannot matter is not tested.
        reason: The same for a reader, with the values it was decided on.
        forecast: Of validation DSC at the last evaluation of the full budget.
    """

    kind: StopKind
    reason: str
    forecast: PlateauForecast


def decide(
    curve: Sequence[Evaluation],
    *,
    evaluations: int,
    d0: float,
    tolerance: float,
    spec: StopSpec,
    forecaster: Forecaster,
    siblings: Siblings | None = None,
    cannot_matter: Callable[[PlateauForecast], bool] | None = None,
) -> StopDecision | None:
    """Whether a running training is to end now.

    Args:
        curve: Its evaluations so far.
        evaluations: Evaluations in the full budget.
        d0: Mean validation DSC of "everything is foreground".
        tolerance: The study's tolerance in DSC.
        spec: The rule's settings.
        forecaster: What forecasts the rest.
        siblings: Other curves of the study, near this one first.
        cannot_matter: Whether the recommendation stays as it is all over the interval of a forecast; None where all
            matters.
    """
    if not spec.first_evaluation <= len(curve) < evaluations:
        return None
    forecast = _forecast(curve, evaluations, forecaster, siblings)
    state = _trouble(curve, evaluations, d0)
    if state is not None:
        return _stop_in_trouble(state, forecast, curve, evaluations, d0=d0, spec=spec)
    if not has_taken_off(curve, d0) or curve[-1].val_dsc < d0:
        return None
    return _stop_at_plateau(forecast, curve, evaluations, tolerance, spec) or _stop_needless(
        forecast, curve, evaluations, cannot_matter
    )


def _forecast(
    curve: Sequence[Evaluation], evaluations: int, forecaster: Forecaster, siblings: Siblings | None
) -> Forecast:
    x = np.array([p.evaluation for p in curve], dtype=np.float64)
    y = np.array([p.val_dsc for p in curve], dtype=np.float64)
    return forecaster.forecast(x, y, np.array([float(evaluations)]), siblings)


def _stop_at_plateau(
    forecast: Forecast, curve: Sequence[Evaluation], evaluations: int, tolerance: float, spec: StopSpec
) -> StopDecision | None:
    """It stops when the forecast chance that its level rises by more than the stop tolerance is under the risk."""
    stop_tolerance = spec.tolerance_share * tolerance
    now = level(curve)
    chance = chance_of_gain(forecast, now, stop_tolerance)
    if chance >= spec.risk:
        return None
    reason = (
        f"plateau reached: at evaluation {len(curve)} of {evaluations} the level is {now:.4f}, and the chance of more "
        f"than +{stop_tolerance:.4f} is {chance:.2f} (risk {spec.risk:g}, {forecast.method})"
    )
    return StopDecision("plateau", reason, _expected_end(forecast))


def _stop_needless(
    forecast: Forecast,
    curve: Sequence[Evaluation],
    evaluations: int,
    cannot_matter: Callable[[PlateauForecast], bool] | None,
) -> StopDecision | None:
    """It stops when no end within the forecast moves the recommendation."""
    end = _measured_end(forecast)
    if cannot_matter is None or not cannot_matter(end):
        return None
    reason = (
        f"cannot matter: at evaluation {len(curve)} of {evaluations} its end is forecast at {end.mean:.4f} "
        f"[{end.lower:.4f}, {end.upper:.4f}], and the recommendation is the same all over it ({forecast.method})"
    )
    return StopDecision("cannot_matter", reason, end)


def _stop_in_trouble(
    state: Literal["not_learned", "collapsed"],
    forecast: Forecast,
    curve: Sequence[Evaluation],
    evaluations: int,
    *,
    d0: float,
    spec: StopSpec,
) -> StopDecision | None:
    """It stops when the forecast sees no return: the chance that it ends above take-off is under the risk."""
    chance = float(forecast.chance_above(d0 + TAKE_OFF_ABOVE_D0)[0])
    if chance >= spec.risk:
        return None
    what = "has not taken off" if state == "not_learned" else f"has stayed under D0 = {d0:.3f}"
    reason = (
        f"{state.replace('_', ' ')}: at evaluation {len(curve)} of {evaluations} it {what}, and the chance of a return "
        f"is {chance:.2f} (risk {spec.risk:g}, {forecast.method})"
    )
    return StopDecision(state, reason, _measured_end(forecast))


def _trouble(curve: Sequence[Evaluation], evaluations: int, d0: float) -> Literal["not_learned", "collapsed"] | None:
    """Not learned: no take-off by half the budget. Collapsed: under D0 for a long time after take-off.

    A dip that is shorter returns often: plain BCE falls to 0 for up to half a budget and comes back.
    """
    if len(curve) >= evaluations // 2 and not has_taken_off(curve, d0):
        return "not_learned"
    long = int(np.ceil(LONG_UNDER_D0 * evaluations))
    return "collapsed" if len(curve) > long and all(p.val_dsc < d0 for p in curve[-long:]) else None


def _expected_end(forecast: Forecast) -> PlateauForecast:
    mean, lower, upper = (float(values[0]) for values in (forecast.mean, forecast.mean_lower, forecast.mean_upper))
    return PlateauForecast(mean, lower, upper, forecast.method)


def _measured_end(forecast: Forecast) -> PlateauForecast:
    mean, lower, upper = (float(values[0]) for values in (forecast.mean, forecast.lower, forecast.upper))
    return PlateauForecast(mean, lower, upper, forecast.method)


def chance_of_gain(forecast: Forecast, now: float, stop_tolerance: float) -> float:
    """The chance that the level at the forecast's one position lies more than the tolerance above ``now``.

    That level will be a median of five evaluations too, with noise of its own.
    """
    return float(forecast.chance_above(now + stop_tolerance, LEVEL_NOISE)[0])


def level(curve: Sequence[Evaluation]) -> float:
    """The level of a curve: the median of its last five evaluations."""
    return median(p.val_dsc for p in curve[-LEVEL_OVER:])


def remaining_gain(curve: Sequence[Evaluation], end: float) -> float:
    """How far the best validation DSC is forecast to rise until the last evaluation, at least 0.

    The best of many noisy evaluations lies above the level, now and at the end: by as much, it is assumed, as LUCK
    standard deviations of the evaluations around their neighbours' mean.
    """
    values = np.array([p.val_dsc for p in curve])
    luck = LUCK * min(_jitter(values), MOST_JITTER)
    return max(0.0, min(1.0, end + luck) - float(values.max()))


def _jitter(values: Floats) -> float:
    """Standard deviation of the last evaluations around the straight line through their neighbours."""
    last = values[-JITTER_OVER:]
    if len(last) < LEAST_FOR_JITTER:
        return 0.0
    bends = last[1:-1] - (last[:-2] + last[2:]) / 2
    return float(np.sqrt(np.mean(bends**2) / 1.5))  # of independent noise a bend has 1.5 times the variance


def has_taken_off(curve: Sequence[Evaluation], d0: float) -> bool:
    """Whether the best validation DSC is clearly above that of "everything is foreground"."""
    return any(p.val_dsc >= d0 + TAKE_OFF_ABOVE_D0 for p in curve)


def outcome(curve: Sequence[Evaluation], d0: float) -> CellState:
    """What a training that has ended amounts to: done, not learned, or collapsed.

    Not learned: it never took off. Collapsed: after take-off it fell under D0 and stayed there to the end, for
    two evaluations or more.
    """
    if not has_taken_off(curve, d0):
        return CellState.NOT_LEARNED
    if all(p.val_dsc < d0 for p in curve[-STAYS_UNDER:]):
        return CellState.COLLAPSED
    return CellState.DONE
