"""Skips: notes on free cells that decisions may take back, until the study closes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from optuna.trial import TrialState

from storage.ledger.cell_records import cell_records
from storage.records import CellState, Evaluation, PlateauForecast, SkipForecast
from tests.helpers.ledgers import WORKER, claim_cell, optuna_trials, plans

if TYPE_CHECKING:
    from storage.ledger.ledger import Ledger
    from storage.records import StudyRecord

KEYS = tuple(plan.key for plan in plans(3))
SKIP = SkipForecast("skipped: its DSC is known within 0.01; forecast for one run [0.790, 0.820]", 0.805, 0.79, 0.82)
OTHER = SkipForecast("skipped: measuring it would hardly change the answer", 0.7, 0.6, 0.8)


def skips(ledger: Ledger, study: StudyRecord) -> dict[str, SkipForecast]:
    """What is skipped now."""
    return {cell.plan.key: cell.skip for cell in ledger.cells(study.study_id) if cell.skip is not None}


def test_the_last_skips_replace_all_others(ledger: Ledger, study: StudyRecord) -> None:
    """A forecast may change, and a cell that is no longer skipped waits like any other."""
    ledger.note_skips(study.study_id, {KEYS[0]: SKIP, KEYS[1]: SKIP})
    assert skips(ledger, study) == {KEYS[0]: SKIP, KEYS[1]: SKIP}
    ledger.note_skips(study.study_id, {KEYS[1]: OTHER, KEYS[2]: SKIP})
    assert skips(ledger, study) == {KEYS[1]: OTHER, KEYS[2]: SKIP}
    assert {cell.state for cell in ledger.cells(study.study_id)} == {CellState.WAITING}
    assert [trial.state for trial in optuna_trials(ledger)] == [TrialState.WAITING] * 3
    ledger.note_skips(study.study_id, {})
    assert skips(ledger, study) == {}


def test_a_claim_clears_a_skip(ledger: Ledger, study: StudyRecord) -> None:
    """Another driver may think otherwise: what is trained is not skipped."""
    ledger.note_skips(study.study_id, {KEYS[0]: SKIP})
    claim_cell(ledger, study, KEYS[0])
    assert skips(ledger, study) == {}


def test_a_held_or_ended_cell_cannot_be_skipped(ledger: Ledger, study: StudyRecord) -> None:
    """Only free cells that wait are: a decision may be older than a claim."""
    claim_cell(ledger, study, KEYS[0])
    ledger.fail(claim_cell(ledger, study, KEYS[1]), "broken")
    ledger.note_skips(study.study_id, {KEYS[0]: SKIP, KEYS[1]: SKIP, "no such cell": SKIP})
    assert skips(ledger, study) == {}


def test_closing_tells_optuna_pruned_with_the_forecast(ledger: Ledger, study: StudyRecord) -> None:
    """The trial has no value; the forecast and the reason stand in its attributes, and in the cell."""
    ledger.note_skips(study.study_id, {KEYS[0]: SKIP})
    assert ledger.close_skipped(study.study_id) == 1
    cell, *others = ledger.cells(study.study_id)
    assert (cell.state, cell.skip) == (CellState.PRUNED, SKIP)
    assert {other.state for other in others} == {CellState.WAITING}
    trial = optuna_trials(ledger)[0]
    assert (trial.state, trial.value) == (TrialState.PRUNED, None)
    assert trial.user_attrs["skip_reason"] == SKIP.reason
    forecast = {name: trial.user_attrs[f"forecast_val_dsc_{name}"] for name in ("mean", "lower", "upper")}
    assert forecast == {"mean": 0.805, "lower": 0.79, "upper": 0.82}


def test_closing_again_changes_nothing(ledger: Ledger, study: StudyRecord) -> None:
    """A driver may die right after it, and the next one closes once more; later notes leave closed cells alone."""
    ledger.note_skips(study.study_id, {KEYS[0]: SKIP})
    ledger.close_skipped(study.study_id)
    cells, trials = ledger.cells(study.study_id), optuna_trials(ledger)
    assert ledger.close_skipped(study.study_id) == 0
    ledger.note_skips(study.study_id, {})
    assert ledger.cells(study.study_id) == cells
    assert optuna_trials(ledger) == trials


def test_a_held_cell_is_not_closed(ledger: Ledger, study: StudyRecord) -> None:
    """Whoever trains it comes to its end."""
    ledger.note_skips(study.study_id, {KEYS[0]: SKIP})
    claim_cell(ledger, study, KEYS[0])
    assert ledger.close_skipped(study.study_id) == 0


def test_reopening_makes_new_attempts(ledger: Ledger, study: StudyRecord) -> None:
    """What was closed as skipped waits again, with a trial of its own; the old trial keeps its forecast."""
    ledger.note_skips(study.study_id, {KEYS[0]: SKIP, KEYS[1]: OTHER})
    ledger.close_skipped(study.study_id)
    assert ledger.reopen_skipped(study.study_id) == 2
    assert ledger.reopen_skipped(study.study_id) == 0
    now = ledger.cells(study.study_id)
    assert [(cell.state, cell.attempt, cell.skip) for cell in now] == [(CellState.WAITING, n, None) for n in (2, 2, 1)]
    states = [trial.state for trial in optuna_trials(ledger)]
    assert states == [TrialState.PRUNED, TrialState.PRUNED, *[TrialState.WAITING] * 3]
    assert [cell.trial_number for cell in now] == [3, 4, 2]
    claim_cell(ledger, study, KEYS[0])


def test_a_pruned_training_is_not_reopened(ledger: Ledger, study: StudyRecord) -> None:
    """It has a curve and a forecast, told apart from any value; reopening is for cells that were skipped."""
    claim = claim_cell(ledger, study, KEYS[0])
    ledger.record(claim, [Evaluation(1, 1.0, 3, 0.4, 1.0, 0.5)], checkpoint=None, worker=WORKER)
    ledger.prune(claim, "cannot matter: it is far under the best", PlateauForecast(0.5, 0.45, 0.55, "lstm"))
    assert ledger.reopen_skipped(study.study_id) == 0
    record = cell_records(ledger, study.study_id)[0]
    assert record.cell.state is CellState.PRUNED
    assert len(record.curve) == 1
    assert record.attempt.forecast == PlateauForecast(0.5, 0.45, 0.55, "lstm")
    trial = optuna_trials(ledger)[0]
    assert (trial.state, trial.value) == (TrialState.PRUNED, None)
    assert trial.user_attrs["forecast_val_dsc"] == 0.5
    assert trial.intermediate_values == {1: 0.4}
