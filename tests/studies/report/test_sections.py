"""What the report holds beside the answer: scores, savings, the spec, the methods paragraph, files, overlays."""

from __future__ import annotations

import dataclasses
import json
import os
import tomllib
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from models.metrics import summarise
from storage.errors import InputError
from storage.files.artifacts import Overlay
from storage.records import SkipForecast
from studies.report.exports import CHROMIUM, SCALE, WIDTH, draw, formats_of, write_files
from studies.report.figures.overlays import galleries, shown_cells
from studies.report.page import render_page
from studies.report.report_data import ReportData
from studies.report.sections import figures_of
from studies.report.text.methods import methods_paragraph
from studies.report.text.spec_toml import spec_toml
from studies.results.case_metrics import case_metrics
from studies.results.criteria import with_criteria
from studies.results.findings import Findings, findings_of
from studies.results.savings import savings_of
from studies.results.scores import METRICS, scored_configurations
from studies.spec import load_spec
from tests.helpers.reported_study import (
    CASES,
    HOSTILE,
    NUM_TRAIN,
    Page,
    cell_record,
    failed,
    flagged,
    grid,
    render,
    stopped,
    study_record,
)

if TYPE_CHECKING:
    from pathlib import Path

    from storage.records import CellRecord, StudyRecord

SPENT = 600.0


def findings_in(records: list[CellRecord], study: StudyRecord | None = None) -> Findings:
    """What a report of these cells is written from."""
    return findings_of(study or study_record(), records, SPENT)


def test_scores_are_means_over_cases_and_seeds() -> None:
    """Every metric, as the mean over cases and pooled; a flagged seed counts only where no other is."""
    records = [cell_record(3, 0.5), cell_record(3, 0.5, seed=1), flagged(3, 0.5, seed=2), flagged(3, 1.0)]
    some, lost = scored_configurations(records, case_metrics(records))
    counts = [record.attempt.scores.test for record in records[:2] if record.attempt.scores]
    for metric in METRICS:
        both = [summarise(cases)[metric] for cases in counts]
        assert some.mean[metric] == pytest.approx(np.mean([summary.mean for summary in both]))
        assert some.pooled[metric] == pytest.approx(np.mean([summary.pooled for summary in both]))
    assert (some.runs, some.flags, lost.runs, lost.flags) == (2, ("collapsed",), 0, ("collapsed",))


def test_savings_count_what_was_measured_and_what_was_not() -> None:
    """Cells to the end by their own seconds, stopped ones by their planned steps, a confirmation not at all."""
    confirming = cell_record(2, 1.0, seed=9)
    plan = dataclasses.replace(confirming.cell.plan, role="confirm")
    records = [
        cell_record(2, 1.0),
        stopped(3, 1.0),
        dataclasses.replace(confirming, cell=dataclasses.replace(confirming.cell, plan=plan)),
    ]
    savings = savings_of(findings_in(records))
    assert savings is not None
    assert savings.cells == 2
    assert savings.measured == pytest.approx(10 * (6.0 + 0.2))
    assert savings.predicted == pytest.approx(1.5 * 10 * (9.0 + 0.2))  # at 200 of 300 steps
    assert savings.share == pytest.approx(SPENT / savings.whole)
    assert savings_of(findings_in([])) is None


def test_the_spec_of_a_study_runs_again() -> None:
    """The text is a TOML file that gives the same identity and running values, without any place."""
    spec = load_spec("kvasir-seg", ["data.path=/home/somebody/scans", 'data.group_pattern="^(a\\"b)"'])
    study = study_record(name=spec.name, identity=spec.identity(), running=spec.running())
    text = spec_toml(study)
    assert "somebody" not in text
    values = tomllib.loads(text)
    assert values["data"]["group_pattern"] == spec.data.group_pattern
    assert values["grid"] == spec.identity()["grid"]
    assert values["prices"] == spec.running()["prices"]


