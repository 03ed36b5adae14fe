"""Writes the report of a study: its answer as text, its page, and files beside the page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage.files.artifacts import ArtifactFolder
from storage.files.locations import artifacts_of, home_of
from storage.frames.study_frames import changes_frame
from storage.ledger.cell_records import spent_seconds
from studies.report.exports import writable, write_files
from studies.report.figures.overlays import shown_cells
from studies.report.page import render_page
from studies.report.report_data import ReportData
from studies.report.text.terminal import render
from studies.results.findings import findings_of
from studies.results.half_forecasts import half_forecaster

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storage.files.artifacts import Overlay
    from storage.ledger.count_rows import StudyCounts
    from storage.ledger.ledger import Ledger
    from storage.records import CellRecord, StudyRecord
    from studies.report.figures.overlays import ShownCell
    from studies.results.criteria import Criteria
    from studies.results.findings import Findings


@dataclass(frozen=True, eq=False)
class WrittenReport:
    """A report that was written.

    Attributes:
        findings: What it was written from.
        text: The answer, and which files were written, for the terminal.
    """

    findings: Findings
    text: str


def write_report(
    ledger: Ledger,
    study: StudyRecord,
    records: Sequence[CellRecord],
    output: str | None = None,
    *,
    criteria: Criteria | None = None,
    counts: StudyCounts | None = None,
    formats: Sequence[str] = (),
    paper_tables: bool = False,
) -> WrittenReport:
    """Write the page to ``output``, by default report.html beside the database.

    Args:
        ledger: Holds the study.
        study: To report.
        records: All of its cells.
        output: File of the page.
        criteria: Prices and target, where they are not the study's own.
        counts: Pixel counts, where the records were read without them.
        formats: Of tables and figures, into a folder beside the page that bears its name.
        paper_tables: Whether to fit the paper's LSTMs for Tables 2 and 3, which takes minutes.

    Returns:
        What it was written from, and the text for the terminal.

    Raises:
        InputError: A file cannot be written, or a format needs what is not installed.
    """
    path = writable(Path(output) if output else home_of(ledger.url) / "report.html")
    with half_forecaster(len(records)) as forecast:
        findings = findings_of(study, records, spent_seconds(ledger, study.study_id), criteria, counts)
        data = ReportData.of(
            findings,
            overlays=_overlays(ledger, study, records),
            paper=_paper_table(findings) if paper_tables else None,
            changes=_changes(ledger, study),
            forecast=forecast,
        )
    path.write_text(render_page(data), encoding="utf-8")
    lines = [render(findings.answer, findings.criteria.prices.currency), f"report: {path}"]
    if formats:
        lines.append(f"tables and figures: {write_files(data, path.with_suffix(''), formats)}")
    return WrittenReport(findings, "\n".join(lines) + "\n")


def _overlays(ledger: Ledger, study: StudyRecord, records: Sequence[CellRecord]) -> list[ShownCell]:
    """Overlays of some of its cells; none where the files are elsewhere."""
    url = artifacts_of(study.running, ledger.url)

    def load(record: CellRecord) -> list[Overlay]:
        return ArtifactFolder.of(url, study.name, record.cell.plan.key, record.cell.attempt).overlays()

    return shown_cells(records, load)


def _paper_table(findings: Findings) -> dict[str, Any]:
    """The paper's Tables 2 and 3 for the study."""
    from studies.results.paper_table import forecast_table  # loads PyTorch, which a report alone need not wait for

    return forecast_table(list(findings.measurements.values()))


def _changes(ledger: Ledger, study: StudyRecord) -> list[dict[str, Any]]:
    changes = changes_frame(ledger, study.study_id)
    names = [str(name) for name in changes]
    return [dict(zip(names, row, strict=True)) for row in changes.to_numpy().tolist()]
