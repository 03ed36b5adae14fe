"""What a worker reports after each step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from storage.records import Artifact, Evaluation, Scores


@dataclass(frozen=True)
class TrainReport:
    """After one evaluation: the curve so far, and the checkpoint that holds it.

    Attributes:
        curve: Every evaluation of the attempt.
        test_curve: Test DSC by evaluation, where the spec asks for it.
        checkpoint: Its name; None where nothing was saved, as in a replay.
        worker: Where it ran, as `Ledger.record` takes it.
        finished: Whether the budget is spent; the worker then goes on to the test.
        note: What befell the attempt, such as a damaged checkpoint.
    """

    curve: tuple[Evaluation, ...]
    test_curve: dict[int, float]
    checkpoint: str | None
    worker: dict[str, Any]
    finished: bool
    note: str | None = None


@dataclass(frozen=True)
class TestReport:
    """After the test phase: pixel counts at the best-validation weights, and the overlays that were written."""

    scores: Scores
    artifacts: tuple[Artifact, ...] = ()
    note: str | None = None


@dataclass(frozen=True)
class FailureReport:
    """The cell cannot go on, and why; a full disk, or a node that lacks something, is no fault of the cell."""

    reason: str
    disk_is_full: bool = False
    node_is_unfit: bool = False
