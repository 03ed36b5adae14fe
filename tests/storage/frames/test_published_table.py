"""Tables of numbers alone become studies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from storage.errors import InputError
from storage.frames.published_table import import_published, read_published
from storage.ledger.cell_records import cell_records
from storage.ledger.ledger import Ledger
from storage.records import CellState

if TYPE_CHECKING:
    from pathlib import Path


def table(folder: Path, text: str) -> Path:
    """A CSV file."""
    path = folder / "surface.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "num_train", "message"),
    [
        ("ratio,dsc\n0.1,0.5\n", None, "surface.csv has no column depth"),
        ("depth,dsc\n3,0.5\n", None, "has no column ratio or cases"),
        ("ratio,depth,dsc\n", None, "surface.csv has no rows"),
        ("ratio,depth,dsc\n0.1,3,eighty\n", None, "dsc must be a number, got 'eighty' in row 1"),
        ("ratio,depth,dsc\n0.1,3,0.5\n0.2,3,\n", None, "dsc must be a number, got 'nan' in row 2"),
        ("ratio,depth,dsc\n0.1,3,80\n", None, r"dsc must be in 0\.\.1, got 80 in row 1"),
        ("ratio,depth,dsc\n10,3,0.5\n", None, r"ratio must be in .*, got 10 in row 1"),
        ("cases,depth,dsc,seconds\n10,3,0.5,-1\n", None, "seconds must be in"),
        ("cases,depth,dsc\n10,3,0.5\n", 5, r"cases must be 1\.\.5, got 10 .*--cases"),
        (
            "cases,depth,dsc,variant\n9,3,0.5,\n9,3,0.6,Dice CE\n",
            None,
            "variant must be like .*, got 'Dice CE' in row 2",
        ),
        ("ratio,depth,dsc\n0.1,3,0.5\n0.1,3,0.6\n", None, "stands twice in surface.csv; give each run its own seed"),
    ],
)
def test_a_table_that_cannot_be_is_refused(tmp_path: Path, text: str, num_train: int | None, message: str) -> None:
    """The rule, the value and the row are named."""
    with pytest.raises(InputError, match=message):
        read_published(table(tmp_path, text), num_train)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """One message."""
    with pytest.raises(InputError, match="cannot read the table"):
        read_published(tmp_path / "no.csv", None)


def test_a_row_is_a_finished_cell(tmp_path: Path, storage_url: str) -> None:
    """With its DSC, its cases and its seconds."""
    path = table(tmp_path, "Ratio, Depth ,DSC,seconds\n0.5,3,0.7,60\n1,3,0.8,120\n1,4,0.79,150\n")
    runs, whole = read_published(path, 700)
    assert whole == 700
    with Ledger.open(storage_url, create=True) as ledger:
        study = import_published(ledger, "old", runs, whole, {})
        records = cell_records(ledger, study.study_id)
    assert [(r.cell.plan.num_cases, r.cell.plan.depth, r.attempt.told_dsc) for r in records] == [
        (350, 3, 0.7),
        (700, 3, 0.8),
        (700, 4, 0.79),
    ]
    assert {r.cell.state for r in records} == {CellState.DONE}
    assert [r.device_seconds for r in records] == [60, 120, 150]
    assert len(study.split["train"]) == 700


def test_epochs_make_a_curve(tmp_path: Path) -> None:
    """Rows of one run are its evaluations, in the order of their epochs; cases stand for themselves."""
    path = table(tmp_path, "cases,depth,epoch,dsc\n40,3,2,0.5\n40,3,1,0.4\n40,3,3,0.45\n80,3,1,0.6\n")
    runs, whole = read_published(path, None)
    assert whole == 80
    assert [[(e.epoch, e.val_dsc) for e in run.curve] for run in runs] == [[(1, 0.4), (2, 0.5), (3, 0.45)], [(1, 0.6)]]
    assert [run.plan.ratio for run in runs] == [0.5, 1.0]


def test_a_column_tells_variants_apart(tmp_path: Path) -> None:
    """Two trainings that differ in nothing else are two runs, each with a key of its own."""
    runs, _ = read_published(table(tmp_path, "cases,depth,dsc,variant\n40,3,0.5,\n40,3,0.6,loss=dice_ce\n"), None)
    assert [(run.plan.key, run.plan.variant) for run in runs] == [
        ("cases40-depth3-seed0", ""),
        ("cases40-depth3-loss.dice_ce-seed0", "loss=dice_ce"),
    ]
