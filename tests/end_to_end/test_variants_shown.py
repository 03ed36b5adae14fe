"""What is shown of a study with two variants of its protocol: columns, panels and letters, and nothing without them."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import pandas as pd
import torch
from PIL import Image

from storage.files.artifacts import Overlay
from storage.ledger.count_rows import StudyCounts
from storage.records import CellState
from studies.__main__ import main
from studies.interop.export_model import _config
from studies.interop.forecast_csv import forecast_file
from studies.monitor.status import render_status, status_of
from studies.monitor.study_note import study_note
from studies.report.components import Fold, Gallery, Table
from studies.report.exports import OF_TABLES, write_files
from studies.report.figures.overlays import galleries, shown_cells
from studies.report.page import render_page
from studies.report.report_data import ReportData
from studies.report.sections import figures_of, sections_of
from studies.report.text.methods import methods_paragraph
from studies.report.text.terminal import render as render_answer
from studies.results.case_metrics import _counts
from studies.results.findings import Findings, findings_of
from studies.results.paper_table import forecast_table
from studies.results.savings import savings_of
from tests.helpers.reported_study import cell_record, flagged, grid, study_record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pytest

    from storage.records import CellRecord
    from studies.report.components import Component

OTHER = "loss=dice_ce"
ARCHITECTURE = "architecture=segresnet"


def as_variant(records: Sequence[CellRecord], variant: str = OTHER) -> list[CellRecord]:
    """The same cells under another variant."""
    return [_renamed(record, variant) for record in records]


def _renamed(record: CellRecord, variant: str) -> CellRecord:
    key = record.cell.plan.key.replace("-seed", f"-{variant.replace('=', '.')}-seed")
    return replace(record, cell=replace(record.cell, plan=replace(record.cell.plan, key=key, variant=variant)))


RECORDS = [*grid(), *as_variant([*grid()[:-2], flagged(3, 0.5), cell_record(3, 1.0, state=CellState.WAITING)])]


@cache
def findings() -> Findings:
    """Of two variants, one with a flagged cell and one that waits."""
    return findings_of(study_record(), RECORDS, 100.0)


@cache
def report_data() -> ReportData:
    """What the page is made of."""
    return ReportData.of(findings())


def tables(components: Sequence[Component]) -> Iterator[Table]:
    """All tables, folded ones too."""
    for component in components:
        if isinstance(component, Table):
            yield component
        elif isinstance(component, Fold):
            yield from tables(component.components)


def test_each_variant_has_a_panel_and_every_name_is_unique() -> None:
    """Data curves, heatmaps, lines, forecasts and training curves; ranking, front and times are over all."""
    names = [figure.name for figure in figures_of(report_data())]
    assert len(set(names)) == len(names)
    for apart in ("data-curves", "scores", "iou-heatmap", "dsc-by-ratio", "test-error", "forecasts", "training-curves"):
        assert {f"{apart}-own", f"{apart}-loss-dice-ce"} <= set(names)
    assert {"ranking-bars", "front", "training-times"} <= set(names)
    captions = {figure.name: figure.caption for figure in figures_of(report_data())}
    assert captions["scores-own"].startswith("own protocol: Test DSC")
    assert captions["scores-loss-dice-ce"].startswith("loss=dice_ce: Test DSC")


def test_a_panel_holds_its_own_variant_s_values_alone() -> None:
    """As many measured points as it has configurations that learned."""
    (scores,) = [f.figure for f in figures_of(report_data()) if f.name == "scores-loss-dice-ce"]
    values = [value for line in json.loads(scores.to_json())["data"][0]["z"] for value in line if value is not None]
    assert len(values) == 6
    (own,) = [f.figure for f in figures_of(report_data()) if f.name == "scores-own"]
    assert sum(v is not None for line in json.loads(own.to_json())["data"][0]["z"] for v in line) == 8


def test_a_column_names_the_variant_where_there_are_two() -> None:
    """In every table that has a column of depths; tables of one variant bear its name."""
    shown = [table for section in sections_of(report_data()) for table in tables(section.components)]
    with_depth = [table for table in shown if any(column.title == "depth" for column in table.columns)]
    for table in with_depth:
        titles = [column.title for column in table.columns]
        apart = table.caption.startswith(("own protocol: ", "loss=dice_ce: "))
        assert ("variant" in titles) != apart, table.caption
        assert all(len(row.cells) == len(titles) for row in table.rows)
    assert sum(table.caption.startswith("loss=dice_ce: Held") for table in shown) == 1


def test_without_axes_nothing_speaks_of_variants() -> None:
    """No column, no suffix, no letter: page, note, text and tables are what they were."""
    alone = findings_of(study_record(), grid(), 100.0)
    page = render_page(ReportData.of(alone))
    assert "own protocol" not in page
    assert ">variant<" not in page
    assert "ariant" not in render_answer(alone.answer, "EUR")
    assert "ariant" not in study_note(alone.records, alone.answer, "EUR")
    assert "ariant" not in methods_paragraph(alone)
    assert {figure.name for figure in figures_of(ReportData.of(alone))} >= {"data-curves", "scores", "training-curves"}


def test_the_text_tells_variants_apart_by_letters_within_80_columns() -> None:
    """With a legend."""
    text = render_answer(findings().answer, "EUR")
    assert "Variants:\n  A own protocol\n  B loss=dice_ce\n" in text
    assert "Recommended: depth 3 (own protocol) with 80 cases" in text
    assert max(map(len, text.splitlines())) <= 80
    assert {line.split()[2] for line in text.splitlines() if line.split()[:1] == ["1"]} <= {"A", "B"}


def test_note_and_methods_name_them() -> None:
    """A column in the note's tables, the number of variants in the paragraph, and which architectures were trained."""
    note = study_note(RECORDS, findings().answer, "EUR")
    rows = [line for line in note.splitlines() if line.startswith("| ")]
    assert "variant" in rows[0]
    assert {row.count("|") for row in rows if "loss=dice\\_ce" in row} == {6, 11}
    assert "in 2 variants of the protocol (own protocol; loss=dice_ce)" in methods_paragraph(findings())
    networks = findings_of(study_record(), [*grid(), *as_variant(grid(), ARCHITECTURE)], 0.0)
    assert "Networks (segresnet, unet) of 2 depths" in methods_paragraph(networks)


