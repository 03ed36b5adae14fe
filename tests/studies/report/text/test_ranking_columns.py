"""The columns of the ranking: one definition, shown by page, note, terminal and files."""

from __future__ import annotations

from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING

from search.analysis.ranking import RankedConfiguration
from studies.monitor.study_note import study_note
from studies.report.frames import frames_of
from studies.report.report_data import ReportData
from studies.report.tables.ranking import ranking_table
from studies.report.text import ranking_columns
from studies.report.text.ranking_columns import COLUMNS, RankingColumn, rows_of_files
from studies.report.text.terminal import render
from studies.results.findings import Findings, findings_of
from tests.helpers.reported_study import CASES, study_record

if TYPE_CHECKING:
    import pytest

    from search.analysis.answer import Answer


@cache
def findings() -> Findings:
    """Of a small study with a stopped, a failed and a flagged cell."""
    return findings_of(study_record(), CASES["some of each"], 0.0)


def page_heads(answer: Answer) -> list[str]:
    """Titles of the page's table."""
    return [column.title for column in ranking_table(answer, "EUR").columns]


def note_heads(answer: Answer) -> list[str]:
    """Titles of the note's table."""
    lines = study_note(findings().records, answer, "EUR").splitlines()
    (head,) = [line for line in lines if line.startswith("| ") and "rank" in line]
    return [cell.strip() for cell in head.strip("|").split("|")]


def terminal_head(answer: Answer) -> str:
    """The head of the terminal's table."""
    (head,) = [line for line in render(answer, "EUR").splitlines() if line.startswith("rank")]
    return head


def test_each_rendering_has_its_own_heads() -> None:
    """In its own order and words; files hold the numbers under the names of their fields."""
    answer = findings().answer
    assert page_heads(answer) == [
        *("rank", "depth", "cases", "ratio", "runs"),
        *("validation DSC, fitted (decides)", "validation DSC, measured"),
        *("test DSC, measured", "test DSC, expected [90 %]", "test DSC, forecast [90 %]"),
        *("price, EUR", "EUR per 0.01 DSC", "P(reaches floor)", "note"),
    ]
    assert note_heads(answer) == [
        *("rank", "depth", "cases", "ratio", "val", "test DSC", "EUR", "EUR per 0.01", "P"),
    ]
    assert terminal_head(answer).split() == ["rank", "depth", "cases", "ratio", "val", "test", "EUR", "EUR/.01", "P"]


def test_files_hold_every_field_of_a_row() -> None:
    """No field of a ranked configuration is left out, and none stands in another place."""
    names = [field.name for field in fields(RankedConfiguration)]
    assert all(list(row) == names for row in rows_of_files(findings().answer))
    frame = frames_of(ReportData.of(findings()))["ranking"]
    assert {name.partition(".")[0] for name in frame} == set(names) - {"variant"}  # this study has one alone


def test_a_column_is_added_in_one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """One more entry, and page, note and terminal show it; one less, and the files lack its field."""
    headings: dict[ranking_columns.Rendering, str] = {"page": "weights", "note": "weights", "terminal": "weights"}
    added = RankingColumn(("parameters",), lambda row, _: str(row.parameters), headings, width=9)
    kept = [column for column in COLUMNS if "seeds" not in column.fields]
    monkeypatch.setattr(ranking_columns, "COLUMNS", (*kept, added))
    answer = findings().answer
    best = str(answer.ranking[0].parameters)
    assert page_heads(answer)[-1] == "weights"
    assert ranking_table(answer, "EUR").rows[0].cells[-1] == best
    assert note_heads(answer)[-1] == "weights"
    assert terminal_head(answer).endswith("  weights")
    assert any(line.endswith(f" {best}") for line in render(answer, "EUR").splitlines())
    assert "seeds" not in rows_of_files(answer)[0]
