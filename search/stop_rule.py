"""When a training may end before its budget, and what a curve amounts to: pure, on validation scores alone."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import BaseModel, Field

from storage.records import CellState, PlateauForecast

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.forecaster.forecast import Forecast, Forecaster
    from storage.records import Evaluation

TAKE_OFF_ABOVE_D0 = 0.05
LEVEL_OVER = 5
STAYS_UNDER = 2


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


@dataclass(frozen=True)
class StopDecision:
    """Stop this training, for this reason, with this forecast of its last evaluation."""

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
) -> StopDecision | None:
    """Whether a running training has reached its plateau.

    It stops when it has taken off and the forecast chance that its level rises by more than the stop tolerance over
    the rest of the budget is under the risk.

    Args:
        curve: Its evaluations so far.
        evaluations: Evaluations in the full budget.
        d0: Mean validation DSC of "everything is foreground".
        tolerance: The study's tolerance in DSC.
        spec: The rule's settings.
        forecaster: What forecasts the rest.
    """
    if not spec.first_evaluation <= len(curve) < evaluations or not has_taken_off(curve, d0):
        return None
    x = np.array([p.evaluation for p in curve], dtype=np.float64)
    y = np.array([p.val_dsc for p in curve], dtype=np.float64)
    forecast = forecaster.forecast(x, y, np.array([float(evaluations)]))
    stop_tolerance = spec.tolerance_share * tolerance
    now = level(curve)
    chance = chance_of_gain(forecast, now, stop_tolerance)
    if chance >= spec.risk:
        return None
    reason = (
        f"plateau reached: at evaluation {len(curve)} of {evaluations} the level is {now:.4f}, and the chance of more "
        f"than +{stop_tolerance:.4f} is {chance:.2f} (risk {spec.risk:g}, {forecast.method})"
    )
    end = PlateauForecast(
        float(forecast.mean[0]), float(forecast.mean_lower[0]), float(forecast.mean_upper[0]), forecast.method
    )
    return StopDecision(reason, end)


def chance_of_gain(forecast: Forecast, now: float, stop_tolerance: float) -> float:
    """The chance that the expected value at the forecast's one position lies more than the tolerance above ``now``."""
    return float(forecast.chance_above(now + stop_tolerance)[0])


def level(curve: Sequence[Evaluation]) -> float:
    """The level of a curve: the median of its last five evaluations."""
    return median(p.val_dsc for p in curve[-LEVEL_OVER:])


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