def test_the_methods_paragraph_tells_everything() -> None:
    """Data, cases and groups by part, metric, seeds, cells by fate, test cases, n with both intervals, and citation."""
    study = study_record()
    grouped = dataclasses.replace(study, groups={name: number // 2 for number, name in enumerate(study.groups)})
    skip = SkipForecast("not worth it", 0.8, 0.7, 0.9)
    waiting = cell_record(2, 0.3)
    skipped = dataclasses.replace(waiting, cell=dataclasses.replace(waiting.cell, skip=skip))
    records = [*grid(), stopped(4, 0.25), flagged(4, 1.0), failed(4, 0.5), skipped]
    findings = findings_of(grouped, records, SPENT, with_criteria(grouped, ["prices.case=12"], target_dsc=0.78))
    text = methods_paragraph(findings)
    for sentence in (
        "95 annotated cases",
        "80 training (from 40 patients or groups)",
        "empty",
        "under 1 seed",
        "1 stopped early, 1 skipped, 0 not learned, 1 collapsed, 1 failed",
        "test cases were measured once",
        "A DSC of 0.78 takes",
        "for one new run [",
        "12 EUR a case",
        "extrapolated",
        "torch 2.13.0",
        "Lee et al. 2025",
    ):
        assert sentence in text
    assert methods_paragraph(findings_in([])).count("No configuration is recommended") == 1


@pytest.mark.parametrize(
    ("given", "formats"),
    [("", ()), ("csv", ("csv",)), ("CSV, json,csv", ("csv", "json")), ("png,pdf", ("png", "pdf"))],
)
def test_formats_are_a_list(given: str, formats: tuple[str, ...]) -> None:
    """Commas between them, each once."""
    assert formats_of(given) == formats


def test_a_format_that_is_none_or_cannot_be_drawn_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says which there are, or what to install."""
    with pytest.raises(InputError, match="one of csv, json, png, pdf, got 'svg'"):
        formats_of("csv,svg")
    monkeypatch.setattr("studies.report.exports.find_spec", lambda _name: None)
    with pytest.raises(InputError, match="--format png needs kaleido"):
        formats_of("png")
    assert formats_of("csv,json") == ("csv", "json")


def test_tables_are_written_as_numbers(tmp_path: Path) -> None:
    """CSV and JSON hold the answer's numbers; every figure has its JSON; nothing is drawn."""
    data = ReportData.of(findings_in(CASES["some of each"]))
    folder = write_files(data, tmp_path / "report", ("csv", "json"))
    ranking = pd.read_csv(folder / "ranking.csv")
    answer = data.findings.answer
    assert ranking["num_cases"].tolist() == [row.num_cases for row in answer.ranking]
    measured = [np.nan if row.test_dsc is None else row.test_dsc.value for row in answer.ranking]
    assert ranking["test_dsc.value"].tolist() == pytest.approx(measured, rel=1e-5, nan_ok=True)
    assert json.loads((folder / "answer.json").read_text())["num_train"] == NUM_TRAIN
    assert len(json.loads((folder / "front.json").read_text())) == len(answer.front)
    drawn = {path.name for path in folder.glob("figure-*.json")}
    assert drawn == {f"figure-{figure.name}.json" for figure in figures_of(data)}
    with pytest.raises(InputError, match="cannot write to"):
        write_files(data, tmp_path / "no" / "folder", ("csv",))


def test_changes_are_told_without_places() -> None:
    """Each changed value with its time, what it was and what it became; places of data and files stay at home."""
    changes = {
        "prices": {"was": {"case": 5.0}, "now": {"case": 6.0}},
        "data_path": {"was": "/home/somebody/a", "now": "/home/somebody/b"},
    }
    noted = [{"changed_at": datetime(2026, 11, 25, 9, 30), "changes": json.dumps(changes), "versions": "{}"}]  # noqa: DTZ001 - as stored
    html = render_page(ReportData.of(findings_in(grid()), changes=noted))
    table = Page(html).tables["Changes since the first start"]
    assert table[1:] == [["2026-11-25 09:30", "prices", "{'case': 5.0}", "{'case': 6.0}"]]
    assert "somebody" not in html


def test_overlays_stand_by_depth_and_ratio() -> None:
    """The outermost depths and ratios of those that have any; pictures are inside the page, names stay texts."""
    records = grid(ratios=(0.1, 0.2, 0.3, 0.4, 0.5, 1.0), depths=range(2, 8))
    png = b"\x89PNG\r\n"
    loaded = []

    def load(record: CellRecord) -> list[Overlay]:
        loaded.append(record.cell.plan.key)
        return [Overlay(HOSTILE, "large foreground", 0.812, png)]

    cells = shown_cells(records, load)
    assert len(cells) == len(loaded) == 12
    assert {cell.depth for cell in cells} >= {2, 7}
    assert {cell.ratio for cell in cells} >= {0.1, 1.0}
    (gallery,) = galleries(cells)
    assert len(gallery.rows) == 3
    assert gallery.columns == ("ratio 0.1", "ratio 0.3", "ratio 0.4", "ratio 1")
    html = render(study_record(), records, overlays=cells)
    assert html.count('<img src="data:image/png;base64,') == 12
    assert "<script>alert" not in html
    assert galleries([]) == []


def test_figures_are_drawn_by_a_real_browser(tmp_path: Path) -> None:
    """PNG and PDF of a figure, as large as on the page, with nothing asked of a network."""
    if not any(os.access(path, os.X_OK) for path in CHROMIUM):
        pytest.skip("needs Chromium at its place in Debian")
    figure = next(
        figure for figure in figures_of(ReportData.of(findings_in(CASES["one cell"]))) if figure.name == "ranking-bars"
    )
    draw([figure], tmp_path, ["png", "pdf"])
    with Image.open(tmp_path / "figure-ranking-bars.png") as picture:
        assert picture.size == (SCALE * WIDTH, SCALE * figure.height)
        assert len(picture.convert("RGB").getcolors(1_000_000)) > 20
    assert (tmp_path / "figure-ranking-bars.pdf").read_bytes().startswith(b"%PDF")


def test_a_browser_that_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what to install."""
    monkeypatch.setenv("BROWSER_PATH", str(tmp_path / "none"))
    figure = next(figures_of(ReportData.of(findings_in(CASES["one cell"]))))
    with pytest.raises(InputError, match="needs a browser"):
        draw([figure], tmp_path, ["png"])
