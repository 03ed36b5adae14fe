"""The states of a cell, and Optuna's view of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import optuna
import pytest
from optuna.trial import TrialState

from storage.ledger.cell_records import cell_record
from storage.records import CellState, Claim
from tests.helpers.ledgers import (
    FORECAST,
    SCORES,
    THEM,
    US,
    claim_cell,
    claim_first,
    curve,
    finish,
    first,
    optuna_trial,
    plans,
    record,
    trained,
)
from tests.helpers.optuna_view import optuna_study

if TYPE_CHECKING:
    from storage.ledger.ledger import Ledger
    from storage.records import StudyRecord


def test_optuna_sees_a_waiting_cell(ledger: Ledger, study: StudyRecord) -> None:
    """Its trial waits, with the numeric axes as parameters and the plan in its attributes; the study maximises."""
    with optuna_study(ledger.url, study.name) as shown:
        trials, direction = shown.trials, shown.direction
    assert direction == optuna.study.StudyDirection.MAXIMIZE
    assert [trial.params for trial in trials] == [{"ratio": i / 1000, "depth": 3} for i in (1, 2, 3)]
    assert [trial.state for trial in trials] == [TrialState.WAITING] * 3
    assert trials[0].user_attrs == {"cell": plans(1)[0].key, "seed": 0, "num_cases": 10, "parameters": 95_748}
    assert trials[0].datetime_start is None


def test_a_claim_and_its_curve_are_optunas_running_trial(ledger: Ledger, study: StudyRecord) -> None:
    """The claimed cell names its owner and claim; the curve stands in the trial's intermediate values."""
    claim = claim_first(ledger, study)
    assert claim == Claim(study.study_id, plans(1)[0], 1, 1, US, "train")
    record(ledger, claim, 3)
    cell = first(ledger, study)
    assert (cell.state, cell.owner, cell.claims) == (CellState.CLAIMED, US, 1)
    trial = optuna_trial(ledger)
    assert trial.state == TrialState.RUNNING
    assert trial.datetime_start is not None
    assert trial.intermediate_values == {point.evaluation: point.val_dsc for point in curve(3)}


def test_a_trained_cell_waits_for_its_test(ledger: Ledger, study: StudyRecord) -> None:
    """It has no owner, keeps its curve, and is claimed for the test phase under a new claim."""
    claim = claim_first(ledger, study)
    record(ledger, claim, 2)
    ledger.send_to_test(claim, stop_reason="plateau reached", forecast=FORECAST)
    cell = first(ledger, study)
    assert (cell.state, cell.owner) == (CellState.TEST, None)
    assert optuna_trial(ledger).state == TrialState.WAITING
    attempt = cell_record(ledger, study.study_id, cell.plan.key).attempt
    assert (attempt.stop_reason, attempt.forecast) == ("plateau reached", FORECAST)
    again = claim_first(ledger, study, THEM)
    assert (again.phase, again.number, again.attempt) == ("test", 2, 1)
    assert first(ledger, study).state == CellState.TEST
    trial = optuna_trial(ledger)
    assert trial.state == TrialState.RUNNING
    assert trial.intermediate_values == {point.evaluation: point.val_dsc for point in curve(2)}


@pytest.mark.parametrize("state", [CellState.DONE, CellState.NOT_LEARNED, CellState.COLLAPSED])
def test_a_finished_cell_is_a_complete_trial(ledger: Ledger, study: StudyRecord, state: CellState) -> None:
    """Optuna has its value and facts, the ledger its counts; nobody holds it, and nobody can claim it again."""
    finish(ledger, trained(ledger, study), state)
    cell = first(ledger, study)
    assert (cell.state, cell.owner) == (state, None)
    trial = optuna_trial(ledger)
    assert (trial.state, trial.value) == (TrialState.COMPLETE, 0.52)
    assert (trial.user_attrs["state"], trial.user_attrs["test_dsc"]) == (state.value, 0.8)
    assert trial.user_attrs["cell"] == cell.plan.key
    assert trial.datetime_complete is not None
    assert cell_record(ledger, study.study_id, cell.plan.key).attempt.scores == SCORES
    assert ledger.claim(study.study_id, [cell.plan.key], US) is None


def test_optuna_knows_the_best_trial(ledger: Ledger, study: StudyRecord) -> None:
    """The value is what Optuna ranks by: of two cells the one with the higher validation DSC is its best."""
    finish(ledger, trained(ledger, study))
    second = plans(2)[1].key
    for _ in range(2):
        claim = claim_cell(ledger, study, second)
        if claim.phase == "train":
            record(ledger, claim, 2)
            ledger.send_to_test(claim, stop_reason=None, forecast=None)
    ledger.finish(claim, CellState.DONE, value=0.6, scores=SCORES, facts={})
    with optuna_study(ledger.url, study.name) as shown:
        best = shown.best_trial
    assert (best.number, best.value) == (1, 0.6)


def test_a_failed_cell_is_a_failed_trial(ledger: Ledger, study: StudyRecord) -> None:
    """Its reason stands in both, its curve stays, and nobody can claim it again."""
    claim = claim_first(ledger, study)
    record(ledger, claim, 2)
    ledger.fail(claim, "the loss is nan at step 6")
    cell = first(ledger, study)
    assert (cell.state, cell.owner) == (CellState.FAILED, None)
    trial = optuna_trial(ledger)
    assert (trial.state, trial.user_attrs["failure"]) == (TrialState.FAIL, "the loss is nan at step 6")
    assert len(trial.intermediate_values) == 2
    failed = cell_record(ledger, study.study_id, cell.plan.key)
    assert failed.attempt.failure == "the loss is nan at step 6"
    assert len(failed.curve) == 2
    assert ledger.claim(study.study_id, [cell.plan.key], US) is None
