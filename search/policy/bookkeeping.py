"""What a driver writes into the ledger of what its workers report: the same on Ray and in a replay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from search.policy.stop_rule import outcome
from search.policy.trial_attributes import trial_attributes

if TYPE_CHECKING:
    from collections.abc import Callable

    from search.policy.stop_rule import StopDecision
    from search.worker.reports import TestReport, TrainReport
    from storage.ledger.ledger import Ledger
    from storage.records import CellRecord, Claim


@dataclass(frozen=True)
class Bookkeeping:
    """Writes down what claimed cells have come to.

    Attributes:
        ledger: Open.
        d0: Mean validation DSC of "everything is foreground".
        close_checkpoints: Told the claim of each cell that has closed.
    """

    ledger: Ledger
    d0: float
    close_checkpoints: Callable[[Claim], None]

    def record(self, claim: Claim, report: TrainReport) -> None:
        """Record an evaluation; after the last one the cell is in its test phase, under the same claim.

        Raises:
            LostLease: The cell was given to another driver.
        """
        self._record(claim, report)
        if report.finished:
            self.ledger.begin_test(claim)

    def end_training(self, claim: Claim, report: TrainReport, decision: StopDecision | None) -> None:
        """Record the last evaluation of a training that was ended, and give up the claim.

        Args:
            claim: Of the cell.
            report: What was measured until then.
            decision: Why it was stopped; None: it was not, and the cell waits for somebody to go on with it.

        Raises:
            LostLease: The cell was given to another driver.
        """
        self._record(claim, report)
        if decision is None:
            self.ledger.release(claim)
        elif decision.kind == "cannot_matter":
            self.ledger.prune(claim, decision.reason, decision.forecast)
            self.close_checkpoints(claim)
        else:
            self.ledger.send_to_test(claim, stop_reason=decision.reason, forecast=decision.forecast)

    def finish(self, claim: Claim, record: CellRecord, report: TestReport) -> None:
        """Close a tested cell.

        Args:
            claim: Of the cell.
            record: The cell with its curve, as it stands in the ledger.
            report: Of its test.

        Raises:
            LostLease: The cell was given to another driver.
        """
        assert record.best is not None
        self.ledger.finish(
            claim,
            outcome(record.curve, self.d0),
            value=record.best.val_dsc,
            scores=report.scores,
            facts=trial_attributes(record, report.scores),
            artifacts=report.artifacts,
            note=report.note,
        )
        self.close_checkpoints(claim)

    def _record(self, claim: Claim, report: TrainReport) -> None:
        self.ledger.record(
            claim,
            report.curve,
            checkpoint=report.checkpoint,
            worker=report.worker,
            test_curve=report.test_curve,
            note=report.note,
        )
