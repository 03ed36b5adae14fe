"""What a recommendation loses against the truth, where that is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Regret:
    """By the page of definitions.

    Attributes:
        dsc_regret: DSC that the recommended configuration lacks to the floor.
        cost_regret: Its price beyond that of the right configuration, as a share of the latter.
        case_error: Distance of its number of cases from the right one, as a share of all cases.
    """

    dsc_regret: float
    cost_regret: float
    case_error: float


def right_configuration(truth: Floats, prices: Floats, tolerance: float, target: float | None = None) -> int:
    """The cheapest DSC among configurations that reach the floor, by noise-free DSC, both of shape (J,)."""
    floor = _floor(truth, tolerance, target)
    cost = np.where(truth >= floor, prices / np.maximum(truth, 1e-6), np.inf)
    return int(cost.argmin())


def regret(
    recommended: int,
    truth: Floats,
    prices: Floats,
    num_cases: Floats,
    *,
    num_train: int,
    tolerance: float,
    target: float | None = None,
) -> Regret:
    """Regret of recommending one of J configurations.

    Args:
        recommended: Which one.
        truth: Noise-free DSC of each, shape (J,).
        prices: Of each, shape (J,).
        num_cases: Of each, shape (J,).
        num_train: Training cases at hand, N.
        tolerance: In DSC.
        target: DSC to reach, or None: the best less the tolerance.
    """
    right = right_configuration(truth, prices, tolerance, target)
    return Regret(
        dsc_regret=float(max(0.0, _floor(truth, tolerance, target) - truth[recommended])),
        cost_regret=float(prices[recommended] / prices[right] - 1),
        case_error=float(abs(num_cases[recommended] - num_cases[right]) / num_train),
    )


def _floor(truth: Floats, tolerance: float, target: float | None) -> float:
    """The DSC to reach; a target that nothing reaches asks for the best."""
    best = float(truth.max())
    return best - tolerance if target is None else min(best, target)
