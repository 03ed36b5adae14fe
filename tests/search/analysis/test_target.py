"""A wanted DSC read off the data curves."""

from __future__ import annotations

import numpy as np
import pytest

from search.analysis.target import target_answer
from storage.variants import Recipe
from tests.helpers.answers import data_curves, row

NUM_TRAIN = 100
BOTH = [Recipe("", 3), Recipe("", 4)]
LAWS = {3: lambda n: 0.6 + 0.1 * np.log10(n / 10), 4: lambda n: 0.5 + 0.3 * np.log10(n / 10)}
# Depth 3 gives 0.6 at 10 cases, 0.7 at 100 and 0.73 at 200; depth 4 gives 0.5, 0.8 and 0.89.


@pytest.mark.parametrize(
    ("target", "depth", "cases", "extrapolated"),
    [
        (0.55, 3, 10, False),  # reached with the fewest cases that were tried: nothing is said of fewer
        (0.64, 3, 26, False),  # 10^1.4 = 25.1; depth 4 takes 30
        (0.70, 4, 47, False),  # 10^(1 + 2/3) = 46.4; depth 3 takes all 100
        (0.80, 4, 100, False),
        (0.85, 4, 147, True),  # beyond those at hand
        (0.95, 4, None, True),  # beyond twice as many
    ],
)
def test_the_fewest_cases_of_any_depth(target: float, depth: int, cases: int | None, *, extrapolated: bool) -> None:
    """The smallest number of cases whose expected DSC reaches the target, at the depth that gets by with the fewest."""
    found = target_answer({"": data_curves(LAWS)}, BOTH, [], target=target, num_train=NUM_TRAIN)
    assert found.best is not None
    assert (found.best.depth, found.best.cases.cases, found.best.extrapolated) == (depth, cases, extrapolated)


def test_out_of_reach_says_how_far_and_what_more_would_bring() -> None:
    """Beyond 2N nothing is extrapolated: the gap at N, the DSC at 2N and the chance there are told instead."""
    curves = data_curves(LAWS, shifts=np.linspace(-0.1, 0.1, 101))
    found = target_answer({"": curves}, BOTH, [], target=0.95, num_train=NUM_TRAIN)
    best = found.best
    assert best is not None
    assert best.cases.cases is None
    assert best.cases.ratio is None
    assert best.cases.interval.upper == 2 * NUM_TRAIN
    assert best.cases.capped
    assert best.shortfall == pytest.approx(0.15)
    assert (best.shortfall_interval.lower, best.shortfall_interval.upper) == pytest.approx((0.06, 0.24))
    assert best.dsc_doubled == pytest.approx(0.5 + 0.3 * np.log10(20), abs=1e-3)
    assert best.p_at_hand == 0
    assert best.p_doubled == pytest.approx(0.2, abs=0.02)  # shifts above 0.0597 of -0.1 to 0.1


def test_one_new_run_has_the_wider_interval() -> None:
    """Noise between runs widens the number of cases for a single run, and leaves the one for the mean alone."""
    quiet = data_curves(LAWS, shifts=np.zeros(200))
    noisy = quiet.__class__(**{**vars(quiet), "new_run": np.linspace(-0.03, 0.03, 200)})
    found = target_answer({"": noisy}, BOTH[1:], [], target=0.7, num_train=NUM_TRAIN).best
    assert found is not None
    assert (found.cases.interval.lower, found.cases.interval.upper) == (47, 47)
    assert found.run_interval.lower < 40
    assert found.run_interval.upper > 55


def test_the_cheapest_is_the_lowest_price_among_the_eligible() -> None:
    """Cost per DSC ranks; a wanted DSC asks for the lowest price, measured or forecast; ties: fewer cases."""
    dear, cheap, unlikely = row(10, 300.0), row(30, 200.0), row(5, 1.0, eligible=False)
    tie = row(20, 200.0, test_dsc=None, test_forecast=dear.test_dsc, seeds=0)
    found = target_answer({}, [], [dear, cheap, unlikely, tie], target=0.7, num_train=NUM_TRAIN)
    assert found.cheapest is tie
    assert found.best is None
    assert target_answer({}, [], [unlikely], target=0.7, num_train=NUM_TRAIN).cheapest is None
