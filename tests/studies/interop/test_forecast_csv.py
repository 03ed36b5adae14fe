"""`dicecurve forecast` and `dicecurve forecast-table`: from a file or a study to the printed table."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from models.forecaster.paper import lstms
from search.curves.measurements import Measurement
from storage.errors import InputError
from studies.__main__ import main
from studies.commands.arguments import BAD_INPUT, OK
from studies.interop.forecast_csv import forecast_file
from studies.results.paper_table import forecast_table, render_forecast_table
from tests.helpers.paths import RECORDED

if TYPE_CHECKING:
    from pathlib import Path

SURFACE = RECORDED / "kvasir64_4x4.csv"


@pytest.fixture
def curves(tmp_path: Path) -> Path:
    """Two depths over ratios; the second lacks its end."""
    path = tmp_path / "curves.csv"
    path.write_text(
        "depth,ratio,dsc\n3,0.1,0.5\n3,0.2,0.6\n3,0.4,0.66\n3,1.0,0.7\n4,0.1,0.48\n4,0.2,0.61\n4,0.4,0.68\n"
    )
    return path


def test_each_curve_of_a_file_is_forecast(curves: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A row a curve and position, with both intervals."""
    assert main(["forecast", str(curves), "--column", "dsc", "--at", "1.0", "--json"]) == OK
    rows = json.loads(capsys.readouterr().out)
    assert [(row["curve"], row["seen"], row["at"]) for row in rows] == [("depth 3", 4, 1.0), ("depth 4", 3, 1.0)]
    assert rows[1]["interval"][0] < rows[1]["mean"] < rows[1]["interval"][1]
    assert rows[1]["method"] == "lstm, 1 sibling"
    assert {row["position"] for row in rows} == {"ratio"}
    assert main(["forecast", str(curves), "--column", "dsc", "--at", "1.0"]) == OK
    shown = capsys.readouterr().out
    assert "ratio" in shown.splitlines()[0]
    assert "depth 4" in shown


def test_training_curves_of_an_export_are_told_apart() -> None:
    """An exported surface: a curve a cell, over evaluations."""
    rows = forecast_file(SURFACE, "val_dsc", [30.0, 60.0])
    assert len(rows) == 2 * 16
    assert rows[0].curve == "depth 3, ratio 0.1, cases 70, seed 0"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--column", "dice", "--at", "1"], "no column 'dice'; it has depth, ratio, dsc (--column)"),
        (["--column", "dsc", "--at", "1", "--x", "size"], "no column 'size'"),
        (["--column", "dsc", "--at", "-1"], "positive numbers, got -1 (--at)"),
    ],
)
def test_what_is_wrong_is_said(
    curves: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One message with the rule, the value and the place."""
    assert main(["forecast", str(curves), *arguments]) == BAD_INPUT
    assert message in capsys.readouterr().err


def test_a_curve_has_one_value_a_position() -> None:
    """All evaluations of a training at its one ratio are no data curve."""
    with pytest.raises(InputError, match=r"has ratio 0\.1 of curve 'depth 3, seed 0' 30 times; keep one row"):
        forecast_file(SURFACE, "val_dsc", [1.0], "ratio")


def test_a_file_that_is_none_is_said(tmp_path: Path) -> None:
    """Not there, or empty."""
    with pytest.raises(InputError, match="cannot read"):
        forecast_file(tmp_path / "none.csv", "dsc", [1.0])
    (tmp_path / "head.csv").write_text("x,dsc\n")
    with pytest.raises(InputError, match="has no rows"):
        forecast_file(tmp_path / "head.csv", "dsc", [1.0])


def measured(depth: int, num_cases: int) -> Measurement:
    """A finished cell."""
    dsc = np.full(3, 0.85 - 0.01 * depth - (num_cases / 20) ** -0.6)
    return Measurement(
        key=f"{depth}/{num_cases}",
        depth=depth,
        ratio=num_cases / 100,
        num_cases=num_cases,
        seed=0,
        parameters=1000,
        device="cpu",
        budget_seconds=1.0,
        seconds_estimated=False,
        validation=dsc,
        test=dsc,
    )


def test_the_papers_table_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every variant and baseline under both protocols, the prefix length, and the bars that were published."""
    monkeypatch.setattr(lstms, "STEPS", 5)
    table = forecast_table([measured(depth, n) for depth in (3, 4) for n in (20, 40, 60, 80, 100)])
    text = render_forecast_table(table)
    assert table["prefix"] == 2
    for words in ("as published", "honest", "uni-directional full-step", "bi-directional one-step *", "0.0067", "pow3"):
        assert words in text
    assert max(map(len, text.splitlines())) <= 100


def test_too_few_sizes_are_no_table() -> None:
    """Sizes that only one depth has do not count."""
    few = [measured(3, n) for n in (20, 40, 60, 80)] + [measured(4, n) for n in (20, 40, 60)]
    with pytest.raises(InputError, match="4 dataset sizes measured at every depth, got 3"):
        forecast_table(few)
