"""One small surface, trained once for real: replay and real Ray make every decision alike."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import optuna
import pytest
import ray
from optuna.trial import TrialState

from search.replay.simulator import RecordedRun, replay
from search.tune.driver import run_cells
from search.tune.run_end import RunEnd
from storage.ledger.cell_records import cell_records, spent_seconds
from storage.ledger.ledger import Ledger
from storage.records import CellState
from studies.launch.start import prepare_study
from studies.results.findings import findings_of
from studies.spec import parse_spec

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from storage.records import CellRecord
    from studies.launch.start import PreparedStudy

EVALUATIONS = 12
SPEC: dict[str, Any] = {
    "name": "small",
    "tolerance": 0.05,
    "prices": {"case": 1.0},
    "data": {"kind": "phantom", "phantom_cases": 40},
    "grid": {"ratio": [0.25, 0.5, 1.0], "depth": [2, 3]},
    "training": {
        "size": 16,
        "budget": 240,
        "evaluations": EVALUATIONS,
        "batch": 8,
        "channels": 4,
        "learning_rate": 3e-3,
        "record_test_curve": True,
    },
    "stop": {"first_evaluation": 3, "risk": 0.45, "forecaster": "parametric"},
    "resources": {"max_trials": 1},
}


@dataclass
class Run:
    """A study that was run, and the cells in the order in which they were claimed."""

    prepared: PreparedStudy
    claims: list[tuple[str, str]]

    @property
    def records(self) -> list[CellRecord]:
        """Its cells now."""
        return cell_records(self.prepared.ledger, self.prepared.study.study_id)


@pytest.fixture(scope="module", autouse=True)
def _one_ray_for_all() -> Iterator[None]:
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=2**27)
    yield
    ray.shutdown()


def start(folder: Path, **sections: Any) -> Run:
    """Start the small study, or go on with it, through real Ray, one trial at a time."""
    spec = parse_spec(SPEC | sections, source="test")
    prepared = prepare_study(spec, f"sqlite:///{folder}/small.db", wait_for_others=True)
    claims = watch_claims(prepared.ledger)
    assert run_cells(prepared.ledger, prepared.study, prepared.job) == RunEnd.FINISHED
    return Run(prepared, claims)


def watch_claims(ledger: Ledger) -> list[tuple[str, str]]:
    """Key and phase of every claim that this ledger will give."""
    claims: list[tuple[str, str]] = []
    claim = ledger.claim

    def watched(study_id: int, keys: Sequence[str], owner: str) -> Any:
        given = claim(study_id, keys, owner)
        if given is not None:
            claims.append((given.plan.key, given.phase))
        return given

    ledger.claim = watched  # type: ignore[method-assign] # the real claims, written down
    return claims


@pytest.fixture(scope="module")
def surface(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Every cell of the grid, trained to the full budget."""
    run = start(tmp_path_factory.mktemp("grid"), policy="grid")
    yield run
    run.prepared.ledger.close()


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """The same study under the policy `forecast`."""
    run = start(tmp_path_factory.mktemp("forecast"), policy="forecast")
    yield run
    run.prepared.ledger.close()


def recorded(surface: Run, live: Run) -> list[RecordedRun]:
    """The surface as the live run met it: its own evaluations, with their seconds, and the grid's where it stopped."""
    whole = {record.cell.plan.key: record for record in surface.records}
    runs = {key: run_of(record, record) for key, record in whole.items()}
    for record in live.records:
        if record.curve:
            runs[record.cell.plan.key] = run_of(record, whole.get(record.cell.plan.key, record))
    return list(runs.values())


def run_of(begun: CellRecord, whole: CellRecord) -> RecordedRun:
    """A recorded training, its first evaluations those of one record, the rest those of another.

    What neither went on with, an added cell that was stopped, stays where it was: no decision may come to see that.
    """
    curve = (*begun.curve, *whole.curve[len(begun.curve) :])
    last, period = curve[-1], curve[0].step
    rest = range(last.evaluation + 1, EVALUATIONS + 1)
    curve += tuple(replace(last, evaluation=number, step=number * period) for number in rest)
    tests = whole.test_curve | begun.test_curve
    plan = replace(begun.cell.plan, role="grid")
    return RecordedRun(plan, curve, tuple(tests.get(point.evaluation, 0.0) for point in curve))


def decided(records: list[CellRecord]) -> dict[str, tuple[Any, ...]]:
    """What was decided of each cell, with reasons and forecasts, and what it measured."""
    return {
        r.cell.plan.key: (
            r.cell.plan,
            r.cell.state,
            r.cell.skip,
            r.attempt.stop_reason,
            r.attempt.forecast,
            [point.val_dsc for point in r.curve],
        )
        for r in records
    }


def test_a_training_is_the_same_under_both_policies(surface: Run, live: Run) -> None:
    """On a CPU what the stopper leaves of a curve is the beginning of the whole one, bit for bit."""
    whole = {record.cell.plan.key: record.curve for record in surface.records}
    for record in live.records:
        if record.curve and record.cell.plan.key in whole:
            same = whole[record.cell.plan.key][: len(record.curve)]
            assert [p.val_dsc for p in record.curve] == [p.val_dsc for p in same]


