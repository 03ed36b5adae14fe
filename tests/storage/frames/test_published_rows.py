"""A table that was read becomes a finished study."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from storage.errors import StorageError
from storage.frames.published_rows import import_published
from storage.ledger.cell_records import cell_records
from storage.ledger.ledger import Ledger
from storage.records import CellState
from tests.helpers.number_tables import curve, read

if TYPE_CHECKING:
    from pathlib import Path


def test_a_row_is_a_finished_cell(tmp_path: Path, storage_url: str) -> None:
    """With its DSC, its cases and its seconds; no case is held out, and D0 is not known."""
    table = read(tmp_path, "Ratio, Depth ,DSC,seconds\n0.5,3,0.7,60\n1,3,0.8,120\n1,4,0.79,150\n", 700)
    with Ledger.open(storage_url, create=True) as ledger:
        study = import_published(ledger, "old", table, {})
        records = cell_records(ledger, study.study_id)
    assert [(r.cell.plan.num_cases, r.cell.plan.depth, r.attempt.told_dsc) for r in records] == [
        (350, 3, 0.7),
        (700, 3, 0.8),
        (700, 4, 0.79),
    ]
    assert {r.cell.state for r in records} == {CellState.DONE}
    assert [r.device_seconds for r in records] == [60, 120, 150]
    assert [len(study.split[part]) for part in ("train", "validation", "test")] == [700, 0, 0]
    assert study.facts == {
        "table": {"scores": "dsc", "columns": ["depth", "ratio", "dsc", "seconds"], "seconds": True, "flags": False}
    }


def test_flags_and_test_scores_are_kept(tmp_path: Path, storage_url: str) -> None:
    """Validation in the curve, test beside it; a collapsed run is no finished one."""
    text = "cases,depth,val_dsc,test_dsc\n40,3,0.5,0.4\n80,3,0.05,0.04\n160,3,0.7,0.6\n"
    with Ledger.open(storage_url, create=True) as ledger:
        study = import_published(ledger, "old", read(tmp_path, text), {})
        records = cell_records(ledger, study.study_id)
    assert [(r.totals.best_val_dsc, r.attempt.told_dsc, r.attempt.device) for r in records] == [
        (0.5, 0.4, None),
        (0.05, 0.04, None),
        (0.7, 0.6, None),
    ]
    assert [r.cell.state for r in records] == [CellState.DONE, CellState.COLLAPSED, CellState.DONE]


def test_a_name_that_is_taken_is_refused(tmp_path: Path, storage_url: str) -> None:
    """Nothing is written then."""
    table = read(tmp_path, curve([0.5, 0.6]))
    with Ledger.open(storage_url, create=True) as ledger:
        import_published(ledger, "old", table, {})
        with pytest.raises(StorageError, match="'old' is in this storage already; choose another --name"):
            import_published(ledger, "old", table, {})
        assert ledger.study_names() == ["old"]
