"""What the ledger holds after a report, whoever the driver is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from search.policy.bookkeeping import Bookkeeping
from search.policy.stop_rule import StopDecision
from search.worker import reports
from storage.errors import LostLease
from storage.ledger.cell_records import cell_record
from storage.ledger.ledger import Ledger
from storage.records import CellPlan, CellState, Claim, Evaluation, PlateauForecast, Scores

if TYPE_CHECKING:
    from collections.abc import Iterator

    from search.policy.stop_rule import StopKind
    from storage.records import CellRecord

US = "host/boot/ns/1/100"
PLAN = CellPlan("cell", 0.5, 3, 0, 5, 1000)
WORKER = {"device": "cpu", "device_share": 1.0, "device_name": "a CPU", "planned_steps": 30, "versions": {}}
FORECAST = PlateauForecast(0.8, 0.7, 0.9, "a law")


class Driver:
    """A ledger with one claimed cell, its books, and the claims whose checkpoints were closed."""

    def __init__(self, ledger: Ledger) -> None:
        """Claim the cell."""
        study = ledger.create_study("s", identity={}, running={}, fingerprint="f", split={}, groups={}, facts={})
        ledger.layout(study.study_id, [PLAN])
        self.ledger, self.study_id, self.closed = ledger, study.study_id, list[Claim]()
        self.books = Bookkeeping(ledger, d0=0.2, close_checkpoints=self.closed.append)
        self.claim = self.claim_again()

    def claim_again(self) -> Claim:
        """The next claim on the cell."""
        claim = self.ledger.claim(self.study_id, [PLAN.key], US)
        assert claim is not None
        return claim

    @property
    def record(self) -> CellRecord:
        """The cell now."""
        return cell_record(self.ledger, self.study_id, PLAN.key)


@pytest.fixture
def driver(storage_url: str) -> Iterator[Driver]:
    """One that holds the cell."""
    with Ledger.open(storage_url, create=True) as ledger:
        yield Driver(ledger)


def after(evaluations: int) -> reports.TrainReport:
    """What a worker reports of a budget of three evaluations."""
    curve = tuple(Evaluation(i, float(i), 10 * i, 0.5 + i / 100, 1.0, 0.5) for i in range(1, evaluations + 1))
    return reports.TrainReport(
        curve, {evaluations: 0.4}, "checkpoint", WORKER, finished=evaluations == 3, note="a note"
    )


def test_a_training_goes_on_to_its_test_under_the_same_claim(driver: Driver) -> None:
    """Until the budget is spent an evaluation changes no state; then the same claim closes the tested cell."""
    states = []
    for evaluations in (1, 2, 3):
        driver.books.record(driver.claim, after(evaluations))
        states.append(driver.record.cell.state)
    assert states == [CellState.CLAIMED, CellState.CLAIMED, CellState.TEST]
    assert driver.record.curve == after(3).curve
    assert driver.record.test_curve == {1: 0.4, 2: 0.4, 3: 0.4}
    scores = Scores(3, ((8, 1, 1),), ((7, 1, 1),), 0.2)
    driver.books.finish(driver.claim, driver.record, reports.TestReport(scores))
    assert (driver.record.cell.state, driver.record.cell.owner) == (CellState.DONE, None)
    assert driver.record.attempt.scores == scores
    assert driver.closed == [driver.claim]


@pytest.mark.parametrize("kind", ["plateau", "not_learned", "collapsed"])
def test_a_stopped_training_waits_for_its_test(driver: Driver, kind: StopKind) -> None:
    """With reason and forecast; its checkpoints stay."""
    driver.books.end_training(driver.claim, after(2), StopDecision(kind, "for a reason", FORECAST))
    record = driver.record
    assert (record.cell.state, record.cell.owner, record.cell.skip) == (CellState.TEST, None, None)
    assert (record.attempt.stop_reason, record.attempt.forecast) == ("for a reason", FORECAST)
    assert record.curve == after(2).curve
    assert driver.closed == []
    assert driver.claim_again().phase == "test"


def test_a_training_that_cannot_matter_is_not_tested(driver: Driver) -> None:
    """The cell is closed, with its curve and its forecast."""
    driver.books.end_training(driver.claim, after(2), StopDecision("cannot_matter", "for a reason", FORECAST))
    record = driver.record
    assert record.cell.state is CellState.PRUNED
    assert (record.attempt.stop_reason, record.attempt.forecast) == ("for a reason", FORECAST)
    assert record.curve == after(2).curve
    assert driver.closed == [driver.claim]


def test_a_training_that_nobody_stopped_waits_to_go_on(driver: Driver) -> None:
    """What it measured stays, and the next claim trains."""
    driver.books.end_training(driver.claim, after(2), None)
    record = driver.record
    assert (record.cell.state, record.attempt.stop_reason) == (CellState.WAITING, None)
    assert record.curve == after(2).curve
    assert driver.closed == []
    assert driver.claim_again().phase == "train"


def test_a_flagged_training_is_told_by_its_curve(driver: Driver) -> None:
    """The state is the outcome of the curve, not of the scores."""
    curve = tuple(Evaluation(i, float(i), 10 * i, 0.1, 1.0, 0.5) for i in (1, 2, 3))
    driver.books.record(driver.claim, reports.TrainReport(curve, {}, "checkpoint", WORKER, finished=True))
    driver.books.finish(driver.claim, driver.record, reports.TestReport(Scores(1, ((8, 1, 1),), ((7, 1, 1),), 0.2)))
    assert driver.record.cell.state is CellState.NOT_LEARNED


def test_who_lost_the_cell_writes_nothing(driver: Driver) -> None:
    """Another driver has it by then."""
    (cell,) = driver.ledger.cells(driver.study_id)
    assert driver.ledger.take_back(driver.study_id, cell)
    with pytest.raises(LostLease):
        driver.books.end_training(driver.claim, after(2), StopDecision("cannot_matter", "for a reason", FORECAST))
    assert (driver.record.cell.state, driver.record.curve, driver.closed) == (CellState.WAITING, (), [])
