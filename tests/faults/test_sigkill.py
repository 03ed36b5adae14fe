"""The driver dies by SIGKILL at two moments of a real study; the same command goes on, nothing is lost or twice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import optuna
import pytest

from storage.records import CellState
from tests.faults.disturbed_study import EVALUATIONS, Aftermath, DisturbedStudy, in_training

if TYPE_CHECKING:
    from storage.records import CellRecord

pytestmark = pytest.mark.timeout(1800)  # several drivers, one after the other, on a machine that may be busy

Killed = tuple[DisturbedStudy, list[Aftermath]]


def with_one_done(records: list[CellRecord]) -> bool:
    """A cell is finished while another trains."""
    return any(r.cell.state == CellState.DONE for r in records) and in_training(records)


def between_stop_and_test(records: list[CellRecord]) -> bool:
    """A new cell has stopped training and waits for its test phase, or is in it."""
    return sum(not r.cell.state.is_open for r in records) >= 1 and any(r.cell.state == CellState.TEST for r in records)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> DisturbedStudy:
    """The same study, left alone."""
    study = DisturbedStudy(tmp_path_factory.mktemp("faults") / "undisturbed")
    study.run_to_end()
    return study


@pytest.fixture(scope="module")
def kills(tmp_path_factory: pytest.TempPathFactory) -> Killed:
    """A study killed twice and then run to its end, with what the ledger held after each kill."""
    study = DisturbedStudy(tmp_path_factory.mktemp("faults") / "killed", trials=2)
    aftermaths = [study.signal_when(moment) for moment in (with_one_done, between_stop_and_test)]
    study.run_to_end()
    return study, aftermaths


def test_every_cell_is_finished_exactly_once(kills: Killed) -> None:
    """After two kills every cell of the grid is done, with one trial, complete in Optuna's eyes."""
    study, _ = kills
    records = study.records()
    assert sorted(r.cell.plan.key for r in records) == [
        f"ratio{ratio}-depth{depth}-seed0" for ratio in ("0.5", "1") for depth in (2, 3)
    ]
    assert all(not r.cell.state.is_open and r.cell.owner is None for r in records)
    trials = optuna.load_study(study_name="faults", storage=study.url).trials
    assert [t.state for t in trials] == [optuna.trial.TrialState.COMPLETE] * 4
    assert sorted(t.user_attrs["cell"] for t in trials) == sorted(r.cell.plan.key for r in records)


def test_values_are_bit_equal_to_an_undisturbed_run(kills: Killed, undisturbed: DisturbedStudy) -> None:
    """With policy grid on a CPU, every curve and every test count is that of an undisturbed run, to the last bit."""
    study, _ = kills
    for killed, whole in zip(study.records(), undisturbed.records(), strict=True):
        assert killed.cell.plan == whole.cell.plan
        assert [(e.evaluation, e.step, e.val_dsc) for e in killed.curve] == [
            (e.evaluation, e.step, e.val_dsc) for e in whole.curve
        ]
        assert killed.attempt.scores is not None
        assert whole.attempt.scores is not None
        assert replace(killed.attempt.scores, seconds=0) == replace(whole.attempt.scores, seconds=0)
        assert killed.cell.state == whole.cell.state


def test_recorded_evaluations_are_never_trained_again(kills: Killed) -> None:
    """What a kill found in the ledger is there at the end, measured seconds included: neither lost nor redone."""
    study, aftermaths = kills
    final = {r.cell.plan.key: r for r in study.records()}
    assert any(len(r.curve) for r in aftermaths[0].records)
    for aftermath in aftermaths:
        for record in aftermath.records:
            assert final[record.cell.plan.key].curve[: len(record.curve)] == record.curve


def test_nothing_is_lost_beyond_the_last_checkpoint(kills: Killed) -> None:
    """Every evaluation in a checkpoint that survived a kill ends in the ledger, with the seconds measured then."""
    study, aftermaths = kills
    final = {r.cell.plan.key: r for r in study.records()}
    assert any(aftermath.checkpoint_curves for aftermath in aftermaths)
    for aftermath in aftermaths:
        for key, points in aftermath.checkpoint_curves.items():
            saved = [(p["evaluation"], p["val_dsc"], p["train_seconds"], p["val_seconds"]) for p in points]
            assert saved == [
                (e.evaluation, e.val_dsc, e.train_seconds, e.val_seconds) for e in final[key].curve[: len(saved)]
            ]


def test_each_evaluation_counts_once_in_the_cost(kills: Killed) -> None:
    """Device seconds are those of each evaluation once; what a kill cost beyond that is under one evaluation a cell."""
    study, aftermaths = kills
    records = study.records()
    assert all([e.evaluation for e in r.curve] == list(range(1, EVALUATIONS + 1)) for r in records)
    longest = max(e.train_seconds + e.val_seconds for r in records for e in r.curve)
    killed_at_work = sum(r.cell.owner is not None for aftermath in aftermaths for r in aftermath.records)
    lost = sum(r.attempt.lost_seconds for r in records)
    tested = sum(r.attempt.scores.seconds * r.attempt.device_share for r in records if r.attempt.scores)
    assert study.spent() == pytest.approx(sum(r.device_seconds for r in records) + tested + lost)
    assert 0 <= lost <= killed_at_work * longest
