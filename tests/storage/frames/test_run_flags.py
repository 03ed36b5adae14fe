"""Collapse is looked for in imported tables, and found only where it is clear."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from storage.errors import InputError
from tests.helpers.number_tables import curve, read

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("dsc", "flags"),
    [
        ([0.55, 0.65, 0.05, 0.8], {160: "collapsed"}),
        ([0.55, 0.65, 0.3, 0.8], {160: "collapsed"}),
        ([0.55, 0.65, 0.06, 0.08, 0.8], {160: "collapsed", 320: "collapsed"}),
        ([0.55, 0.65, 0.7, 0.2], {320: "collapsed"}),
        ([0.01, 0.4, 0.7, 0.8], {40: "not_learned"}),
        ([0.55, 0.01, 0.7, 0.8], {80: "collapsed"}),
        ([0.02, 0.03, 0.04], {40: "not_learned", 80: "not_learned", 160: "not_learned"}),
        ([0.1, 0.4, 0.7, 0.8], {}),
        ([0.8, 0.7, 0.6, 0.5], {}),
        ([0.8, 0.38, 0.18, 0.1], {}),
        ([0.5, 0.5, 0.5], {}),
        ([0.7, 0.2], {}),
        ([0.55, 0.4, 0.7, 0.8], {}),
    ],
    ids=str,
)
def test_only_clear_cases_are_flagged(tmp_path: Path, dsc: list[float], flags: dict[int, str]) -> None:
    """Far under fewer and more cases, or under any take-off; not what falls, starts low, or may be luck."""
    table = read(tmp_path, curve(dsc))
    assert {run.plan.num_cases: run.flag for run in table.runs if run.flag} == flags
    assert any("left out of every fit" in note for note in table.notes) == bool(flags)


def test_each_recipe_is_looked_at_alone(tmp_path: Path) -> None:
    """A depth or a variant that scores low throughout has not collapsed."""
    high, low = curve([0.7, 0.75, 0.8]), curve([0.2, 0.25, 0.3], depth=4)
    assert not any(run.flag for run in read(tmp_path, high + low.partition("\n")[2]).runs)


def test_a_curve_that_ends_on_the_ground_has_collapsed(tmp_path: Path) -> None:
    """Two evaluations of it, after take-off; it keeps its best score. A dip that returns is none."""
    rows = [(1, 0.3), (2, 0.5), (3, 0.01), (4, 0.0)]
    text = "cases,depth,epoch,val_dsc\n" + "".join(f"40,3,{epoch},{dsc}\n" for epoch, dsc in rows)
    (run,) = read(tmp_path, text).runs
    assert (run.flag, run.validation_dsc) == ("collapsed", 0.5)
    assert read(tmp_path, text + "40,3,5,0.4\n").runs[0].flag is None


def test_the_note_names_the_runs_and_the_way_out(tmp_path: Path) -> None:
    """Their lines, and the column that says otherwise."""
    (note,) = read(tmp_path, curve([0.55, 0.65, 0.05, 0.8])).notes
    assert "depth 3 with 160 cases (DSC 0.050, line 4) as collapsed" in note
    assert "a column flag (collapsed, not_learned or empty) says otherwise" in note


def test_a_column_decides_alone(tmp_path: Path) -> None:
    """What it flags is flagged, and nothing else is looked for."""
    table = read(tmp_path, "cases,depth,dsc,flag\n40,3,0.5,\n80,3,0.6,Not learned\n160,3,0.01,\n320,3,0.8,\n")
    assert [run.flag for run in table.runs] == [None, "not_learned", None, None]
    assert (table.has_flags, table.notes) == (True, ())
    with pytest.raises(InputError, match="flag must be not_learned, collapsed or empty, got 'failed' in line 2"):
        read(tmp_path, "cases,depth,dsc,flag\n40,3,0.5,failed\n")
