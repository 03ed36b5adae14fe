"""A wanted DSC read off the data curves."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from storage.variants import Recipe
from tests.helpers.answers import data_curves, row, wanted

if TYPE_CHECKING:
    from typing import Any

    from search.analysis.target import TargetAnswer
    from search.curves.data_curves import DataCurves

NUM_TRAIN = 100
DEEPER = [Recipe("", 4)]
LAWS = {3: lambda n: 0.6 + 0.1 * np.log10(n / 10), 4: lambda n: 0.5 + 0.3 * np.log10(n / 10)}
# Depth 3 gives 0.6 at 10 cases, 0.7 at 100 and 0.73 at 200; depth 4 gives 0.5, 0.8 and 0.89.


def read(target: float, curves: DataCurves | None = None, **about: Any) -> TargetAnswer:
    """What a target takes by the two laws, unless by other curves."""
    return wanted(target, data_curves(LAWS) if curves is None else curves, **about)


@pytest.mark.parametrize(
    ("target", "depth", "cases", "verdict"),
    [
        (0.55, 3, 10, "enough"),  # reached with the fewest cases that were tried: nothing is said of fewer
        (0.64, 3, 26, "enough"),  # 10^1.4 = 25.1; depth 4 takes 30
        (0.70, 4, 47, "enough"),  # 10^(1 + 2/3) = 46.4; depth 3 takes all 100
        (0.80, 4, 100, "enough"),
        (0.85, 4, 147, "annotate"),  # beyond those at hand
        (0.95, 4, None, "out of reach"),  # beyond twice as many
    ],
)
def test_the_network_to_plan_with_is_the_cheapest_that_is_assured(
    target: float, depth: int, cases: int | None, verdict: str
) -> None:
    """Where nothing is recommended, the depth that reaches the target with the fewest cases, else the nearest."""
    found = read(target)
    assert found.chosen is not None
    assert (found.chosen.depth, found.chosen.cases.cases, found.verdict) == (depth, cases, verdict)
    assert found.chosen.assured == cases
    assert not found.is_recommended


def test_how_many_more_counts_what_is_there() -> None:
    """147 of 100 training cases: 47 more; of 200 cases owned, held-out ones among them, none."""
    assert (read(0.85).expected_more, read(0.85).assured_more) == (47, 47)
    assert read(0.85, owned=200).assured_more == 0
    assert read(0.85, owned=120).assured_more == 57
    assert read(0.70).assured_more == 0
    assert read(0.95).assured_more is None


def test_an_assured_number_is_larger_than_the_expected_one() -> None:
    """Curves that may lie higher or lower: as many cases as reach it in half of the draws, and in nine of ten."""
    found = read(0.7, data_curves(LAWS, shifts=np.linspace(-0.05, 0.05, 101)), recipes=DEEPER)
    assert found.chosen is not None
    assert found.chosen.cases.cases == pytest.approx(47, abs=1)
    assert found.chosen.assured == pytest.approx(10 ** (1 + 0.24 / 0.3), abs=2)  # where 0.66 is reached
    assert found.chosen.p_at_hand == 1


@pytest.mark.parametrize(
    ("shift", "verdict"),
    [(0.05, "enough"), (0.0, "uncertain"), (-0.055, "annotate"), (-0.25, "out of reach")],
)
def test_test_cases_make_the_verdict(shift: float, verdict: str) -> None:
    """Enough with 100 cases, surely with up to 200, never, or neither: by the curve on test cases alone."""
    spread = 0.02 if verdict != "uncertain" else 0.2
    test = data_curves(LAWS, shifts=shift + np.linspace(-spread, spread, 101))
    found = read(0.78, test, validation=data_curves(LAWS), recommended=row(100, 1.0, depth=4))
    assert found.verdict == verdict
    assert found.is_recommended
    assert found.p_validation == row(100, 1.0).p_floor


def test_test_cases_never_exchange_the_network() -> None:
    """Depth 3 is recommended on validation cases: however depth 4 does on test cases, the number is that of depth 3."""
    found = read(0.7, recommended=row(100, 1.0, depth=3))
    assert found.chosen is not None
    assert found.chosen.depth == 3


def test_a_lower_assurance_takes_fewer_cases() -> None:
    """Assured is as sure as was asked."""
    curves = data_curves(LAWS, shifts=np.linspace(-0.05, 0.05, 101))
    lower, higher = (read(0.7, curves, recipes=DEEPER, assurance=p).chosen for p in (0.6, 0.95))
    assert lower is not None
    assert higher is not None
    assert lower.assured is not None
    assert higher.assured is not None
    assert lower.assured < higher.assured


def test_out_of_reach_says_how_far_and_what_more_would_bring() -> None:
    """Beyond 2N nothing is extrapolated: the gap at N, the DSC at 2N and the chance there are told instead."""
    chosen = read(0.95, data_curves(LAWS, shifts=np.linspace(-0.1, 0.1, 101))).chosen
    assert chosen is not None
    assert chosen.cases.cases is None
    assert chosen.cases.ratio is None
    assert chosen.cases.interval.upper == 2 * NUM_TRAIN
    assert chosen.cases.capped
    assert chosen.shortfall == pytest.approx(0.15)
    assert (chosen.shortfall_interval.lower, chosen.shortfall_interval.upper) == pytest.approx((0.06, 0.24))
    assert chosen.dsc_doubled == pytest.approx(0.5 + 0.3 * np.log10(20), abs=1e-3)
    assert chosen.p_at_hand == 0
    assert chosen.p_doubled == pytest.approx(0.2, abs=0.02)  # shifts above 0.0597 of -0.1 to 0.1


def test_one_new_run_has_the_wider_interval() -> None:
    """Noise between runs widens the number of cases for a single run, and leaves the one for the mean alone."""
    quiet = data_curves(LAWS, shifts=np.zeros(200))
    found = read(0.7, replace(quiet, luck=np.linspace(-0.03, 0.03, 200)), recipes=DEEPER).chosen
    assert found is not None
    assert (found.cases.interval.lower, found.cases.interval.upper) == (47, 47)
    assert found.run_interval.lower < 40
    assert found.run_interval.upper > 55
    assert found.p_at_hand == found.p_run == 1


def test_without_a_curve_nothing_can_be_told() -> None:
    """No recipe has a curve: neither a network nor a number is made up."""
    found = read(0.7, recipes=())
    assert (found.chosen, found.verdict, found.assured_more) == (None, "cannot tell", None)
