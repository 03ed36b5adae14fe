"""Two variants of a protocol in one study: one answer over both; each has curves, costs and siblings of its own."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from models.forecaster.baselines.parametric import ParametricForecaster
from search.analysis.candidates import fit_pairs
from search.analysis.good_enough import EnoughRule
from search.curves.measurements import Planned, configurations_of
from search.policy.decisions import Decisions
from search.policy.next_cell import agenda
from search.policy.surrogate import fit_surrogate
from search.training_time import PER_DEPTH, cost_model
from storage.ledger.ledger import Ledger
from storage.records import CellState, Scores
from studies.interop.replay_csv import replay_surface
from tests.helpers.drawn_surface import (
    DEPTHS,
    EVALUATIONS,
    NUM_TRAIN,
    RATIOS,
    decision_spec,
    done,
    drawn_run,
    drawn_surface,
    plan,
    replay_spec,
    waiting,
)
from tests.helpers.measured_surface import ask, cell, decisions, surface

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from search.analysis.answer import Answer
    from search.curves.measurements import Measurement
    from search.policy.surrogate import SeenCell
    from search.replay.simulator import RecordedRun
    from storage.records import CellPlan

OTHER = "loss=dice_ce"


def as_variant(measurements: Sequence[Measurement], *, better: float = 0.0) -> list[Measurement]:
    """The same runs under the other variant, all cases better by so much."""
    return [
        replace(
            each,
            key=f"{each.key}/{OTHER}",
            variant=OTHER,
            validation=each.validation + better,
            test=each.test + better,
        )
        for each in measurements
    ]


def unnamed(given: Answer) -> Answer:
    """The same without names of variants."""
    parts = ("ranking", "near_ties", "depths", "front", "backtests", "plans")
    plain: dict[str, Any] = {name: tuple(replace(row, variant="") for row in getattr(given, name)) for name in parts}
    assert given.recommended is not None
    return replace(given, recommended=replace(given.recommended, variant=""), **plain)


def test_the_name_of_the_only_variant_changes_nothing() -> None:
    """Every draw, interval and decision is that of the protocol's own."""
    assert unnamed(ask(as_variant(surface()))) == ask(surface())


def test_curves_of_a_variant_are_those_that_it_has_alone() -> None:
    """What is fitted to one is not moved by the other; of the first, every replicate is the same too."""
    alone, both = ask(surface()), ask([*surface(), *as_variant(surface(), better=0.05)])
    assert both.of_variant("").depths == alone.depths
    assert both.of_variant("").backtests == alone.backtests
    other = ask(as_variant(surface(), better=0.05))
    found = [(row.validation_fitted, row.price) for row in sorted(both.of_variant(OTHER).ranking, key=str)]
    assert sorted(found) == sorted((row.validation_fitted, row.price) for row in other.ranking)
    assert [each.depth for each in both.depths] == [2, 3, 4, 2, 3, 4]
    assert [each.variant for each in both.depths] == [""] * 3 + [OTHER] * 3


def test_one_floor_holds_for_all() -> None:
    """Where one variant is far better no row of the other is eligible, and the front is the better one's."""
    given = ask([*surface(), *as_variant(surface(), better=0.15)])
    assert given.recommended is not None
    assert given.recommended.variant == OTHER
    assert not any(row.eligible for row in given.ranking if row.variant == "")
    assert {step.variant for step in given.front if step.validation_fitted > 0.85} == {OTHER}
    assert given.floor == pytest.approx(max(row.validation_fitted or 0.0 for row in given.ranking) - 0.01)
    assert {row.variant for row in given.ranking} == {"", OTHER}
    assert {plan.variant for plan in given.plans} == {OTHER}


def test_scored_cases_are_drawn_again_once_for_both() -> None:
    """What other cases would change, they change in both: differences of two equal variants are far less spread."""
    calm = [cell(3, ratio, seed=seed, noise=0.001) for ratio in (0.1, 0.4, 1.0) for seed in range(6)]
    learned = configurations_of([*calm, *as_variant(calm)])
    pairs = fit_pairs(learned, [], num_train=700, validation_groups=None, test_groups=None, replicates=500, seed=0)
    own, other = (pairs[variant].test.drawn([3], [700])[:, 0] for variant in ("", OTHER))
    assert np.std(own - other) < 0.5 * np.std(own)


def test_no_decision_over_two_variants_reads_a_test_value() -> None:
    """With noise for every test value the ranking stays as it was."""
    rng = np.random.default_rng(3)
    measured = [*surface(), *as_variant(surface(), better=0.01)]
    noisy = [replace(each, test=rng.uniform(0, 1, 60)) for each in measured]
    assert decisions(ask(measured)) == decisions(ask(noisy))


