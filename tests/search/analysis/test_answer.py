"""The answer to a study, from finished cells to the recommended configuration."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from search.analysis.answer import Answer
from search.analysis.recommendation import NOTHING_LEARNED
from search.curves.measurements import Measurement, Planned
from search.prices import PriceSpec
from tests.helpers.measured_surface import ASYMPTOTES, RATIOS, ask, cell, decisions, surface


@pytest.mark.parametrize("target", [None, 0.7])
def test_no_decision_reads_a_test_value(target: float | None) -> None:
    """With noise for every test value, recommendation, order, eligibility and validation curves stay as they were."""
    rng = np.random.default_rng(9)
    measured = surface(seeds=2)
    noisy = [dataclasses.replace(each, test=rng.uniform(0, 1, 90)) for each in measured]
    before, after = ask(measured, target=target), ask(noisy, target=target)
    assert decisions(before) == decisions(after)
    assert before.recommended is not None
    assert after.recommended is not None
    assert (before.recommended.depth, before.recommended.num_cases) == (
        after.recommended.depth,
        after.recommended.num_cases,
    )
    assert (before.floor, before.reason) == (after.floor, after.reason)
    assert [depth.on_validation for depth in before.depths] == [depth.on_validation for depth in after.depths]
    assert [depth.on_test for depth in before.depths] != [depth.on_test for depth in after.depths]


def test_the_recommended_configuration_is_the_cheapest_dsc_above_the_floor() -> None:
    """It has rank 1, reaches the floor with P >= 0.5, and no eligible row costs less per DSC."""
    given = ask(surface())
    assert given.recommended == given.ranking[0]
    assert given.recommended is not None
    assert given.recommended.rank == 1
    eligible = [row for row in given.ranking if row.eligible]
    assert given.recommended.cost_per_dsc == min(row.cost_per_dsc for row in eligible if row.cost_per_dsc)
    assert all(row.p_floor is not None and row.p_floor >= 0.5 for row in eligible)


def test_price_and_cost_per_dsc_by_hand() -> None:
    """350 cases at 4 hours of GPU: 4 x 2 + 5 x (350 + 100) = 2258, over 100 x the fitted 0.5 points of DSC: 45.16."""
    flat = cell(3, 0.5, validation=np.full(40, 0.5), test=np.full(60, 0.6), budget_seconds=4 * 3600.0)
    row = ask([flat]).ranking[0]
    assert row.price == pytest.approx(2258)
    assert row.validation_fitted == pytest.approx(0.5, abs=0.001)
    assert row.cost_per_dsc == pytest.approx(45.16, rel=0.002)
    assert row.test_dsc.value == pytest.approx(0.6)


@pytest.mark.parametrize("owned", [0, 50, 5000])
def test_the_price_is_from_scratch(owned: int) -> None:
    """What is owned already changes what is still to be paid, and no price in the ranking."""
    only = cell(3, 0.5, budget_seconds=4 * 3600.0)
    assert ask([only], prices=PriceSpec(owned_cases=owned)).ranking[0].price == pytest.approx(2258)


def test_a_target_is_the_floor() -> None:
    """A low target makes a cheaper configuration enough than the best within the data does."""
    free, low = ask(surface()), ask(surface(), target=0.55)
    assert low.floor == pytest.approx(0.55)
    assert low.recommended is not None
    assert free.recommended is not None
    assert low.recommended.price < free.recommended.price


def test_a_target_out_of_reach_recommends_nothing() -> None:
    """Nothing is recommended that misses the target; the reason names the nearest configuration."""
    given = ask(surface(), target=0.95)
    assert given.recommended is None
    assert given.reason is not None
    assert "target DSC of 0.95" in given.reason
    assert "depth 4 with 700 cases" in given.reason
    assert all(row.rank is None for row in given.ranking)


def test_where_nothing_is_likely_the_likeliest_is_named_as_such() -> None:
    """Among many that cannot be told apart each may be unlikely to be best: the answer says that it cannot tell."""
    rng = np.random.default_rng(0)
    equal = [cell(3, ratio, validation=0.6 + rng.permutation(np.linspace(-0.3, 0.3, 40))) for ratio in RATIOS]
    given = ask(dataclasses.replace(each, depth=depth) for depth, each in enumerate(equal, start=2))
    assert given.recommended is not None
    assert given.recommended.p_floor == max(row.p_floor for row in given.ranking if row.p_floor is not None)
    if not given.recommended.eligible:
        assert given.reason is not None
        assert "cannot tell" in given.reason


@pytest.mark.parametrize("measured", [[], [cell(3, 0.2, flag="not_learned"), cell(4, 0.2, flag="collapsed")]])
def test_without_anything_learned_there_is_no_recommendation(measured: list[Measurement]) -> None:
    """No cell, or only flagged ones: the answer says so, lists them, and stays readable as JSON."""
    given = ask(measured)
    assert (given.recommended, given.reason, given.floor) == (None, NOTHING_LEARNED, None)
    assert [each.key for each in given.flagged] == [each.key for each in measured]
    assert [row.flag for row in given.ranking] == [each.flag for each in measured]
    assert all(depth.on_test is None and depth.reason is not None for depth in given.depths)
    json.dumps(given.to_dict(), allow_nan=False)


def test_flagged_runs_touch_no_fit() -> None:
    """A collapsed repeat changes no row of the learned configurations, and is listed."""
    collapsed = cell(4, 1.0, seed=5, validation=np.zeros(40), test=np.zeros(60), flag="collapsed")
    clean, flagged = ask(surface()), ask([*surface(), collapsed])
    assert flagged.ranking == clean.ranking
    assert [each.key for each in flagged.flagged] == [collapsed.key]
    assert [(depth.num_flagged, depth.num_measured) for depth in flagged.depths] == [(0, 6), (0, 6), (1, 7)]


def test_one_ratio_has_no_curve_but_a_ranking() -> None:
    """One number of cases gives no data curve, and the reason says why; depths are ranked by measured DSC."""
    given = ask(cell(depth, 1.0) for depth in ASYMPTOTES)
    assert all(depth.on_validation is None and depth.on_test is None for depth in given.depths)
    assert given.depths[0].reason == "measured with one number of cases; a curve needs two"
    assert given.recommended is not None
    assert given.recommended.validation_fitted == pytest.approx(given.recommended.validation_dsc, abs=0.02)


def test_one_depth_is_enough_for_an_answer() -> None:
    """A single data curve is read and ranked."""
    given = ask(cell(4, ratio) for ratio in RATIOS)
    assert [depth.depth for depth in given.depths] == [4]
    assert given.depths[0].on_test is not None
    assert given.recommended is not None


def test_a_single_test_case_leaves_the_noise_of_runs() -> None:
    """One test case cannot be resampled; the interval is then that of the runs alone, and not empty."""
    given = ask(cell(4, ratio, test=np.array([0.5 + 0.2 * ratio])) for ratio in RATIOS)
    assert given.recommended is not None
    interval = given.recommended.test_dsc.mean_interval
    assert interval is not None
    assert interval.lower < given.recommended.test_dsc.value < interval.upper


def test_equal_costs_go_to_fewer_cases() -> None:
    """When everything is free every cost ties, and the eligible configuration with the fewest cases is recommended."""
    given = ask(surface(), prices=PriceSpec(gpu_hour=0, case=0), target=0.5)
    assert given.recommended is not None
    assert given.recommended.num_cases == min(row.num_cases for row in given.ranking if row.eligible)


def test_repeats_are_averaged_into_one_row() -> None:
    """Seeds of one depth and number of cases are one configuration; its DSC and seconds are their means."""
    pair = [cell(3, 0.5, seed=seed, budget_seconds=100.0 * seed) for seed in (1, 2)]
    given = ask(pair)
    assert len(given.ranking) == 1
    assert given.ranking[0].seeds == 2
    assert given.ranking[0].training_seconds == pytest.approx(150)
    assert given.ranking[0].test_dsc.value == pytest.approx(np.mean([each.test.mean() for each in pair]))
    assert given.validation_noise is not None
    assert given.validation_noise.degrees_of_freedom == 1
    assert given.validation_noise.is_assumed


def test_a_stopped_run_enters_with_its_forecast_gain() -> None:
    """The fit takes measured DSC and gain; the row shows what was measured, and marks the estimated seconds."""
    stopped = cell(
        3, 0.5, remaining_gain=0.02, remaining_gain_lower=0.01, remaining_gain_upper=0.03, seconds_estimated=True
    )
    row = ask([stopped]).ranking[0]
    assert row.validation_dsc == pytest.approx(stopped.validation.mean())
    assert row.validation_fitted == pytest.approx(stopped.validation.mean() + 0.02, abs=0.001)
    assert row.seconds_estimated


def test_a_planned_configuration_is_ranked_by_its_forecast() -> None:
    """It has a rank and an interval but no measured value, and what is recommended was measured."""
    most = [each for each in surface() if each.ratio < 0.7 or each.depth == 3]
    planned = [Planned(4, ratio, round(700 * ratio), 256_000, "gpu", 56_000.0 * ratio) for ratio in (0.7, 1.0)]
    given = ask(most, planned=planned)
    forecast = [row for row in given.ranking if row.is_forecast]
    assert [row.num_cases for row in sorted(forecast, key=lambda row: row.num_cases)] == [490, 700]
    assert all(row.test_dsc is None and row.validation_dsc is None and row.seeds == 0 for row in forecast)
    assert all(row.p_floor is not None and row.test_forecast is not None for row in forecast)
    assert given.recommended is not None
    assert given.recommended.test_dsc is not None
    full = next(row for row in ask(surface()).ranking if (row.depth, row.num_cases) == (4, 700))
    interval = next(row.estimate.mean_interval for row in forecast if row.num_cases == 700)
    assert interval is not None
    assert interval.lower < full.estimate.value < interval.upper


def test_a_depth_at_which_nothing_learned_is_not_forecast() -> None:
    """Where every run of a depth collapsed, the curves of other depths promise nothing for it."""
    measured = [*(cell(4, ratio) for ratio in RATIOS[:3]), cell(3, 0.5, flag="collapsed")]
    planned = [Planned(depth, 1.0, 700, 256_000, "gpu", 56_000.0) for depth in (3, 4, 5)]
    forecast = [row.depth for row in ask(measured, planned=planned).ranking if row.is_forecast]
    assert sorted(forecast) == [4, 5]


def test_a_forecast_better_than_all_measured_lifts_the_floor() -> None:
    """Where the best is not yet measured, what was measured may not be enough, and the answer says so."""
    few = [cell(4, ratio) for ratio in RATIOS[:3]]
    planned = [Planned(4, ratio, round(700 * ratio), 256_000, "gpu", 56_000.0 * ratio) for ratio in RATIOS[3:]]
    alone, given = ask(few), ask(few, planned=planned)
    assert alone.recommended is not None
    assert alone.recommended.eligible
    assert given.floor is not None
    assert alone.floor is not None
    assert given.floor > alone.floor
    assert given.recommended is not None
    assert not given.recommended.eligible


def test_a_confirming_seed_is_reported() -> None:
    """The fresh seed counts as a seed, and its test DSC stands by itself."""
    fresh = cell(3, 0.5, seed=9, confirms=True)
    row = ask([cell(3, 0.5), fresh]).ranking[0]
    assert row.seeds == 2
    assert row.confirmed_dsc == pytest.approx(fresh.test.mean())


def test_grouped_cases_widen_the_interval() -> None:
    """Test cases of few patients say less than as many patients: their groups are drawn whole."""
    measured = [cell(4, ratio, test=np.sort(cell(4, ratio).test)) for ratio in RATIOS]
    widths = []
    for groups in (None, np.arange(60) // 20):
        recommended = ask(measured, test_groups=groups).recommended
        assert recommended is not None
        assert recommended.test_dsc.mean_interval is not None
        widths.append(recommended.test_dsc.mean_interval.upper - recommended.test_dsc.mean_interval.lower)
    assert widths[1] > 2 * widths[0]


def test_the_order_of_cells_does_not_matter() -> None:
    """Cells may finish in any order."""
    forward, backward = ask(surface()), ask(reversed(surface()))
    assert forward == backward


def test_the_dict_is_json_with_every_field() -> None:
    """No NaN, no infinity, no array: what a file or a page can hold."""
    given = ask(surface(), target=float("inf"))
    plain = json.loads(json.dumps(given.to_dict(), allow_nan=False))
    assert plain["floor"] is None
    assert set(plain) == {field.name for field in dataclasses.fields(Answer)}
    assert len(plain["ranking"]) == len(given.ranking)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_train": 0}, "num_train must be at least 1, got 0"),
        ({"tolerance": -0.1}, "tolerance must be a DSC of 0 or more, got -0.1"),
        ({"test_groups": np.zeros(3, dtype=int)}, r"each of 60 cases, got shape \(3,\)"),
    ],
)
def test_a_senseless_question_is_refused(changes: dict[str, Any], message: str) -> None:
    """The error names the rule and the value."""
    with pytest.raises(ValueError, match=message):
        ask(surface(), **changes)


@pytest.mark.parametrize(
    ("test", "message"),
    [
        (np.zeros(3), "same cases"),
        (np.zeros(0), "same cases"),
        (np.full(60, np.nan), "depth=3/ratio=0.5/seed=1"),
    ],
)
def test_cells_must_be_scored_on_the_same_cases(test: Any, message: str) -> None:
    """Unequal sets of cases cannot be resampled together, nor can a DSC that is no number."""
    with pytest.raises(ValueError, match=message):
        ask([cell(3, 0.5), cell(3, 0.5, seed=1, test=test)])
