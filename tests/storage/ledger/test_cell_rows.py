"""Who may write to a cell: claims, the fence against late writers, and how a cell is given back."""

from __future__ import annotations

import multiprocessing
from typing import TYPE_CHECKING

import pytest
from optuna.trial import TrialState

from storage.errors import LostLease
from storage.ledger.cell_records import cell_records
from storage.ledger.leases import this_owner
from storage.ledger.ledger import Ledger
from storage.records import CellState, Claim
from tests.helpers.ledgers import (
    THEM,
    US,
    claim_first,
    finish,
    first,
    make_study,
    optuna_trial,
    plans,
    record,
    trained,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.synchronize import Barrier

    from storage.records import StudyRecord
    from tests.helpers.backends import Backend

PROCESSES, CELLS = 8, 60


def test_a_claimed_cell_cannot_be_claimed(ledger: Ledger, study: StudyRecord) -> None:
    """Not by another, and not twice by the same owner; an unknown cell neither."""
    claim_first(ledger, study)
    assert ledger.claim(study.study_id, [plans(1)[0].key], THEM) is None
    assert ledger.claim(study.study_id, [plans(1)[0].key], US) is None
    assert ledger.claim(study.study_id, ["ratio1-depth9-seed0"], US) is None


@pytest.mark.parametrize("first_start", [False, True])
def test_many_processes_claim_every_cell_once(
    backend: Backend, templates: tuple[str, str], *, first_start: bool
) -> None:
    """Eight drivers that begin one study at once, and grab whatever is free, make and take each cell exactly once.

    So they do where the database is not there yet, and each of them makes its tables.
    """
    storage_url = backend.database(None if first_start else templates[0])
    start = multiprocessing.get_context("forkserver")
    start.set_forkserver_preload(["pytest", "storage.ledger.cell_records"])
    barrier, results = start.Barrier(PROCESSES), start.Queue()
    drivers = [start.Process(target=_claim_all, args=(storage_url, i, barrier, results)) for i in range(PROCESSES)]
    for driver in drivers:
        driver.start()
    for driver in drivers:
        driver.join(60)
    assert [driver.exitcode for driver in drivers] == [0] * PROCESSES
    claimed = [key for _ in drivers for key in results.get(timeout=1)]
    assert sorted(claimed) == sorted(plan.key for plan in plans(CELLS))
    with Ledger.open(storage_url) as ledger:
        cells = ledger.cells(1)
    assert {(cell.state, cell.claims) for cell in cells} == {(CellState.CLAIMED, 1)}
    assert sorted(cell.trial_number for cell in cells) == list(range(CELLS))


def _claim_all(url: str, number: int, barrier: Barrier, results: multiprocessing.Queue[list[str]]) -> None:
    claimed = []
    barrier.wait(60)
    with Ledger.open(url, create=True) as ledger:
        study_id = make_study(ledger).study_id
        ledger.layout(study_id, plans(CELLS))
        while free := [cell for cell in ledger.cells(study_id) if cell.owner is None]:
            # Two drivers each are after the same cell.
            claim = ledger.claim(study_id, [free[number // 2 % len(free)].plan.key], this_owner())
            if claim is not None:
                claimed.append(claim.plan.key)
    results.put(claimed)


WRITES: dict[str, Callable[[Ledger, Claim], None]] = {
    "record": lambda ledger, claim: record(ledger, claim, 3),
    "send_to_test": lambda ledger, claim: ledger.send_to_test(claim, stop_reason="late", forecast=None),
    "begin_test": lambda ledger, claim: ledger.begin_test(claim),
    "finish": finish,
    "fail": lambda ledger, claim: ledger.fail(claim, "late"),
}


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("taken_by", [None, THEM, US])
@pytest.mark.parametrize("way", ["release", "take_back"])
def test_a_late_writer_writes_nothing(
    ledger: Ledger, study: StudyRecord, write: str, taken_by: str | None, way: str
) -> None:
    """After a cell was given back the former claim is void, whoever holds the cell by now."""
    claim = claim_first(ledger, study)
    record(ledger, claim, 1)
    if way == "release":
        ledger.release(claim)
    else:
        assert ledger.take_back(study.study_id, first(ledger, study))
    if taken_by:
        claim_first(ledger, study, taken_by)
    before = cell_records(ledger, study.study_id), optuna_trial(ledger)
    with pytest.raises(LostLease, match=f"cell {claim.plan.key} is no longer held under claim 1"):
        WRITES[write](ledger, claim)
    assert (cell_records(ledger, study.study_id), optuna_trial(ledger)) == before


@pytest.mark.parametrize("write", WRITES)
def test_a_closed_cell_takes_no_more_writes(ledger: Ledger, study: StudyRecord, write: str) -> None:
    """A finish that is told twice is told once."""
    claim = trained(ledger, study)
    finish(ledger, claim)
    with pytest.raises(LostLease):
        WRITES[write](ledger, claim)
    assert optuna_trial(ledger).state == TrialState.COMPLETE


def test_the_training_claim_ends_with_the_training(ledger: Ledger, study: StudyRecord) -> None:
    """A worker that goes on training after its cell was sent to its test writes nothing."""
    claim = claim_first(ledger, study)
    record(ledger, claim, 2)
    ledger.send_to_test(claim, stop_reason=None, forecast=None)
    with pytest.raises(LostLease):
        record(ledger, claim, 3)


def test_who_trained_to_the_end_tests_under_the_same_claim(ledger: Ledger, study: StudyRecord) -> None:
    """Nobody else gets the cell between training and test, and the claim closes it; where it ends, the test waits."""
    claim = claim_first(ledger, study)
    record(ledger, claim, 2)
    ledger.begin_test(claim)
    assert (first(ledger, study).state, first(ledger, study).owner) == (CellState.TEST, claim.owner)
    assert ledger.claim(study.study_id, [claim.plan.key], THEM) is None
    ledger.release(claim, lost="its worker was lost")
    again = ledger.claim(study.study_id, [claim.plan.key], THEM)
    assert again is not None
    assert again.phase == "test"
    finish(ledger, again)
    assert first(ledger, study).state == CellState.DONE


def test_the_first_that_is_free_is_claimed(ledger: Ledger, study: StudyRecord) -> None:
    """In the order of the keys, whatever that of the cells; those that others hold are passed over."""
    first, second, third = [cell.plan.key for cell in ledger.cells(study.study_id)][:3]
    assert ledger.claim(study.study_id, [third], THEM) is not None
    claims = [ledger.claim(study.study_id, [third, second, first], US) for _ in range(3)]
    assert [claim and claim.plan.key for claim in claims] == [second, first, None]


def test_a_released_cell_waits_again_with_its_curve(ledger: Ledger, study: StudyRecord) -> None:
    """It keeps trial, attempt and curve; only a lost worker is counted."""
    claim = claim_first(ledger, study)
    record(ledger, claim, 2)
    ledger.release(claim)
    cell = first(ledger, study)
    assert (cell.state, cell.owner, cell.attempt, cell.losses) == (CellState.WAITING, None, 1, 0)
    trial = optuna_trial(ledger)
    assert (trial.state, len(trial.intermediate_values)) == (TrialState.WAITING, 2)
    ledger.release(claim_first(ledger, study), lost="its worker was lost")
    assert first(ledger, study).losses == 1
    assert claim_first(ledger, study).number == 3


def test_a_cell_released_in_its_test_waits_for_its_test(ledger: Ledger, study: StudyRecord) -> None:
    """What was trained is not trained again."""
    ledger.release(trained(ledger, study))
    assert first(ledger, study).state == CellState.TEST
    assert claim_first(ledger, study).phase == "test"
    assert ledger.take_back(study.study_id, first(ledger, study))
    assert first(ledger, study).state == CellState.TEST


def test_a_release_of_a_claim_that_was_given_away_does_nothing(ledger: Ledger, study: StudyRecord) -> None:
    """A driver that ends late does not take the cell from the one that took over."""
    claim = claim_first(ledger, study)
    ledger.take_back(study.study_id, first(ledger, study))
    claim_first(ledger, study, THEM)
    ledger.release(claim, lost="late")
    cell = first(ledger, study)
    assert (cell.state, cell.owner, cell.losses) == (CellState.CLAIMED, THEM, 0)


def test_a_cell_is_taken_back_only_as_it_was_seen(ledger: Ledger, study: StudyRecord) -> None:
    """An owner who renewed since is alive; one who lost the cell meanwhile does not lose it for the next."""
    claim = claim_first(ledger, study)
    seen = first(ledger, study)
    ledger.renew({claim: 0.0})
    assert not ledger.take_back(study.study_id, seen)
    assert first(ledger, study).owner == US
    seen = first(ledger, study)
    ledger.release(claim)
    claim_first(ledger, study, THEM)
    assert not ledger.take_back(study.study_id, seen)
    assert first(ledger, study).owner == THEM
