"""What a recommendation loses against the truth, where that is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from search.analysis.good_enough import EnoughRule

if TYPE_CHECKING:
    import numpy as np
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
    rule = EnoughRule(tolerance, target, out_of_reach="lowered")
    right = int(rule.right(truth, prices))
    return Regret(
        dsc_regret=float(max(0.0, rule.floor(truth.max()) - truth[recommended])),
        cost_regret=float(prices[recommended] / prices[right] - 1),
        case_error=float(abs(num_cases[recommended] - num_cases[right]) / num_train),
    )
