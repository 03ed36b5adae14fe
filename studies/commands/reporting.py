"""Writes the report of a study, and prints its answer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from search.answer_text import render
from storage.files import home_of
from storage.reads import spent_seconds
from studies.answering import answer_of
from studies.commands.opened import writable
from studies.report.page import render_page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storage.ledger import Ledger
    from storage.records import CellRecord, StudyRecord


def write_report(ledger: Ledger, study: StudyRecord, records: Sequence[CellRecord], output: str | None) -> None:
    """Print the answer, and write the page to ``output``, by default report.html beside the database.

    Raises:
        InputError: The file cannot be written.
    """
    path = writable(Path(output) if output else home_of(ledger.url) / "report.html")
    found = answer_of(study, records)
    page = render_page(study, records, found, spent_seconds(ledger, study.study_id))
    path.write_text(page, encoding="utf-8")
    print(render(found, study.running["prices"]["currency"]))
    print(f"report: {path}")
