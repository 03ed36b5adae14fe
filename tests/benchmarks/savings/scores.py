"""Regrets of a recommendation against a surface without noise, and their intervals over surfaces and orders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from search.prices import case_price, training_price
from tests.benchmarks.savings.answers import NUM_TEST, NUM_VALIDATION, PRICES, TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tests.benchmarks.savings.surface import Outcome, Surface

    Floats = NDArray[np.float64]

STOP_TOLERANCE = TOLERANCE / 4
BOOTSTRAPS = 2000


@dataclass(frozen=True)
class Truth:
    """What the answer rule says of a surface without noise.

    Attributes:
        right: The cheapest DSC of the cells that reach the floor.
        floor: The best DSC less the tolerance.
        prices: Of one full training of each cell and its cases, shape (C,).
    """

    right: int
    floor: float
    prices: Floats


@dataclass(frozen=True)
class Scores:
    """Scores of one outcome; NaN where it makes no such claim.

    Attributes:
        share: Of the full grid's device seconds.
        dsc_regret: DSC that the recommended cell lacks to the floor.
        cost_regret: Price of the recommended cell over that of the right one, less 1; negative where it is cheaper.
        case_error: Distance of its cases from those of the right one, as a share of all cases.
        plateau_error: Distance of the cases said to be enough from those that are, at the recommended depth, as a
            share of all cases.
        filled_error: Mean distance of filled cells from the truth.
        filled_coverage: Share of filled cells whose interval for one new run holds the recorded run.
        risk: Share of cells ended at their plateau whose level still rose by more than the stop tolerance.
        lost_dsc: Mean test DSC that those cells lost by being ended.
    """

    share: float
    dsc_regret: float
    cost_regret: float
    case_error: float
    plateau_error: float
    filled_error: float
    filled_coverage: float
    risk: float
    lost_dsc: float


@dataclass(frozen=True)
class Summary:
    """A score over surfaces and orders: mean, its 90 % bootstrap interval, the worst, and how many make the claim."""

    mean: float
    lower: float
    upper: float
    worst: float
    count: int


def truth_of(surface: Surface) -> Truth:
    """The answer rule without noise: every cell's DSC is known, so that no curve is fitted and no chance is left."""
    seconds = surface.seconds.sum(axis=1)
    prices = np.array(
        [
            training_price(PRICES, device="gpu", seconds=s) + case_price(PRICES, int(n) + NUM_VALIDATION + NUM_TEST)
            for s, n in zip(seconds, surface.cases, strict=True)
        ]
    )
    floor = float(surface.truth.max() - TOLERANCE)
    cost_per_dsc = np.where(surface.truth >= floor, prices / surface.truth, np.inf)
    return Truth(int(cost_per_dsc.argmin()), floor, prices)


def enough_cases(surface: Surface, depth: int) -> int:
    """Fewest cases of the grid within the tolerance of all cases at one depth, without noise."""
    own = surface.depth == depth
    dsc, cases = surface.truth[own], surface.cases[own]
    return int(cases[dsc[-1] - dsc <= TOLERANCE].min())


def scores_of(surface: Surface, outcome: Outcome) -> Scores:
    """All scores of one outcome."""
    truth, rec = truth_of(surface), outcome.recommended
    enough = enough_cases(surface, int(surface.depth[rec]))
    said = np.nan if outcome.sufficient_cases is None else outcome.sufficient_cases
    error, coverage = _filled_scores(surface, outcome)
    risk, lost = _stop_scores(surface, outcome)
    return Scores(
        share=outcome.seconds / surface.grid_seconds,
        dsc_regret=max(0.0, truth.floor - float(surface.truth[rec])),
        cost_regret=float(truth.prices[rec] / truth.prices[truth.right] - 1),
        case_error=abs(int(surface.cases[rec]) - int(surface.cases[truth.right])) / surface.num_train,
        plateau_error=abs(said - enough) / surface.num_train,
        filled_error=error,
        filled_coverage=coverage,
        risk=risk,
        lost_dsc=lost,
    )


def summarise(values: Floats, *, seed: int = 0) -> Summary:
    """Summarise a score of S surfaces in O orders each, shape (S, O): resampled are surfaces, then their orders."""
    num_surfaces, num_orders = values.shape
    if np.isnan(values).all():
        return Summary(np.nan, np.nan, np.nan, np.nan, 0)
    rng = np.random.default_rng(seed)
    surfaces = rng.integers(num_surfaces, size=(BOOTSTRAPS, num_surfaces))
    orders = rng.integers(num_orders, size=(BOOTSTRAPS, num_surfaces, num_orders))
    drawn = values[surfaces[:, :, None], orders].reshape(BOOTSTRAPS, -1)
    claims = ~np.isnan(drawn)
    means = np.nansum(drawn, axis=1)[claims.any(axis=1)] / claims.sum(axis=1)[claims.any(axis=1)]
    lower, upper = np.percentile(means, [5, 95])
    return Summary(
        float(np.nanmean(values)),
        float(lower),
        float(upper),
        float(np.nanmax(values)),
        int((~np.isnan(values)).sum()),
    )


def _filled_scores(surface: Surface, outcome: Outcome) -> tuple[float, float]:
    """Mean error, and coverage of the intervals if there are any."""
    errors = [abs(each.dsc - surface.truth[each.cell]) for each in outcome.filled]
    covered = [
        each.run_interval.lower <= _full_run_test(surface, each.cell, surface.evaluations) <= each.run_interval.upper
        for each in outcome.filled
        if each.run_interval is not None
    ]
    return _mean(errors), _mean(covered)


def _stop_scores(surface: Surface, outcome: Outcome) -> tuple[float, float]:
    """Risk, and test DSC lost."""
    stops = outcome.stopped_at.items()
    end = surface.evaluations
    missed = [surface.level[cell, -1] - surface.level[cell, at - 1] > STOP_TOLERANCE for cell, at in stops]
    lost = [_full_run_test(surface, cell, end) - _full_run_test(surface, cell, at) for cell, at in stops]
    return _mean(missed), _mean(lost)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else np.nan


def _full_run_test(surface: Surface, cell: int, trained: int) -> float:
    """Test DSC at the best validation evaluation among the first ``trained``."""
    return float(surface.test[cell, surface.best_evaluation(cell, trained)])


def corner_counts(surfaces: Sequence[Surface]) -> tuple[int, int]:
    """Surfaces whose right answer, and whose best DSC, is the deepest network with all cases: the last cell."""
    last = [surface.num_cells - 1 for surface in surfaces]
    right = sum(truth_of(surface).right == corner for surface, corner in zip(surfaces, last, strict=True))
    best = sum(int(surface.truth.argmax()) == corner for surface, corner in zip(surfaces, last, strict=True))
    return right, best
