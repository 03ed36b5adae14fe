"""Whole-study reads."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from storage.frames.study_frames import SURFACE_COLUMNS, surface
from storage.ledger.cell_records import cell_record, cell_records, cell_totals
from storage.ledger.count_rows import study_counts
from tests.helpers.ledgers import SCORES, claim_cell, claim_first, curve, finish, plans, record, trained

if TYPE_CHECKING:
    from storage.ledger.ledger import Ledger
    from storage.records import StudyRecord


def test_totals_and_counts_say_what_the_records_say(ledger: Ledger, study: StudyRecord) -> None:
    """Read in bulk, a study is the same as read cell by cell: scored, running, failed and followed, or waiting."""
    finish(ledger, trained(ledger, study))
    second = claim_cell(ledger, study, plans(2)[1].key)
    record(ledger, second, 1)
    ledger.fail(second, "nan", max_attempts=2)
    records, totals = cell_records(ledger, study.study_id), cell_totals(ledger, study.study_id)
    for one, summed in zip(records, totals, strict=True):
        assert summed.cell == one.cell
        assert replace(summed.attempt, scores=None) == replace(one.attempt, scores=None)
        assert summed.totals == one.totals
        assert summed.totals.evaluations == len(one.curve)
        assert summed.totals.best_val_dsc == (None if one.best is None else one.best.val_dsc)
        assert (summed.device_seconds, summed.spent_seconds) == (one.device_seconds, one.spent_seconds)
    assert (totals[0].curve, totals[0].attempt.scores) == ((), replace(SCORES, validation=(), test=()))
    counts = study_counts(ledger, study.study_id)
    assert counts.keys == [plans(1)[0].key]
    assert counts.validation.tolist() == [[list(counts) for counts in SCORES.validation]]
    assert counts.test.tolist() == [[list(counts) for counts in SCORES.test]]


def test_a_study_without_scores_has_no_counts(ledger: Ledger, study: StudyRecord) -> None:
    """Nothing is scored before the first test phase."""
    counts = study_counts(ledger, study.study_id)
    assert (counts.keys, counts.validation.shape, counts.test.shape) == ([], (0, 0, 3), (0, 0, 3))


def test_cell_records_hold_every_cell(ledger: Ledger, study: StudyRecord) -> None:
    """Cells come in the order of the layout, each with its own curve; an unknown cell is a KeyError."""
    finish(ledger, trained(ledger, study))
    second = claim_cell(ledger, study, plans(2)[1].key)
    record(ledger, second, 4)
    records = cell_records(ledger, study.study_id)
    assert [len(cell.curve) for cell in records] == [2, 4, 0]
    assert [cell.cell for cell in records] == ledger.cells(study.study_id)
    assert records[1] == cell_record(ledger, study.study_id, second.plan.key)
    assert records[0].best == curve(2)[1]
    assert records[2].best is None
    with pytest.raises(KeyError):
        cell_record(ledger, study.study_id, "no such cell")


def test_a_surface_has_a_row_an_evaluation(ledger: Ledger, study: StudyRecord) -> None:
    """Columns are those of a recorded surface; test DSC is there where it was recorded."""
    assert list(surface(ledger, study.study_id).columns) == list(SURFACE_COLUMNS)
    assert len(surface(ledger, study.study_id)) == 0
    record(ledger, claim_first(ledger, study), 3, test_curve={1: 0.41, 3: 0.43})
    frame = surface(ledger, study.study_id)
    assert list(frame.columns) == list(SURFACE_COLUMNS)
    assert frame["evaluation"].tolist() == [1, 2, 3]
    assert frame["val_dsc"].tolist() == [point.val_dsc for point in curve(3)]
    assert frame["test_dsc"].fillna(-1).tolist() == [0.41, -1, 0.43]
    assert frame[["depth", "cases", "ratio", "seed"]].drop_duplicates().to_numpy().tolist() == [[3, 10, 0.001, 0]]
    assert frame["train_seconds"].sum() == 3.0
