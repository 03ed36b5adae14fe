"""What an attempt holds: its records and costs, and how another one follows it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from optuna.trial import TrialState

from storage.frames.study_frames import costs_frame
from storage.ledger.cell_records import cell_record, cell_records, spent_seconds
from storage.records import CellState
from tests.helpers.ledgers import (
    THEM,
    US,
    WORKER,
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

if TYPE_CHECKING:
    from storage.ledger.ledger import Ledger
    from storage.records import StudyRecord


def test_a_failed_cell_may_be_tried_again(ledger: Ledger, study: StudyRecord) -> None:
    """It waits as attempt 2 with a trial and a curve of its own; the first keeps its trial, and its seconds count."""
    claim = claim_first(ledger, study)
    record(ledger, claim, 2)
    ledger.fail(claim, "the loss is nan")
    assert ledger.retry(study.study_id, claim.plan.key)
    cell = first(ledger, study)
    assert (cell.state, cell.attempt, cell.trial_number) == (CellState.WAITING, 2, 3)
    assert cell_record(ledger, study.study_id, claim.plan.key).curve == ()
    assert spent_seconds(ledger, study.study_id) == pytest.approx(2 * 1.5 * WORKER["device_share"])
    assert optuna_trial(ledger, number=0).state == TrialState.FAIL
    assert optuna_trial(ledger, number=3).state == TrialState.WAITING
    again = claim_first(ledger, study)
    assert again.attempt == 2
    record(ledger, again, 3)
    assert len(optuna_trial(ledger, number=3).intermediate_values) == 3


def test_failures_follow_each_other_up_to_the_last_attempt(ledger: Ledger, study: StudyRecord) -> None:
    """A failed cell waits again by itself while attempts are left; then it stays failed, and each reason is kept."""
    for number in (1, 2, 3):
        claim = claim_first(ledger, study)
        assert claim.attempt == number
        record(ledger, claim, 1)
        assert ledger.fail(claim, f"reason {number}", max_attempts=3) == (number < 3)
    cell = first(ledger, study)
    assert (cell.state, cell.attempt) == (CellState.FAILED, 3)
    assert ledger.claim(study.study_id, [cell.plan.key], US) is None
    costs = costs_frame(ledger, study.study_id)
    of_cell = costs[costs["cell"] == cell.plan.key]
    assert of_cell["failure"].tolist() == ["reason 1", "reason 2", "reason 3"]
    assert of_cell["evaluation_seconds"].tolist() == [3.0] * 3
    assert spent_seconds(ledger, study.study_id) == 9.0


def test_a_cell_that_cannot_be_tested_trains_anew(ledger: Ledger, study: StudyRecord) -> None:
    """Only a cell that waits for its test, unowned."""
    key = plans(1)[0].key
    assert not ledger.retrain(study.study_id, key, "gone")
    claim = trained(ledger, study)
    assert not ledger.retrain(study.study_id, key, "gone")
    ledger.release(claim)
    assert ledger.retrain(study.study_id, key, "gone")
    cell = first(ledger, study)
    assert (cell.state, cell.attempt) == (CellState.WAITING, 2)
    assert optuna_trial(ledger).user_attrs["failure"] == "gone"


def test_only_failed_cells_are_tried_again(ledger: Ledger, study: StudyRecord) -> None:
    """A cell that waits, runs or is done is left as it is."""
    assert not ledger.retry(study.study_id, plans(1)[0].key)
    claim = trained(ledger, study)
    assert not ledger.retry(study.study_id, claim.plan.key)
    finish(ledger, claim)
    assert not ledger.retry(study.study_id, claim.plan.key)
    assert first(ledger, study).attempt == 1


def test_a_repeated_record_changes_nothing(ledger: Ledger, study: StudyRecord) -> None:
    """Known points keep what was first written; only the checkpoint moves."""
    claim = claim_first(ledger, study)
    record(ledger, claim, 2)
    changed = [replace(point, val_dsc=0.0) for point in curve(2)]
    ledger.record(claim, changed, checkpoint="0001-00009", worker=WORKER)
    assert cell_record(ledger, study.study_id, claim.plan.key).curve == tuple(curve(2))
    assert optuna_trial(ledger).intermediate_values == {point.evaluation: point.val_dsc for point in curve(2)}


def test_a_record_fills_gaps(ledger: Ledger, study: StudyRecord) -> None:
    """Points that a dead driver did not record come from the curve that the checkpoint holds."""
    claim = claim_first(ledger, study)
    ledger.record(claim, [curve(5)[1]], checkpoint="a", worker=WORKER)
    ledger.record(claim, curve(5), checkpoint="b", worker=WORKER)
    assert cell_record(ledger, study.study_id, claim.plan.key).curve == tuple(curve(5))
    assert optuna_trial(ledger).intermediate_values == {point.evaluation: point.val_dsc for point in curve(5)}


def test_work_that_was_done_again_is_counted(ledger: Ledger, study: StudyRecord) -> None:
    """A damaged checkpoint made an evaluation be trained twice: the first stands, the second is lost work."""
    claim = claim_first(ledger, study)
    record(ledger, claim, 2)
    again = [curve(2)[0], replace(curve(2)[1], train_seconds=1.25)]
    ledger.record(claim, again, checkpoint="x", worker=WORKER, note="damaged checkpoint 0001-00002")
    cell = cell_record(ledger, study.study_id, claim.plan.key)
    assert cell.curve == tuple(curve(2))
    assert cell.attempt.lost_seconds == 1.75 * 2.0
    assert cell.attempt.notes == ("damaged checkpoint 0001-00002",)
    record(ledger, claim, 3)
    assert cell_record(ledger, study.study_id, claim.plan.key).attempt.lost_seconds == 1.75 * 2.0


def test_what_befell_a_cell_is_noted(ledger: Ledger, study: StudyRecord) -> None:
    """Lost workers and drivers, in order."""
    ledger.release(claim_first(ledger, study), lost="its worker was lost")
    claim_first(ledger, study)
    ledger.take_back(study.study_id, first(ledger, study))
    notes = cell_record(ledger, study.study_id, plans(1)[0].key).attempt.notes
    assert notes == ("its worker was lost", f"its driver was lost: {US}")


def test_a_record_tells_where_it_ran(ledger: Ledger, study: StudyRecord) -> None:
    """Device, share and planned steps stand beside the attempt."""
    claim = claim_first(ledger, study)
    record(ledger, claim, 1)
    attempt = cell_record(ledger, study.study_id, claim.plan.key).attempt
    assert (attempt.device, attempt.device_share, attempt.device_name) == ("cpu", 2.0, "a processor")
    assert attempt.planned_steps == 90
    assert (attempt.scores, attempt.failure, attempt.stop_reason, attempt.forecast) == (None, None, None, None)


def test_a_renewal_counts_and_notes_seconds(ledger: Ledger, study: StudyRecord) -> None:
    """The counter of every cell of the owner moves, others' do not; unrecorded seconds are replaced, not added."""
    claim = claim_first(ledger, study)
    theirs = claim_cell(ledger, study, plans(2)[1].key, THEM)
    for seconds in (3.0, 7.0):
        assert ledger.renew({claim: seconds, replace(theirs, owner=US): 100.0}) == [replace(theirs, owner=US)]
    assert [cell.counter for cell in ledger.cells(study.study_id)] == [2, 0, 0]
    lost = [cell.attempt.lost_seconds for cell in cell_records(ledger, study.study_id)]
    assert lost == [7.0, 0.0, 0.0]


