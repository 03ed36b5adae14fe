"""Recorded trainings through the real policy, stop rule and ledger."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from search.policy.next_cell import MOST_CONFIRMATIONS
from search.replay.simulator import WHOLE, RecordedRun, counts_of
from storage.ledger.ledger import Ledger
from storage.records import CellState
from studies.interop.replay_csv import Replayed, replay_surface
from tests.helpers.drawn_surface import DEPTHS, EVALUATIONS, RATIOS, drawn_run, drawn_surface, plan, replay_spec

if TYPE_CHECKING:
    from collections.abc import Sequence

RUNS = drawn_surface()


@pytest.fixture(scope="module")
def forecast() -> Replayed:
    """The drawn surface under the policy `forecast`."""
    return replay_surface(RUNS, replay_spec())


def decided(replayed: Replayed) -> list[tuple[Any, ...]]:
    """Every decision that stands in the ledger afterwards, with its values."""
    return [
        (r.cell.plan, r.cell.state, r.cell.claims, r.cell.skip, r.attempt.stop_reason, r.attempt.forecast, len(r.curve))
        for r in replayed.records
    ]


def test_grid_trains_everything_to_its_end() -> None:
    """It costs what the grid costs, and its tests besides; every cell is done."""
    replayed = replay_surface(RUNS, replay_spec(policy="grid"))
    assert {r.cell.state for r in replayed.records} == {CellState.DONE}
    assert all(len(r.curve) == EVALUATIONS for r in replayed.records)
    tests = len(replayed.records) * 2 * 0.1
    assert replayed.gpu_seconds == pytest.approx(replayed.grid_gpu_seconds + tests)
    assert replayed.run.claims == len(replayed.records)
    assert replayed.run.wall_seconds == pytest.approx(replayed.gpu_seconds + replayed.run.driver_seconds)


def test_forecast_ends_with_a_confirmed_recommendation_for_less(forecast: Replayed) -> None:
    """Cells are done, skipped or pruned, none is open; the fresh seed was trained to the full budget."""
    assert forecast.gpu_seconds < forecast.grid_gpu_seconds
    assert all(not r.cell.state.is_open for r in forecast.records)
    confirming = [r for r in forecast.records if r.cell.plan.role == "confirm"]
    assert 1 <= len(confirming) <= MOST_CONFIRMATIONS
    assert {(r.cell.state, len(r.curve)) for r in confirming} == {(CellState.DONE, EVALUATIONS)}
    assert [r.cell.plan.seed for r in confirming] == [1, 2][: len(confirming)]
    skipped = [r for r in forecast.records if r.cell.skip is not None]
    assert skipped
    assert all(r.cell.state is CellState.PRUNED and not r.curve for r in skipped)
    assert forecast.answer.recommended is not None
    assert forecast.answer.recommended.seeds > 0
    assert forecast.run.reused == ()


def test_a_replay_can_be_repeated(forecast: Replayed) -> None:
    """The same surface gives the same decisions, however fast the machine is."""
    assert decided(replay_surface(RUNS, replay_spec())) == decided(forecast)


def test_no_decision_reads_a_test_value(forecast: Replayed) -> None:
    """With noise for every test value, every claim, stop, skip and added cell stays as it was."""
    rng = np.random.default_rng(5)
    noisy = [replace(run, test_curve=tuple(rng.uniform(0, 1, EVALUATIONS))) for run in RUNS]
    replayed = replay_surface(noisy, replay_spec())
    assert decided(replayed) == decided(forecast)
    assert replayed.answer.recommended is not None
    assert forecast.answer.recommended is not None
    assert (replayed.answer.recommended.depth, replayed.answer.recommended.num_cases) == (
        forecast.answer.recommended.depth,
        forecast.answer.recommended.num_cases,
    )


@pytest.mark.parametrize("gpus", [2, 64])
@pytest.mark.parametrize("policy", ["grid", "forecast"])
def test_no_cell_is_trained_twice_on_many_gpus(gpus: int, policy: Any) -> None:
    """Every cell is claimed at most once for training and once for its test, and the study comes to its end."""
    replayed = replay_surface(RUNS, replay_spec(gpus=gpus, policy=policy))
    assert all(r.cell.claims <= 2 and r.cell.attempt == 1 for r in replayed.records)
    assert not any(r.cell.state.is_open for r in replayed.records)
    assert replayed.run.reports == sum(len(r.curve) for r in replayed.records)
    assert 0 <= replayed.run.waiting_share < 1
    if policy == "grid":
        assert replayed.run.wall_seconds < replayed.gpu_seconds


def test_a_flagged_run_is_repeated_with_a_fresh_seed() -> None:
    """What never learned is told so, tested, kept out of the fit, and repeated once at most for its configuration."""
    dead = [plan(ratio, depth) for ratio in (0.25, 0.5) for depth in DEPTHS]
    runs = [drawn_run(r.plan, end=0.0) if r.plan in dead else r for r in RUNS]
    replayed = replay_surface(runs, replay_spec(worth=0.01))
    flagged = [r for r in replayed.records if r.cell.state is CellState.NOT_LEARNED]
    assert flagged
    assert {r.cell.plan.num_cases for r in flagged} <= {100, 200}
    assert all((r.attempt.stop_reason or "").startswith("not learned") for r in flagged if len(r.curve) < EVALUATIONS)
    repeats = Counter(
        (r.cell.plan.depth, r.cell.plan.num_cases) for r in replayed.records if r.cell.plan.role == "repeat"
    )
    assert repeats
    assert max(repeats.values()) == 1
    assert len(replayed.run.reused) < len(repeats)  # two further seeds of each are recorded


def test_a_surface_without_fresh_seeds_says_what_it_counted_again() -> None:
    """The confirmation's cost counts, its values are not new."""
    replayed = replay_surface([run for run in RUNS if run.plan.seed == 0], replay_spec())
    confirming = [r.cell.plan.key for r in replayed.records if r.cell.plan.role == "confirm"]
    assert confirming
    assert replayed.run.reused == tuple(confirming)


def test_the_ledger_of_a_replay_is_thrown_away(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Nothing is left in the temporary folder."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    opened = []
    original = Ledger.open.__func__  # type: ignore[attr-defined]
    monkeypatch.setattr(
        Ledger, "open", classmethod(lambda cls, url, **k: opened.append(url) or original(cls, url, **k))
    )
    replay_surface(small((2,), (0.5, 1.0)), replay_spec(policy="grid"))
    assert str(tmp_path) in opened[0]
    assert list(tmp_path.iterdir()) == []


def small(depths: Sequence[int], ratios: Sequence[float]) -> list[RecordedRun]:
    """A part of the surface."""
    assert set(depths) <= set(DEPTHS)
    assert set(ratios) <= set(RATIOS)
    return [drawn_run(plan(ratio, depth)) for depth in depths for ratio in ratios]


def test_one_pretended_case_has_the_dsc() -> None:
    """2TP / (2TP + FP + FN) of the counts is the DSC."""
    for dsc in (0.0, 0.25, 0.812345, 1.0):
        hit, over, missed = counts_of(dsc)
        assert 2 * hit / (2 * hit + over + missed) == pytest.approx(dsc, abs=1 / WHOLE)
