"""Decimal commas, percentages and whole numbers: the right number, or one clear error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from storage.errors import InputError
from tests.helpers.number_tables import curve, read

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "dsc"),
    [
        ("cases;depth;dsc\n40;3;0,501\n80;3;0,8\n", [0.501, 0.8]),
        ('cases,depth,dsc\n40,3,"0,501"\n80,3,"0,8"\n', [0.501, 0.8]),
        ("cases;depth;dsc\n40;3;50,125\n80;3;81,312\n", [0.50125, 0.81312]),
        ("cases,depth,dsc\n40,3,50.1\n80,3,81.3\n", [0.501, 0.813]),
        ("cases;depth;dsc\n40;3;50,1 %\n80;3;81,3\N{NO-BREAK SPACE}%\n", [0.501, 0.813]),
        ("cases,depth,dsc\n40,3,0\n80,3,81\n", [0.0, 0.81]),
        ("cases,depth,dsc\n40,3,0.5%\n80,3,81%\n", [0.005, 0.81]),
        ("cases,depth,dsc\n40,3,5e-1\n8e1,3,.8\n", [0.5, 0.8]),
    ],
)
def test_numbers_are_read_as_they_are_written(tmp_path: Path, text: str, dsc: list[float]) -> None:
    """With decimal commas or points, as shares or as percentages."""
    assert [run.validation_dsc for run in read(tmp_path, text).runs] == pytest.approx(dsc)


def test_percentages_are_told(tmp_path: Path) -> None:
    """Whoever imports a table learns that it was read so; of ratios a 1 among percentages is 1 %."""
    table = read(tmp_path, "ratio,depth,dsc\n1,3,50.1\n10,3,60\n100,3,81.3\n", 300)
    assert [run.plan.num_cases for run in table.runs] == [3, 30, 300]
    assert table.notes == ("read as percentages: dsc, ratio",)
    assert read(tmp_path, curve([0.5, 0.6])).notes == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (curve([0.501, 81.3]), r"all shares or all percentages, got 0\.501 in line 2 .* and 81\.3 in line 3"),
        ("cases,depth,dsc\n40,3,50.1%\n80,3,81.3\n", r"got 50\.1% in line 2 .* and 81\.3 in line 3; write all with"),
        ("ratio,depth,dsc\n0.5,3,0.6\n100,3,0.7\n", r"ratio must be all shares .* got 0\.5 .* and 100 in line 3"),
        (curve([1.0, 81.3]), "got 1.0 in line 2 .* and 81.3 in line 3"),
        (curve([0.5, 1.2]), r"dsc must be in 0\.\.1, or a percentage, got 1\.2 in line 3"),
        (curve([50, 120]), r"dsc must be in 0\.\.1, or a percentage, got '120' in line 3"),
        (curve([0.5, -0.1]), r"dsc must be in 0\.\.1, or a percentage, got '-0\.1' in line 3"),
        ("cases;depth;dsc\n40;3;0,501\n80;3;0.8\n", r"one decimal mark, got '0,501' in line 2 .* '0\.8' in line 3"),
        (
            "cases;depth;dsc\n400;3;0,5\n1.000;3;0,8\n",
            r"cases must be a whole number, got '1\.000' in line 3 .*thousands",
        ),
        ("cases;depth;dsc;seconds\n4;3;1;1,234\n8;3;1;2,500\n", r"got '1,234' in line 2 .*: 1234 or 1\.234\? write"),
        ("cases;depth;dsc;seconds\n4;3;1;1.234,5\n", r"seconds must be a number, got '1\.234,5' .*thousands"),
        ("cases,depth,dsc\n40.5,3,0.5\n", r"cases must be a whole number, got '40\.5' in line 2"),
        ("cases,depth,dsc\n40%,3,0.5\n", "cases must be a number, got '40%' in line 2"),
        ("cases,depth,dsc\n40,3.5,0.5\n", r"depth must be a whole number, got '3\.5' in line 2"),
        ("cases,depth,dsc\n-40,3,0.5\n", "cases must be 1 or more, got '-40' in line 2"),
        ("cases,depth,dsc\n40,3,inf\n", "dsc must be a number, got 'inf' in line 2"),
        ("cases,depth,dsc\n40,3,\n80,3,0.5\n", "dsc must be a number, got nothing in line 2 .*; complete it"),
    ],
)
def test_what_may_be_two_numbers_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """So is what is none, or out of its range: the rule, the value as it was written, and its line."""
    with pytest.raises(InputError, match=message):
        read(tmp_path, text)


def test_a_comma_between_digits_is_decimal_where_others_are(tmp_path: Path) -> None:
    """Seconds of 1,234 beside a DSC of 0,5 are little more than one."""
    table = read(tmp_path, "cases;depth;dsc;seconds\n400;3;0,5;1,234\n800;3;0,55;2,500\n")
    assert [run.best.train_seconds for run in table.runs] == [1.234, 2.5]