def test_a_variant_of_which_nothing_learned_is_not_forecast() -> None:
    """The curves of the other say nothing of it: what is planned of it is not ranked, flagged runs are told."""
    flagged = [replace(each, flag="collapsed") for each in as_variant([cell(3, 0.1)])]
    planned = [dataclasses.replace(each, variant=OTHER) for each in _planned()]
    given = ask([*surface(), *flagged], planned=planned)
    assert [(row.depth, row.flag) for row in given.ranking if row.variant == OTHER] == [(3, "collapsed")]
    assert [each.variant for each in given.flagged] == [OTHER]
    assert next(each.reason for each in given.depths if each.variant == OTHER) == "no run has learned"
    ranked = ask(surface(), planned=_planned()).ranking
    assert any(row.is_forecast for row in ranked)


def _planned() -> list[Any]:
    return [Planned(3, 0.9, 630, 64_000, "gpu", 60.0)]


def test_json_names_variants_only_where_there_are_any() -> None:
    """An answer without axes stays as it was, to the last key."""
    assert "variant" not in str(ask(surface()).to_dict())
    both: dict[str, Any] = ask([*surface(), *as_variant(surface())]).to_dict()
    assert {row["variant"] for row in both["ranking"]} == {"", OTHER}


# ---- costs, surrogate and policy


def seen(*, better: float, ratios: Sequence[float] = (0.25, 1.0)) -> list[SeenCell]:
    """The grid of two variants, cells of two ratios trained; the other variant ends better by so much."""
    cells = []
    for variant, gain in (("", 0.0), (OTHER, better)):
        for depth, level in DEPTHS.items():
            for ratio in RATIOS:
                own = plan(ratio, depth, variant=variant)
                end = level + gain - 1.5 / own.num_cases**0.6
                cells.append(done(own, end=end) if ratio in ratios else waiting(own))
    return cells


def test_costs_are_those_of_the_variant_and_the_depth() -> None:
    """Of a variant that was never trained, those of another; of a depth, those of the nearest one of its variant."""
    slow = replace(drawn_run(plan(1.0, 3)).curve[0], train_seconds=100.0, step=10, val_seconds=0.0)
    fast = replace(slow, train_seconds=10.0)
    known = cost_model(
        [(plan(1.0, 3), [slow]), (plan(1.0, 3, variant=OTHER), [fast])],
        device_share=1.0,
        evaluations=1,
        total_steps=lambda _: 10,
    )
    assert known.seconds(plan(0.5, 3)) == pytest.approx(100)
    assert known.seconds(plan(0.5, 3, variant=OTHER)) == pytest.approx(10)
    assert known.seconds(plan(0.5, 4, variant=OTHER)) == pytest.approx(10 * PER_DEPTH)
    alone = cost_model([(plan(1.0, 3), [slow])], device_share=1.0, evaluations=1, total_steps=lambda _: 10)
    assert alone.seconds(plan(0.5, 3, variant=OTHER)) == pytest.approx(100)


def test_what_is_believed_of_a_variant_rests_on_its_own_cells() -> None:
    """Means, draws and noise are those that it has alone, whatever is known of the other."""
    cells = seen(better=0.05)
    own = [each for each in cells if each.plan.variant == ""]
    plans = [each.plan for each in cells]
    prices = np.ones(len(plans))
    asked: dict[str, Any] = {"num_train": NUM_TRAIN, "rule": EnoughRule(0.01, None)}
    both = fit_surrogate(cells, plans, prices, **asked)
    alone = fit_surrogate(own, plans[: len(own)], prices[: len(own)], **asked)
    for name in ("mean", "draws", "noise"):
        assert np.array_equal(getattr(both, name)[..., : len(own)], getattr(alone, name))
    first, second = both.draws[:, 0], both.draws[:, len(own)]
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.15


def test_the_better_variant_is_recommended_and_confirmed() -> None:
    """The fresh seed has the variant of what it confirms, in its key too."""
    found = agenda(seen(better=0.08, ratios=RATIOS), decision_spec())
    assert found.added is not None
    assert (found.added.role, found.added.variant) == ("confirm", OTHER)
    assert f"-loss.dice_ce-seed{found.added.seed}" in found.added.key


def test_a_flagged_run_is_repeated_under_its_own_variant() -> None:
    """The other variant's run of the same depth and cases, which learned, is no reason against it."""
    cells = [
        replace(each, state=CellState.NOT_LEARNED) if each.plan == plan(1.0, 4, variant=OTHER) else each
        for each in seen(better=0.08, ratios=RATIOS)
    ]
    found = agenda(cells, decision_spec(worth=0.0))
    assert found.added is not None
    assert (found.added.role, found.added.variant, found.added.depth) == ("repeat", OTHER, 4)


# ---- replays


