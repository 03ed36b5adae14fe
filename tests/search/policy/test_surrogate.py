"""What is known of every configuration while a study runs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from search.analysis.good_enough import EnoughRule
from search.policy.surrogate import Surrogate, fit_surrogate
from storage.records import CellState, PlateauForecast
from tests.helpers.drawn_surface import DEPTHS, NUM_TRAIN, RATIOS, done, drawn_run, plan, waiting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from search.policy.surrogate import SeenCell

PLANS = [plan(ratio, depth) for depth in DEPTHS for ratio in RATIOS]
PRICES = np.array([each.num_cases * 1.3**each.depth for each in PLANS])


def look(cells: Sequence[SeenCell], tolerance: float = 0.01, target: float | None = None) -> Surrogate:
    """What is known of the drawn study."""
    return fit_surrogate(cells, PLANS, PRICES, num_train=NUM_TRAIN, rule=EnoughRule(tolerance, target))


def test_what_was_measured_is_known_best() -> None:
    """Intervals of measured configurations are narrower than those of others, and hold what they measured."""
    cells = [done(each) if each.ratio <= 0.25 else waiting(each) for each in PLANS]
    found = look(cells)
    widths = [upper - lower for lower, upper in map(found.interval, range(len(PLANS)))]
    measured = [width for width, each in zip(widths, PLANS, strict=True) if each.ratio == 0.25]
    waits = [width for width, each in zip(widths, PLANS, strict=True) if each.ratio == 1.0]
    assert max(measured) < min(waits)
    for each in (each for each in PLANS if each.ratio <= 0.25):
        lower, upper = found.interval(found.find(each))
        assert lower < max(p.val_dsc for p in drawn_run(each).curve) < upper


def test_the_recommended_is_the_cheapest_dsc_above_the_floor() -> None:
    """With all known, a low target takes a cheap configuration, and none the one that the law makes best."""
    cells = [done(each) for each in PLANS]
    assert PLANS[look(cells, target=0.5).recommended()].num_cases == 40
    assert PLANS[look(cells, tolerance=0.002).recommended()].depth == 4


def test_an_unforeseen_end_names_no_recommendation() -> None:
    """Where no draw comes near a measurement, what follows from it cannot be told."""
    found = look([done(each) for each in PLANS])
    assert found.recommended_if(0, np.array([5.0, found.mean[0]])) == [None, found.recommended()]


def test_a_stopped_training_counts_with_its_forecast() -> None:
    """Its forecast gain lifts it, the less the wider the forecast is."""
    best = plan(1.0, 3)
    rest = [done(each) for each in PLANS if each != best]
    short = drawn_run(best).curve[:4]
    ends = [
        replace(done(best), curve=short, forecast=PlateauForecast(mean, mean - width, mean + width, "fixed"))
        for mean, width in ((0.85, 0.001), (0.85, 0.1), (0.60, 0.001))
    ]
    sure, unsure, low = (look([*rest, end]) for end in ends)
    index = sure.find(best)
    assert sure.mean[index] > unsure.mean[index] > low.mean[index]


def test_twice_flagged_is_never_recommended() -> None:
    """Two runs that did not learn, and none that did: nothing is hoped of that configuration any more."""
    index = PLANS.index(plan(1.0, 4))
    flagged = [replace(done(replace(PLANS[index], seed=s, key=str(s))), state=CellState.NOT_LEARNED) for s in (0, 1)]
    rest = [done(each) for each in PLANS if each != PLANS[index]]
    assert look([*rest, *flagged[:1]]).mean[index] > 0.5
    assert look([*rest, *flagged]).mean[index] == 0
    assert look([*rest, *flagged]).recommended() != index


def test_repeats_make_a_configuration_better_known() -> None:
    """Four seeds of every cell leave less uncertainty than one, and what is expected of each where it was."""
    one = look([done(each) for each in PLANS])
    four = look([done(replace(each, seed=seed, key=f"{each.key}{seed}")) for each in PLANS for seed in range(4)])
    assert four.mean == pytest.approx(one.mean, abs=0.02)
    assert four.draws.std(axis=0).mean() < 0.8 * one.draws.std(axis=0).mean()