def test_numbers_have_a_column_of_variants(tmp_path: Path) -> None:
    """In every frame that tells depths apart; without axes in none."""
    write_files(report_data(), tmp_path / "two", [OF_TABLES[0]])
    write_files(ReportData.of(findings_of(study_record(), grid(), 0.0)), tmp_path / "one", [OF_TABLES[0]])
    for path in (tmp_path / "two").iterdir():
        assert "variant" in pd.read_csv(path).columns, path.name
    assert not any("variant" in pd.read_csv(path).columns for path in (tmp_path / "one").iterdir())


def test_overlays_stand_apart() -> None:
    """The chosen depths and ratios of each variant, under its name."""
    picture = io.BytesIO()
    Image.new("P", (4, 4)).save(picture, "PNG")
    cells = shown_cells(RECORDS, lambda _: [Overlay("case", "10th percentile", 0.5, picture.getvalue())])
    assert {cell.variant for cell in cells} == {"", OTHER}
    shown = ReportData.of(findings(), overlays=cells)
    (section,) = [section for section in sections_of(shown) if section.name == "overlays"]
    (fold,) = [component for component in section.components if isinstance(component, Fold)]
    captions = [gallery.caption for gallery in fold.components if isinstance(gallery, Gallery)]
    assert captions == ["own protocol: Case case: 10th percentile", "loss=dice_ce: Case case: 10th percentile"]
    assert len(galleries([cell for cell in cells if cell.variant == ""])) == 1


