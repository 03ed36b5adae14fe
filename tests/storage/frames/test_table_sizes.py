"""How many cases a row stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from storage.errors import InputError
from tests.helpers.number_tables import read

if TYPE_CHECKING:
    from pathlib import Path

BOTH = "cases,ratio,depth,dsc\n"
RATIOS = "ratio,depth,dsc\n0.1,3,0.5\n0.55,3,0.6\n"


def test_ratios_need_the_number_of_cases(tmp_path: Path) -> None:
    """The remedy that the message names works."""
    with pytest.raises(InputError, match=r"ratios and no numbers of cases; .* --cases, such as --cases 800"):
        read(tmp_path, RATIOS)
    table = read(tmp_path, RATIOS, 800)
    assert (table.num_train, [run.plan.num_cases for run in table.runs]) == (800, [80, 440])


def test_cases_and_ratios_tell_the_whole_together(tmp_path: Path) -> None:
    """Also where no row has all cases; a ratio may be rounded, and one row in many may not decide."""
    text = "cases,ratio,depth,dsc\n18,0.1,3,0.5\n46,0.25,3,0.6\n91,0.5,3,0.7\n"
    assert read(tmp_path, text).num_train == 182
    assert read(tmp_path, "cases,depth,dsc\n40,3,0.5\n80,3,0.6\n").num_train == 80


@pytest.mark.parametrize(
    ("text", "num_train", "message"),
    [
        (
            f"{BOTH}40,0.1,3,0.5\n80,0.3,3,0.6\n400,1,3,0.7\n",
            None,
            r"80 of 400 cases are 0\.2, got ratio 0\.3 in line 3",
        ),
        (f"{BOTH}40,.1,3,.5\n80,.2,3,.6\n160,.4,3,.6\n400,.5,3,.7\n", None, r"400 of 400 cases are 1, got ratio 0\.5"),
        (f"{BOTH}40,0.1,3,0.5\n400,1,3,0.7\n", 800, r"40 of 800 cases are 0\.05, got ratio 0\.1 in line 2"),
        ("cases,depth,dsc\n40,3,0.5\n", 20, r"cases must be 1\.\.20, got 40 in line 2 .* with --cases"),
        (RATIOS, 0, r"--cases must be 1\.\.1000000, got 0"),
        (RATIOS, 10**9, r"--cases must be 1\.\.1000000, got 1000000000"),
        ("cases,depth,dsc\n10000000,3,0.5\n", None, r"cases must be 1\.\.1000000, got 10000000 in line 2"),
        (RATIOS, 4, r"of 4 cases ratio 0\.1 is none, in line 2"),
        ("ratio,depth,dsc\n0.51,3,0.5\n0.52,3,0.6\n", 10, r"ratio 0\.51 and 0\.52 are both 5, in lines 2 and 3"),
    ],
)
def test_sizes_that_contradict_each_other_are_refused(
    tmp_path: Path, text: str, num_train: int | None, message: str
) -> None:
    """With both values, and the line."""
    with pytest.raises(InputError, match=message):
        read(tmp_path, text, num_train)
