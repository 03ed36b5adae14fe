"""What runs on a worker, without Ray: the test phase and the pictures that it leaves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from models.training.training import Training
from search.tune import trainable
from tests.helpers.studies import ONE_CELL, prepare_one_cell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from search.worker.assignment import Assignment
    from storage.records import Claim

OWNER = "a/b/1/2"


@pytest.fixture
def trained(storage_url: str) -> Iterator[tuple[Assignment, Claim]]:
    """A trained cell, claimed for its test, and what its worker knows."""
    prepared = prepare_one_cell(storage_url)
    with prepared.ledger as ledger:
        assignment = prepared.job.assignment
        claim = ledger.claim(prepared.study.study_id, [ONE_CELL], OWNER)
        assert claim is not None
        report = work(assignment, claim, steps=2)
        assert isinstance(report, trainable.TrainReport)
        ledger.record(claim, report.curve, checkpoint=report.checkpoint, worker=report.worker)
        ledger.send_to_test(claim, stop_reason=None, forecast=None)
        testing = ledger.claim(prepared.study.study_id, [claim.plan.key], OWNER)
        assert testing is not None
        yield assignment, testing


def work(assignment: Assignment, claim: Claim, steps: int = 1) -> object:
    """What a worker reports after so many steps."""
    worker = object.__new__(trainable.CellTrainable)  # Tune's own beginning needs Ray
    worker.setup({"claim": claim}, assignment)
    return [worker.step() for _ in range(steps)][-1]["report"]


def pictures(assignment: Assignment) -> list[str]:
    """Names of the files among the artifacts."""
    assert assignment.artifacts is not None
    folder = Path(assignment.artifacts)
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_who_trained_to_the_end_tests_as_anybody_else_would(trained: tuple[Assignment, Claim]) -> None:
    """The worker that goes on from training to test counts what one counts that begins with the checkpoint."""
    assignment, testing = trained
    apart = work(assignment, testing)
    going_on = work(
        replace(assignment, checkpoints=f"{assignment.checkpoints}-anew"), replace(testing, phase="train"), 3
    )
    assert isinstance(apart, trainable.TestReport)
    assert isinstance(going_on, trainable.TestReport)
    assert replace(going_on.scores, seconds=0.0) == replace(apart.scores, seconds=0.0)


def test_a_tested_cell_leaves_its_overlays(trained: tuple[Assignment, Claim]) -> None:
    """Three pictures and their list, which the report names; the same again when the test is done again."""
    assignment, claim = trained
    first, again = work(assignment, claim), work(assignment, claim)
    assert isinstance(first, trainable.TestReport)
    assert isinstance(again, trainable.TestReport)
    assert len(first.artifacts) == 3
    assert first.artifacts == again.artifacts
    assert {artifact.artifact_id for artifact in first.artifacts} < set(pictures(assignment))
    assert len(pictures(assignment)) == 4


def test_a_late_worker_leaves_none(trained: tuple[Assignment, Claim], monkeypatch: pytest.MonkeyPatch) -> None:
    """Once a later claim works on the cell, a worker that wakes between its test and its pictures writes nothing."""
    assignment, claim = trained
    plain = Training.score_best

    def overtaken(training: Training) -> object:
        assignment.checkpoint_folder(claim).begin(claim.number + 1)
        return plain(training)

    monkeypatch.setattr(Training, "score_best", overtaken)
    report = work(assignment, claim)
    assert isinstance(report, trainable.FailureReport)
    assert report.reason.startswith("LostLease")
    assert pictures(assignment) == []


def test_overlays_can_be_switched_off(trained: tuple[Assignment, Claim]) -> None:
    """The test phase counts the same without them."""
    assignment, claim = trained
    report = work(replace(assignment, artifacts=None), claim)
    assert isinstance(report, trainable.TestReport)
    assert (report.artifacts, report.note) == ((), None)
    assert pictures(assignment) == []