def test_savings_count_the_grid_of_every_variant() -> None:
    """A cell that waits is predicted under its own variant."""
    training = {"training": {"budget": 200, "evaluations": 10}}
    study = study_record(identity=study_record().identity | training)
    savings = savings_of(findings_of(study, RECORDS, 100.0))
    assert savings is not None
    assert savings.cells == len(RECORDS)
    assert savings.predicted > 0


def test_status_names_the_variant_of_each_cell() -> None:
    """In JSON, where there is more than one; keys that are longer widen the first column."""
    counts = _counts(RECORDS)
    status = status_of(study_record(), RECORDS, counts, 0.0)
    assert [cell["variant"] for cell in status["per_cell"]] == [r.cell.plan.variant for r in RECORDS]
    lines = render_status(status).splitlines()[3 : 4 + len(RECORDS)]
    assert len({line.index(word) for line, word in zip(lines[:3], ("state", "done", "done"), strict=True)}) == 1
    alone = status_of(study_record(), grid(), StudyCounts([], *_no_counts()), 0.0)
    assert all("variant" not in cell for cell in alone["per_cell"])


def _no_counts() -> tuple[Any, Any]:
    empty = _counts([])
    return empty.validation, empty.test


def test_curves_of_a_file_are_siblings_within_their_variant(tmp_path: Path) -> None:
    """Each of the two curves of a variant has the other one beside it, and none of another variant."""
    path = tmp_path / "curves.csv"
    lines = [f"{v},{d},{r},{0.5 + 0.1 * r}" for v in ("", OTHER) for d in (3, 4) for r in (0.1, 0.2, 0.4)]
    path.write_text("\n".join(["variant,depth,ratio,dsc", *lines]) + "\n")
    rows = forecast_file(path, "dsc", [1.0])
    assert [row.curve for row in rows] == ["depth 3", "depth 4", f"{OTHER}, depth 3", f"{OTHER}, depth 4"]
    assert {row.method for row in rows} == {"lstm, 1 sibling"}


def test_the_paper_s_tables_are_of_the_protocol_s_own_variant(monkeypatch: pytest.MonkeyPatch) -> None:
    """And say so."""
    monkeypatch.setattr("models.forecaster.paper.lstms.STEPS", 1)
    table = forecast_table(list(findings().measurements.values()))
    assert table["variant"] == "own protocol"
    assert "variant" not in forecast_table([m for m in findings().measurements.values() if not m.variant])


def test_complexity_has_a_row_a_recipe(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Under the name of each variant; another architecture has other parameters."""
    monkeypatch.setattr("models.training.speed.ENOUGH_SECONDS", 0.0)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    changes = ["training.size=32", "training.channels=8", "grid.depth=[2,3]", 'grid.architecture=["unet","segresnet"]']
    arguments = ["complexity", "phantom", *(part for change in changes for part in ("--set", change))]
    assert main([*arguments, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["variant"], row["depth"]) for row in rows] == [("", 2), ("", 3), (ARCHITECTURE, 2), (ARCHITECTURE, 3)]
    assert rows[0]["parameters"] != rows[2]["parameters"]
    assert main(arguments) == 0
    out = capsys.readouterr().out.splitlines()
    assert [line for line in out if (line.endswith(":") and "=" in line) or line == "own protocol:"] == [
        "own protocol:",
        f"{ARCHITECTURE}:",
    ]


def test_a_model_is_exported_with_the_network_that_was_trained() -> None:
    """Not that of the protocol."""
    training = {"training": {"size": 16, "channels": 8, "architecture": "unet"}}
    study = study_record(identity=study_record().identity | training)
    (record,) = as_variant([cell_record(2, 1.0)], ARCHITECTURE)
    assert _config(study, record)["network_def"]["_target_"] == "SegResNet"
    assert _config(study, cell_record(2, 1.0))["network_def"]["_target_"] == "UNet"
