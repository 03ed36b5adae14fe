"""Tables of numbers alone are read as runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from storage.errors import InputError
from storage.frames.published_table import read_published
from tests.helpers.number_tables import curve, read

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ratio,dsc\n0.1,0.5\n", "surface.csv has no column depth, or nothing in it; .* got ratio, dsc"),
        ("depth,dsc\n3,0.5\n", "has no column ratio or cases"),
        ("depth,cases\n3,40\n", "has no column dsc"),
        ("ratio,depth,dsc\n", "surface.csv has no rows"),
        ("", "surface.csv has no rows"),
        ("ratio,depth,dsc\n0.1,3,eighty\n", "dsc must be a number, got 'eighty' in line 2"),
        ("cases,depth,dsc,test_dsc\n40,3,0.5,0.5\n", "must have dsc, or val_dsc and test_dsc, got both kinds"),
        ("cases,depth,dsc,seconds\n10,3,0.5,-1\n", "seconds must be 0 or more, got '-1' in line 2"),
        (curve([0, 0, 0]), "dsc must be above 0 in some row, got 0 in every row of surface.csv"),
        (
            "cases,depth,dsc,variant\n9,3,0.5,\n9,3,0.6,Dice CE\n",
            "variant must be like .*, got 'Dice CE' in line 3",
        ),
    ],
)
def test_a_table_that_cannot_be_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """The rule, the value and the line are named."""
    with pytest.raises(InputError, match=message):
        read(tmp_path, text)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """One message."""
    with pytest.raises(InputError, match="cannot read the table"):
        read_published(tmp_path / "no.csv")


def test_epochs_make_a_curve(tmp_path: Path) -> None:
    """Rows of one run are its evaluations, in the order of their epochs; cases stand for themselves."""
    table = read(tmp_path, "cases,depth,epoch,dsc\n40,3,2,0.5\n40,3,1,0.4\n40,3,3,0.45\n80,3,1,0.6\n")
    assert table.num_train == 80
    assert [[(e.epoch, e.val_dsc) for e in run.curve] for run in table.runs] == [
        [(1, 0.4), (2, 0.5), (3, 0.45)],
        [(1, 0.6)],
    ]
    assert [run.plan.ratio for run in table.runs] == [0.5, 1.0]


def test_a_column_tells_variants_apart(tmp_path: Path) -> None:
    """Two trainings that differ in nothing else are two runs, each with a key of its own."""
    table = read(tmp_path, "cases,depth,dsc,variant\n40,3,0.5,\n40,3,0.6,loss=dice_ce\n")
    assert [(run.plan.key, run.plan.variant) for run in table.runs] == [
        ("cases40-depth3-seed0", ""),
        ("cases40-depth3-loss.dice_ce-seed0", "loss=dice_ce"),
    ]


@pytest.mark.parametrize(
    ("columns", "values", "scores"),
    [
        ("dsc", "0.8", "dsc"),
        ("val_dsc", "0.8", "validation"),
        ("test_dsc", "0.8", "test"),
        ("val_dsc,test_dsc", "0.8,0.79", "both"),
        ("val_dsc,test_dsc", "0.8,", "validation"),
    ],
)
def test_scores_are_what_their_columns_say(tmp_path: Path, columns: str, values: str, scores: str) -> None:
    """Of unknown cases, of validation or test cases, or of both."""
    table = read(tmp_path, f"cases,depth,{columns}\n40,3,{values}\n")
    assert (table.scores, table.runs[0].validation_dsc) == (scores, 0.8)
    assert table.runs[0].test_dsc == (0.79 if scores == "both" else 0.8)


def test_what_was_not_read_is_told(tmp_path: Path) -> None:
    """A column of another name may be a slip of the pen."""
    assert read(tmp_path, "cases,depth,dsc,second\n40,3,0.5,60\n").notes == ("not read: second",)


def test_a_dsc_that_falls_with_cases_is_told(tmp_path: Path) -> None:
    """It is read all the same."""
    table = read(tmp_path, curve([0.8, 0.7, 0.6]))
    assert table.notes == ("depth 3: the DSC falls from 0.800 with 40 cases to 0.600 with 160",)