def runs_of(variant: str, *, better: float = 0.0) -> list[RecordedRun]:
    """The drawn surface as that of a variant."""
    ends = {each.plan: each for each in drawn_surface()}
    found = []
    for own, run in ends.items():
        cell_plan = plan(own.ratio, own.depth, own.seed, variant=variant)
        curve = tuple(replace(point, val_dsc=min(1.0, max(0.0, point.val_dsc + better))) for point in run.curve)
        found.append(replace(run, plan=cell_plan, curve=curve))
    return found


def told(runs: Sequence[RecordedRun], variant: str, **changes: Any) -> dict[CellPlan, tuple[Any, ...]]:
    """What a replay wrote down of each cell of a variant."""
    found = replay_surface(runs, replay_spec(**changes))
    return {
        r.cell.plan: (r.cell.state, r.curve, r.attempt.scores, r.attempt.stop_reason, r.attempt.forecast)
        for r in found.records
        if r.cell.plan.variant == variant
    }


@pytest.mark.parametrize("variant", ["", OTHER])
def test_a_replay_of_two_variants_trains_what_two_replays_train(variant: str) -> None:
    """Under `grid` every cell ends as it does in a replay of its variant alone."""
    both = [*runs_of(""), *runs_of(OTHER, better=0.05)]
    alone = [run for run in both if run.plan.variant == variant]
    assert told(both, variant, policy="grid") == told(alone, variant, policy="grid")


def test_answers_over_two_replays_are_those_of_each() -> None:
    """The data curve of each depth is what a replay of its variant alone reads off."""
    both = replay_surface([*runs_of(""), *runs_of(OTHER, better=0.05)], replay_spec(policy="grid")).answer
    alone = replay_surface(runs_of(""), replay_spec(policy="grid")).answer
    assert both.of_variant("").depths == alone.depths


def test_a_variant_that_is_far_worse_costs_little_and_changes_nothing() -> None:
    """Under `forecast` the recommendation is that of the better one alone; most cells of the worse one are not trained.

    A training that both replays stop at its plateau is stopped at the same evaluation: its curve decides, not the
    other variant.
    """
    alone = replay_surface(runs_of(""), replay_spec())
    both = replay_surface([*runs_of(""), *runs_of(OTHER, better=-0.3)], replay_spec())
    assert both.answer.recommended is not None
    assert alone.answer.recommended is not None
    assert both.answer.recommended.variant == ""
    assert both.answer.recommended.num_cases == alone.answer.recommended.num_cases
    spent = {v: sum(len(r.curve) for r in both.records if r.cell.plan.variant == v) for v in ("", OTHER)}
    assert spent[OTHER] < spent[""]
    stopped = [
        {
            r.cell.plan.key: len(r.curve)
            for r in found.records
            if r.attempt.stop_reason and r.attempt.stop_reason.startswith("plateau")
        }
        for found in (alone, both)
    ]
    assert all(stopped[1][key] == stopped[0][key] for key in stopped[0].keys() & stopped[1].keys())


class Counting(ParametricForecaster):
    """Notes how many siblings it is shown."""

    def __init__(self) -> None:
        """None yet."""
        self.shown: list[int] = []

    def context(self, curves: Any) -> Any:
        """Count them."""
        self.shown.append(len(curves))
        return super().context(curves)


def test_siblings_are_those_of_the_same_variant(tmp_path: Path) -> None:
    """Three trainings of one and one of the other have ended: each is asked with its own."""
    ended = [plan(ratio, 3) for ratio in RATIOS[:3]] + [plan(RATIOS[0], 3, variant=OTHER)]
    forecaster = Counting()
    with Ledger.open(f"sqlite:///{tmp_path}/study.db", create=True) as ledger:
        study = ledger.create_study(
            "s",
            identity={},
            running={},
            fingerprint="f",
            split={"train": [], "validation": [], "test": []},
            groups={},
            facts={},
        )
        ledger.layout(study.study_id, ended)
        for each in ended:
            claim = ledger.claim(study.study_id, [each.key], "host/boot/ns/1/100")
            assert claim is not None
            worker = {"device": "gpu", "device_share": 1.0, "device_name": "x", "planned_steps": 9}
            ledger.record(claim, drawn_run(each).curve, checkpoint="c", worker=worker)
            ledger.begin_test(claim)
            best = Scores(EVALUATIONS, ((1, 1, 1),), ((1, 1, 1),), 0.1)
            ledger.finish(claim, CellState.DONE, value=0.5, scores=best, facts={})
        asked = Decisions(ledger, study, decision_spec(forecaster=forecaster), lambda: 1)
        asked.next_cells(ledger.cells(study.study_id))
        for variant in ("", OTHER):
            running = plan(1.0, 4, variant=variant)
            asked.stop(running, drawn_run(running).curve[:6])
    assert forecaster.shown == [3, 1]
