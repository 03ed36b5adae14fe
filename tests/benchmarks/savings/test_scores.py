"""The scores of the savings benchmark are those of a table worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from search.curves.intervals import Interval
from tests.benchmarks.savings.scores import corner_counts, enough_cases, scores_of, summarise, truth_of
from tests.benchmarks.savings.surface import FilledCell, Outcome, Surface

EVALUATIONS = 10


@pytest.fixture
def surface() -> Surface:
    """Two depths with 100, 200 and 400 cases; an hour of training each, so 2 USD; 5 USD a case, 300 held out."""
    flat = np.ones((6, EVALUATIONS))
    truth = np.array([0.70, 0.78, 0.80, 0.72, 0.793, 0.79])
    return Surface(
        name="by hand",
        recorded=pd.DataFrame(),
        depth=np.array([3, 3, 3, 4, 4, 4]),
        ratio=np.array([0.25, 0.5, 1.0] * 2),
        cases=np.array([100, 200, 400] * 2),
        truth=truth,
        validation=truth[:, None] * flat,
        test=(truth + np.array([0, 0, 0.01, 0, 0, 0]))[:, None] * flat,
        level=truth[:, None] * flat,
        seconds=360 * flat,
    )


def test_truth(surface: Surface) -> None:
    """The floor is the best DSC less the tolerance; right is the cheapest DSC from there on, without any fit."""
    truth = truth_of(surface)
    assert truth.floor == pytest.approx(0.79)
    assert truth.right == 4
    assert truth.prices == pytest.approx([2002, 2502, 3502] * 2)
    assert [enough_cases(surface, depth) for depth in (3, 4)] == [400, 200]


@pytest.mark.parametrize(
    ("recommended", "dsc_regret", "cost_regret", "case_error"),
    [(4, 0.0, 0.0, 0.0), (2, 0.0, 1000 / 2502, 0.5), (0, 0.09, -500 / 2502, 0.25), (1, 0.01, 0.0, 0.0)],
)
def test_regrets(surface: Surface, recommended: int, dsc_regret: float, cost_regret: float, case_error: float) -> None:
    """DSC below the floor, price above the right one's, and cases away from it are three regrets."""
    scores = scores_of(surface, Outcome(5400.0, recommended, None))
    assert scores.share == pytest.approx(0.25)
    assert scores.dsc_regret == pytest.approx(dsc_regret)
    assert scores.cost_regret == pytest.approx(cost_regret)
    assert scores.case_error == pytest.approx(case_error)
    assert np.isnan([scores.plateau_error, scores.filled_error, scores.filled_coverage, scores.risk]).all()


def test_error_of_the_plateau(surface: Surface) -> None:
    """What is said to be enough is judged at the recommended depth."""
    assert scores_of(surface, Outcome(0.0, 4, 300)).plateau_error == pytest.approx(0.25)
    assert scores_of(surface, Outcome(0.0, 2, 300)).plateau_error == pytest.approx(0.25)
    assert scores_of(surface, Outcome(0.0, 2, 400)).plateau_error == 0


def test_filled_cells(surface: Surface) -> None:
    """A filled cell is held against the truth, its interval against the run that was recorded there."""
    filled = [
        FilledCell(2, 0.80, Interval(0.79, 0.805)),
        FilledCell(5, 0.81, Interval(0.78, 0.84)),
    ]  # recorded: 0.81, 0.79
    scores = scores_of(surface, Outcome(0.0, 4, None, filled))
    assert scores.filled_error == pytest.approx(0.01)
    assert scores.filled_coverage == 0.5
    unsure = scores_of(surface, Outcome(0.0, 4, None, [FilledCell(5, 0.81, None)]))
    assert unsure.filled_error == pytest.approx(0.02)
    assert np.isnan(unsure.filled_coverage)


def test_stops(surface: Surface) -> None:
    """The risk counts stops whose level rose by more than a quarter of the tolerance; a lucky high is no level."""
    rising, lucky = np.linspace(0.5, 0.8, EVALUATIONS), np.full(EVALUATIONS, 0.7)
    lucky[8] = 0.75
    curves, level = surface.validation.copy(), surface.level.copy()
    curves[1], curves[2] = rising, lucky
    level[1], level[2] = rising, 0.7
    surface = replace(surface, validation=curves, test=curves, level=level)
    scores = scores_of(surface, Outcome(0.0, 4, None, stopped_at={1: 5, 2: 5}))
    assert scores.risk == 0.5
    assert scores.lost_dsc == pytest.approx((0.8 - rising[4] + 0.05) / 2)


def test_corners(surface: Surface) -> None:
    """The corner is counted where it is right, and where it is best."""
    deep = replace(surface, truth=np.array([0.5, 0.5, 0.5, 0.5, 0.5, 0.9]))
    near = replace(surface, truth=np.array([0.5, 0.5, 0.5, 0.5, 0.895, 0.9]))
    assert corner_counts([surface, deep, near]) == (1, 2)


def test_summary() -> None:
    """Mean and worst are plain; the interval resamples surfaces, of which an even score shows none."""
    even = summarise(np.full((4, 2), 0.3))
    assert (even.mean, even.lower, even.upper, even.worst, even.count) == pytest.approx((0.3, 0.3, 0.3, 0.3, 8))
    mixed = summarise(np.repeat([[0.0], [1.0]], 50, axis=1))
    assert (mixed.lower, mixed.mean, mixed.upper) == (0.0, 0.5, 1.0)


def test_summary_of_claims_that_are_not_made() -> None:
    """Where a claim is not made it counts for nothing, and is counted."""
    some = summarise(np.array([[np.nan], [0.2]]))
    assert (some.mean, some.worst, some.count) == (0.2, 0.2, 1)
    assert summarise(np.full((3, 1), np.nan)).count == 0
