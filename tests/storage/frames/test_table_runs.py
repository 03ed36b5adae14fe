"""Rows become runs: repeats where they differ, an error where they may be one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from storage.errors import InputError
from tests.helpers.number_tables import read

if TYPE_CHECKING:
    from pathlib import Path


def test_rows_that_differ_are_repeats(tmp_path: Path) -> None:
    """Without seeds they are numbered in their order, and the reader is told."""
    table = read(tmp_path, "cases,depth,dsc\n40,3,0.5\n80,3,0.6\n40,3,0.52\n40,4,0.5\n")
    assert [(run.plan.key, run.validation_dsc) for run in table.runs] == [
        ("cases40-depth3-seed0", 0.5),
        ("cases40-depth3-seed1", 0.52),
        ("cases40-depth4-seed0", 0.5),
        ("cases80-depth3-seed0", 0.6),
    ]
    assert table.notes == ("no column seed: rows of the same depth and cases are read as repeats",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "cases,depth,dsc\n40,3,0.5\n80,3,0.6\n40,3,0.5\n",
            "depth 3 with 40 cases twice, in lines 2 and 4 .*; drop one",
        ),
        ("cases,depth,dsc,seed\n40,3,0.5,1\n40,3,0.6,1\n", "40 cases and seed 1 twice, in lines 2 and 3 .*; correct"),
        ("cases,depth,dsc,epoch\n40,3,0.5,1\n40,3,0.6,1\n", "twice, in lines 2 and 3 .*; give each run its seed"),
    ],
)
def test_a_run_that_stands_twice_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """With both lines; rows that are alike in every number may be one run or two."""
    with pytest.raises(InputError, match=message):
        read(tmp_path, text)


def test_a_run_is_what_its_best_evaluation_was(tmp_path: Path) -> None:
    """By validation DSC, with the test DSC of that evaluation and the seconds of all."""
    table = read(
        tmp_path,
        "cases,depth,seed,evaluation,step,val_dsc,test_dsc,train_seconds,val_seconds\n"
        "40,3,5,2,20,0.6,0.58,10,1\n40,3,5,1,10,0.4,0.5,10,1\n40,3,5,3,30,0.55,0.7,10,1\n",
    )
    (run,) = table.runs
    assert (run.validation_dsc, run.test_dsc, run.plan.seed) == (0.6, 0.58, 5)
    assert [point.step for point in run.curve] == [10, 20, 30]
    assert sum(point.train_seconds + point.val_seconds for point in run.curve) == 33


def test_a_test_score_of_the_best_evaluation_is_needed(tmp_path: Path) -> None:
    """Where some are told; of other evaluations it may be missing."""
    head = "cases,depth,epoch,val_dsc,test_dsc\n"
    assert read(tmp_path, f"{head}40,3,1,0.4,\n40,3,2,0.6,0.58\n").runs[0].test_dsc == 0.58
    with pytest.raises(InputError, match=r"test_dsc must be told .* nothing for depth 3 with 40 cases in line 2"):
        read(tmp_path, f"{head}40,3,1,0.6,\n40,3,2,0.4,0.5\n")
