"""A Ray Tune searcher that claims cells from the ledger, one per free slot, and records what comes back."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ray.tune.search import Searcher

from search.policy.claim_queue import ClaimQueue
from search.policy.stop_rule import outcome
from search.policy.trial_attributes import trial_attributes
from search.tune.run_end import RunEnd
from search.worker.assignment import FailureReport, TestReport, TrainReport
from storage.errors import LostLease, StorageError
from storage.ledger.cell_records import cell_record, spent_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from search.policy.decisions import Decisions
    from search.policy.stop_rule import StopDecision
    from search.tune.held_claims import HeldClaims
    from search.tune.run_end import StopSignal
    from search.worker.assignment import Assignment
    from storage.files.checkpoints import Keep
    from storage.ledger.leases import LeaseWatch
    from storage.ledger.ledger import Ledger
    from storage.records import Cell, Claim, Evaluation, StudyRecord

POLL_SECONDS = 1.0


@dataclass(frozen=True)
class Desk:
    """Everything that the searcher works with.

    Attributes:
        ledger: The open ledger.
        study: The study in it.
        decisions: Which cell next, and when a training ends.
        assignment: What workers know.
        owner: The name under which this driver holds cells.
        live: The claims that it holds.
        watch: Watches the leases of other drivers.
        stop: Set when the run is to end.
        slots: How many trials the cluster can run at once.
        max_attempts: How often a cell is tried.
        max_losses: After how many lost workers an attempt is failed.
        device_seconds: The study's limit of device seconds, or None.
        wait_for_others: Whether to wait for cells that other drivers hold.
        keep: What stays of a closed cell's checkpoints.
    """

    ledger: Ledger
    study: StudyRecord
    decisions: Decisions
    assignment: Assignment
    owner: str
    live: HeldClaims
    watch: LeaseWatch
    stop: StopSignal
    slots: Callable[[], int]
    max_attempts: int
    max_losses: int
    device_seconds: float | None
    wait_for_others: bool
    keep: Keep


class LedgerSearcher(Searcher):
    """Suggests claimed cells. It keeps nothing that the ledger could not rebuild."""

    def __init__(self, desk: Desk) -> None:
        """No metric: the ledger knows what is measured."""
        super().__init__()
        self._desk = desk
        self._idle_until = 0.0
        self._queue = ClaimQueue(desk.ledger, desk.study.study_id, desk.owner, desk.decisions)

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
        claim = self._desk.live.find(trial_id)
        if claim is None:
            return
        with self._run_ends_without_database():
            try:
                self._record(claim, result["report"])
                if result["report"].finished:
                    self._desk.ledger.begin_test(claim)
            except LostLease:
                self._desk.live.remove(trial_id)
                return
            self._desk.live.mark_working(trial_id, result["report"].curve)
            self._heed_limit()

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:  # noqa: FBT001, FBT002 - Tune's signature
        """Record what the trial ended with: a stopped training or a test; without a result the worker was lost."""
        removed = self._desk.live.remove(trial_id)
        self._idle_until = 0.0
        if removed is None:
            return
        claim, unrecorded_seconds = removed
        report = None if error else (result or {}).get("report")
        with self._run_ends_without_database():
            try:
                if not isinstance(report, TrainReport | TestReport):
                    # What was worked since the last record is lost, but counted.
                    self._desk.ledger.renew({claim: unrecorded_seconds})
                if report is None:
                    self._give_back_or_fail(claim)
                else:
                    self._close(claim, report, (result or {}).get("stop_decision"))
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
        desk = self._desk
        if desk.stop.is_set():
            return Searcher.FINISHED
        # Claims wait for a free slot, else Tune hoards cells that other drivers could take.
        if len(desk.live) >= desk.slots() or time.monotonic() < self._idle_until:
            return None
        self._heed_limit()
        claim = None if desk.stop.is_set() else self._queue.claim(self._cells)
        if claim is not None:
            desk.live.add(trial_id, claim, self._curve(claim))
            return {"claim": claim}
        self._idle_until = time.monotonic() + POLL_SECONDS
        others_work = self._queue.others_work and not desk.stop.is_set()
        if len(desk.live) or (desk.wait_for_others and others_work):
            return None
        if not others_work and not desk.stop.is_set():
            desk.decisions.close()
        return Searcher.FINISHED

    def _curve(self, claim: Claim) -> tuple[Evaluation, ...]:
        """What a cell that was held before has measured."""
        if claim.number == 1:
            return ()
        return cell_record(self._desk.ledger, self._desk.study.study_id, claim.plan.key).curve

    @contextmanager
    def _run_ends_without_database(self) -> Iterator[None]:
        """Tune would make a lost trial of an error here; instead the run ends, and its cells wait for the next one."""
        try:
            yield
        except StorageError as error:
            self._desk.stop.set(RunEnd.DATABASE_AWAY, str(error))

    def _cells(self) -> list[Cell]:
        desk = self._desk
        cells = desk.ledger.cells(desk.study.study_id)
        expired = desk.watch.expired(cells, desk.owner)
        taken_back = [desk.ledger.take_back(desk.study.study_id, cell) for cell in expired]
        return desk.ledger.cells(desk.study.study_id) if any(taken_back) else cells

    def _record(self, claim: Claim, report: TrainReport) -> None:
        self._desk.ledger.record(
            claim,
            report.curve,
            checkpoint=report.checkpoint,
            worker=report.worker,
            test_curve=report.test_curve,
            note=report.note,
        )

    def _close(
        self, claim: Claim, report: TrainReport | TestReport | FailureReport, decision: StopDecision | None
    ) -> None:
        if isinstance(report, FailureReport) and report.disk_is_full:
            self._end_with_full_disk(claim, report.reason)
        elif isinstance(report, FailureReport) and report.node_is_unfit:
            self._desk.ledger.release(claim)
            self._desk.stop.set(
                RunEnd.NODE_UNFIT,
                f"{report.reason}; its cells wait: mend the node or take it away, and the same command goes on",
            )
        elif isinstance(report, FailureReport):
            self._desk.ledger.fail(claim, report.reason, max_attempts=self._desk.max_attempts)
        elif isinstance(report, TestReport):
            self._finish(claim, report)
        else:
            self._record(claim, report)
            self._end_training(claim, decision)

    def _end_training(self, claim: Claim, decision: StopDecision | None) -> None:
        desk = self._desk
        if decision is None:  # Tune ended the trial, not we: the training is to go on
            desk.ledger.release(claim)
        elif decision.kind == "cannot_matter":
            desk.ledger.prune(claim, decision.reason, decision.forecast)
            desk.assignment.checkpoint_folder(claim).close(desk.keep)
        else:
            desk.ledger.send_to_test(claim, stop_reason=decision.reason, forecast=decision.forecast)

    def _finish(self, claim: Claim, report: TestReport) -> None:
        desk = self._desk
        record = cell_record(desk.ledger, claim.study_id, claim.plan.key)
        state = outcome(record.curve, desk.study.facts["d0"])
        assert record.best is not None
        facts = trial_attributes(record, report.scores)
        desk.ledger.finish(
            claim,
            state,
            value=record.best.val_dsc,
            scores=report.scores,
            facts=facts,
            artifacts=report.artifacts,
            note=report.note,
        )
        desk.assignment.checkpoint_folder(claim).close(desk.keep)

    def _give_back_or_fail(self, claim: Claim) -> None:
        desk = self._desk
        losses = cell_record(desk.ledger, claim.study_id, claim.plan.key).cell.losses + 1
        if losses >= desk.max_losses:
            reason = f"its worker was lost {losses} times (out of memory, or a machine that went away)"
            desk.ledger.fail(claim, reason, max_attempts=desk.max_attempts)
        else:
            desk.ledger.release(claim, lost=f"its worker was lost under claim {claim.number}")

    def _end_with_full_disk(self, claim: Claim, reason: str) -> None:
        """The cell is not to blame, and the next ones would meet the same disk."""
        self._desk.ledger.release(claim)
        self._desk.stop.set(
            RunEnd.DISK_FULL,
            f"no space is left for checkpoints in {self._desk.assignment.checkpoints}: {reason}; its cells wait: make "
            "room, and the same command goes on ([files] checkpoints)",
        )

    def _heed_limit(self) -> None:
        desk = self._desk
        if desk.device_seconds is not None:
            spent = spent_seconds(desk.ledger, desk.study.study_id)
            if spent >= desk.device_seconds:
                desk.stop.set(RunEnd.LIMIT)