def test_a_record_settles_the_unrecorded_seconds(ledger: Ledger, study: StudyRecord) -> None:
    """Seconds that the curve now holds are not counted twice; the device share counts."""
    claim = claim_first(ledger, study)
    ledger.renew({claim: 2.5})
    assert spent_seconds(ledger, study.study_id) == 2.5
    record(ledger, claim, 2)
    assert spent_seconds(ledger, study.study_id) == 2 * 3.0
    cell = cell_record(ledger, study.study_id, claim.plan.key)
    assert (cell.device_seconds, cell.spent_seconds) == (6.0, 6.0)


@pytest.mark.parametrize("end", ["release", "take_back", "fail"])
def test_unrecorded_work_is_lost_once(ledger: Ledger, study: StudyRecord, end: str) -> None:
    """Work since the last evaluation is spent, once, and is no part of the cost of the value."""
    claim = claim_first(ledger, study)
    record(ledger, claim, 2)
    ledger.renew({claim: 4.0})
    if end == "release":
        ledger.release(claim)
    elif end == "take_back":
        ledger.take_back(study.study_id, first(ledger, study))
    else:
        ledger.fail(claim, "no memory")
    cell = cell_record(ledger, study.study_id, claim.plan.key)
    assert cell.attempt.lost_seconds == 4.0
    assert (cell.device_seconds, cell.spent_seconds) == (6.0, 10.0)
    assert spent_seconds(ledger, study.study_id) == 10.0


def test_losses_add_up(ledger: Ledger, study: StudyRecord) -> None:
    """Every interruption's seconds are kept."""
    for seconds in (4.0, 5.0):
        claim = claim_first(ledger, study)
        ledger.renew({claim: seconds})
        ledger.release(claim)
    assert spent_seconds(ledger, study.study_id) == 9.0
