"""Cells read with their curves summed up: what a report of a large study is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from storage.ledger.cell_records import cell_records, summed_records
from storage.ledger.count_rows import study_counts
from storage.ledger.ledger import Ledger
from studies.results.findings import findings_of
from tests.helpers.shown_study import make_shown_study

if TYPE_CHECKING:
    from storage.records import StudyRecord


@pytest.fixture
def shown(storage_url: str) -> tuple[str, StudyRecord]:
    """A small finished study."""
    return storage_url, make_shown_study(storage_url)


@pytest.mark.parametrize("whole", [1, 2, 100])
def test_totals_are_those_of_the_curves(shown: tuple[str, StudyRecord], whole: int) -> None:
    """Evaluations, last step, best value and seconds, also where curves are left out; at most so many are read."""
    url, study = shown
    with Ledger.open(url) as ledger:
        full, summed = cell_records(ledger, study.study_id), summed_records(ledger, study.study_id, whole)
    assert [record.totals for record in summed] == [record.totals for record in full]
    assert [record.device_seconds for record in summed] == pytest.approx([record.device_seconds for record in full])
    assert [record.cell for record in summed] == [record.cell for record in full]
    assert sum(bool(record.curve) for record in summed) <= whole
    assert all(record.curve in {(), other.curve} for record, other in zip(summed, full, strict=True))


def test_both_ways_give_one_answer(shown: tuple[str, StudyRecord]) -> None:
    """Counts as one array and totals instead of curves change no number."""
    url, study = shown
    with Ledger.open(url) as ledger:
        full, summed = cell_records(ledger, study.study_id), summed_records(ledger, study.study_id, 100)
        counts = study_counts(ledger, study.study_id)
    assert findings_of(study, full, 0.0).answer == findings_of(study, summed, 0.0, counts=counts).answer