def test_replay_and_real_ray_make_the_same_decisions(surface: Run, live: Run, tmp_path: Path) -> None:
    """Order of claims, stops with their kinds and evaluations, skips, forecasts and added cells: all are equal.

    Costs are measured seconds, so the replay is given those of the live run.
    """
    study, decision_spec = live.prepared.study, live.prepared.job.on("cpu", 1.0).decision_spec
    with Ledger.open(f"sqlite:///{tmp_path}/replay.db", create=True) as ledger:
        parts = ("identity", "running", "fingerprint", "split", "groups", "facts")
        again = ledger.create_study("replay", **{name: getattr(study, name) for name in parts})
        ledger.layout(again.study_id, [r.cell.plan for r in live.records if r.cell.plan.role == "grid"])
        claims = watch_claims(ledger)
        replay(ledger, again, recorded(surface, live), decision_spec, gpus=1)
        replayed = cell_records(ledger, again.study_id)
    assert claims == live.claims
    assert decided(replayed) == decided(live.records)


def test_the_live_run_has_something_to_decide(live: Run) -> None:
    """It skips or stops, and costs less than the grid: else the comparison would compare nothing."""
    skipped = [r for r in live.records if r.cell.skip is not None]
    stopped = [r for r in live.records if r.attempt.stop_reason is not None]
    assert skipped or stopped


def test_a_live_run_ends_with_nothing_open(live: Run) -> None:
    """Skipped cells are closed, their trials PRUNED without a value, the forecast in their attributes."""
    assert all(not r.cell.state.is_open for r in live.records)
    trials = load_trials(live)
    for record in live.records:
        if record.cell.skip is not None:
            trial = trials[record.cell.trial_number]
            assert (trial.state, trial.value) == (TrialState.PRUNED, None)
            assert trial.user_attrs["forecast_val_dsc_mean"] == record.cell.skip.mean
            assert trial.user_attrs["skip_reason"] == record.cell.skip.reason


def load_trials(run: Run) -> list[optuna.trial.FrozenTrial]:
    """As any user of Optuna reads them."""
    storage = optuna.storages.RDBStorage(run.prepared.ledger.url)
    try:
        return optuna.load_study(study_name="small", storage=storage).trials
    finally:
        storage.engine.dispose()


def test_a_live_run_confirms_what_it_recommends(live: Run) -> None:
    """A fresh seed was trained to the full budget, and the answer recommends what was measured."""
    confirming = [r for r in live.records if r.cell.plan.role == "confirm"]
    assert confirming
    assert all(len(r.curve) == EVALUATIONS and r.attempt.stop_reason is None for r in confirming)
    answer = findings_of(live.prepared.study, live.records, 0.0).answer
    assert answer.recommended is not None
    assert answer.recommended.seeds >= 1


def test_another_start_does_nothing_and_a_changed_tolerance_reopens(live: Run, tmp_path: Path) -> None:
    """The same spec finds its end; another tolerance may need what was skipped, which waits as a new attempt."""
    folder = tmp_path / "copy"
    before, spent = decided(live.records), spent_seconds(live.prepared.ledger, live.prepared.study.study_id)
    shutil.copytree(Path(live.prepared.ledger.url.removeprefix("sqlite:///")).parent, folder)
    second = start(folder, policy="forecast")
    assert second.claims == []
    assert decided(second.records) == before
    assert spent_seconds(second.prepared.ledger, second.prepared.study.study_id) == spent
    skipped = {r.cell.plan.key for r in second.records if r.cell.skip is not None}
    second.prepared.ledger.close()
    spec = parse_spec(SPEC | {"policy": "forecast", "tolerance": 0.03}, source="test")
    third = prepare_study(spec, f"sqlite:///{folder}/small.db", wait_for_others=True)
    cells = {c.plan.key: c for c in third.ledger.cells(third.study.study_id)}
    assert skipped
    assert {cells[key].state for key in skipped} == {CellState.WAITING}
    assert {cells[key].attempt for key in skipped} == {2}
    third.ledger.close()


def test_an_interrupt_loses_nothing(tmp_path: Path) -> None:
    """Ctrl-C in mid-training: cells are given back, and the next start comes to a confirmed end."""
    spec = parse_spec(SPEC | {"policy": "forecast"}, source="test")
    prepared = prepare_study(spec, f"sqlite:///{tmp_path}/small.db", wait_for_others=True)
    interrupter = threading.Thread(target=interrupt_in_training, args=(prepared,))
    interrupter.start()
    assert run_cells(prepared.ledger, prepared.study, prepared.job) == RunEnd.INTERRUPTED
    interrupter.join()
    left = cell_records(prepared.ledger, prepared.study.study_id)
    assert all(r.cell.owner is None for r in left)
    measured = {r.cell.plan.key: r.curve for r in left if r.curve}
    assert measured
    assert run_cells(prepared.ledger, prepared.study, prepared.job) == RunEnd.FINISHED
    ended = cell_records(prepared.ledger, prepared.study.study_id)
    assert all(not r.cell.state.is_open and r.cell.attempt == 1 for r in ended)
    confirming = [r for r in ended if r.cell.plan.role == "confirm"]
    assert confirming
    assert all(len(r.curve) == EVALUATIONS for r in confirming)
    now = {r.cell.plan.key: r.curve for r in ended}
    assert all(now[key][: len(curve)] == curve for key, curve in measured.items())
    prepared.ledger.close()


def interrupt_in_training(prepared: PreparedStudy) -> None:
    """Press Ctrl-C when the second cell has begun."""
    deadline = time.monotonic() + 100
    while sum(bool(r.curve) for r in cell_records(prepared.ledger, prepared.study.study_id)) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(os.getpid(), signal.SIGINT)
