"""A Ray Tune searcher that claims cells from the ledger, one per free slot, and records what comes back."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ray.tune.search import Searcher

from search.policy.bookkeeping import Bookkeeping
from search.policy.claim_queue import ClaimQueue
from search.tune.run_end import RunEnd
from search.worker.reports import FailureReport, TestReport, TrainReport
from storage.errors import LostLease, StorageError
from storage.ledger.cell_records import cell_record, spent_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from search.policy.decisions import Decisions
    from search.policy.stop_rule import StopDecision
    from search.tune.held_claims import HeldClaims
    from search.tune.job import Job
    from search.tune.run_end import StopSignal
    from storage.ledger.leases import LeaseWatch
    from storage.ledger.ledger import Ledger
    from storage.records import Cell, CellRecord, Claim, Evaluation, StudyRecord

POLL_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class DriverState:
    """What a driver works with while it runs a study.

    Attributes:
        ledger: The open ledger.
        study: The study in it.
        job: What is to be run.
        decisions: Which cell next, and when a training ends.
        owner: The name under which this driver holds cells.
        held: The claims that it holds.
        watch: Watches the leases of other drivers.
        stop: Set when the run is to end.
        slots: How many trials the cluster can run at once.
    """

    ledger: Ledger
    study: StudyRecord
    job: Job
    decisions: Decisions
    owner: str
    held: HeldClaims
    watch: LeaseWatch
    stop: StopSignal
    slots: Callable[[], int]


class LedgerSearcher(Searcher):
    """Suggests claimed cells. It keeps nothing that the ledger could not rebuild."""

    def __init__(self, driver: DriverState) -> None:
        """No metric: the ledger knows what is measured."""
        super().__init__()
        self._driver = driver
        self._idle_until = 0.0
        self._queue = ClaimQueue(driver.ledger, driver.study.study_id, driver.owner, driver.decisions)
        self._books = Bookkeeping(driver.ledger, driver.job.decision_spec.d0, driver.job.close_checkpoints)

    def set_search_properties(self, metric: str | None, mode: str | None, config: dict[str, Any], **_spec: Any) -> bool:
        """Accept whatever Tune sets: nothing of it is used."""
        del metric, mode, config
        return True

    def suggest(self, trial_id: str) -> Any:
        """A claimed cell, None when there is nothing now, or FINISHED."""
        with self._run_ends_without_database():
            return self._suggest(trial_id)
        return Searcher.FINISHED

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Record an evaluation; after the last one the worker goes on to the test."""
        held, report = self._driver.held, result["report"]
        claim = held.find(trial_id)
        if claim is None:
            return
        with self._run_ends_without_database():
            try:
                self._books.record(claim, report)
            except LostLease:
                held.remove(trial_id)
                return
            held.mark_working(trial_id, report.curve)
            self._heed_limit()

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:  # noqa: FBT001, FBT002 - Tune's signature
        """Record what the trial ended with: a stopped training or a test; without a result the worker was lost."""
        ended = self._driver.held.remove(trial_id)
        self._idle_until = 0.0
        if ended is None:
            return
        report = None if error else (result or {}).get("report")
        with self._run_ends_without_database():
            try:
                if not isinstance(report, TrainReport | TestReport):
                    # What was worked since the last record is lost, but counted.
                    self._driver.ledger.renew({ended.claim: ended.unrecorded_seconds})
                self._close(ended.claim, report, ended.decision)
            except LostLease:
                return  # another driver has the cell by now, and will report what it finds
            self._heed_limit()

    def save(self, checkpoint_path: str) -> None:
        """Nothing: the ledger is the only truth."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing: the ledger is the only truth."""

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Tune pickles its parts, and a pickle must not hold a database URL."""
        return {}

    def _suggest(self, trial_id: str) -> Any:
        driver = self._driver
        if driver.stop.is_set():
            return Searcher.FINISHED
        # Claims wait for a free slot, else Tune hoards cells that other drivers could take.
        if len(driver.held) >= driver.slots() or time.monotonic() < self._idle_until:
            return None
        self._heed_limit()
        claim = None if driver.stop.is_set() else self._queue.claim(self._cells)
        if claim is not None:
            driver.held.add(trial_id, claim, self._curve(claim))
            return {"claim": claim}
        self._idle_until = time.monotonic() + POLL_SECONDS
        others_work = self._queue.others_work and not driver.stop.is_set()
        if len(driver.held) or (driver.job.wait_for_others and others_work):
            return None
        if not others_work and not driver.stop.is_set():
            driver.decisions.close()
        return Searcher.FINISHED

    def _cells(self) -> list[Cell]:
        """All cells, those of dead drivers taken back."""
        driver, study_id = self._driver, self._driver.study.study_id
        cells = driver.ledger.cells(study_id)
        expired = driver.watch.expired(cells, driver.owner)
        taken_back = [driver.ledger.take_back(study_id, cell) for cell in expired]
        return driver.ledger.cells(study_id) if any(taken_back) else cells

    def _curve(self, claim: Claim) -> tuple[Evaluation, ...]:
        """What a cell that was held before has measured."""
        return () if claim.number == 1 else self._cell_record(claim).curve

    def _cell_record(self, claim: Claim) -> CellRecord:
        return cell_record(self._driver.ledger, claim.study_id, claim.plan.key)

    @contextmanager
    def _run_ends_without_database(self) -> Iterator[None]:
        """Tune would make a lost trial of an error here; instead the run ends, and its cells wait for the next one."""
        try:
            yield
        except StorageError as error:
            self._driver.stop.set(RunEnd.DATABASE_AWAY, str(error))

    def _close(
        self, claim: Claim, report: TrainReport | TestReport | FailureReport | None, decision: StopDecision | None
    ) -> None:
        match report:
            case TrainReport():
                self._books.end_training(claim, report, decision)
            case TestReport():
                self._books.finish(claim, self._cell_record(claim), report)
            case FailureReport():
                self._fail(claim, report)
            case None:
                self._give_back_or_fail(claim)

    def _fail(self, claim: Claim, report: FailureReport) -> None:
        """Count a failure of the cell; a full disk or an unfit node ends the run, for others would meet the same."""
        driver = self._driver
        if report.disk_is_full:
            driver.ledger.release(claim)
            driver.stop.set(
                RunEnd.DISK_FULL,
                f"no space is left for checkpoints in {driver.job.assignment.checkpoints}: {report.reason}; its cells "
                "wait: make room, and the same command goes on ([files] checkpoints)",
            )
        elif report.node_is_unfit:
            driver.ledger.release(claim)
            driver.stop.set(
                RunEnd.NODE_UNFIT,
                f"{report.reason}; its cells wait: mend the node or take it away, and the same command goes on",
            )
        else:
            driver.ledger.fail(claim, report.reason, max_attempts=driver.job.resources.max_attempts)

    def _give_back_or_fail(self, claim: Claim) -> None:
        """Count a lost worker: the cell waits again, or has lost too many."""
        ledger, resources = self._driver.ledger, self._driver.job.resources
        losses = self._cell_record(claim).cell.losses + 1
        if losses >= resources.max_losses:
            reason = f"its worker was lost {losses} times (out of memory, or a machine that went away)"
            ledger.fail(claim, reason, max_attempts=resources.max_attempts)
        else:
            ledger.release(claim, lost=f"its worker was lost under claim {claim.number}")

    def _heed_limit(self) -> None:
        driver, limit = self._driver, self._driver.job.decision_spec.device_seconds
        if limit is not None and spent_seconds(driver.ledger, driver.study.study_id) >= limit:
            driver.stop.set(RunEnd.LIMIT)
