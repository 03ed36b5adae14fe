"""What is written of an imported table: its scores under their own names, and nothing that it did not tell."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

import pytest

from studies.report.components import Fold, Table
from studies.report.exports import write_files
from studies.report.page import render_page
from studies.report.report_data import ReportData
from studies.report.sections import figures_of, sections_of
from studies.report.text.formatting import NONE
from studies.report.text.methods import methods_paragraph
from studies.report.text.terminal import render
from tests.helpers.number_tables import curve, read, table_findings
from tests.helpers.reported_study import Page

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from studies.report.components import Component

PLAIN = curve([0.55, 0.65, 0.05, 0.72]) + curve([0.56, 0.67, 0.72, 0.75], depth=4).partition("\n")[2]
TABLES = {
    "dsc": PLAIN,
    "validation": PLAIN.replace("dsc", "val_dsc"),
    "test": PLAIN.replace("dsc", "test_dsc"),
    "both": "cases;depth;val_dsc;test_dsc;seconds;flag\n40;3;55,1;54,2;100;\n80;3;65;63,9;200;\n160;3;71,2;70,9;400;\n",
    "epochs": "cases,depth,epoch,dsc\n" + "".join(f"{40 * i},3,{e},0.{4 + i + e}\n" for i in (1, 2) for e in (1, 2)),
    "low": curve([0.01, 0.02]),
    "falling": curve([0.8, 0.75, 0.7, 0.66]),
    "constant": curve([0.8] * 4),
    "one": curve([0.8]),
}
UNTOLD = "the numbers of validation and test cases"  # the one place where a page of other numbers may say so


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ReportData]:
    """What the pages are made of."""
    folder = tmp_path_factory.mktemp("tables")
    return {name: ReportData.of(table_findings(read(folder, text))) for name, text in TABLES.items()}


@cache
def page_of(data: ReportData) -> str:
    """The page."""
    return render_page(data)


def texts(data: ReportData) -> dict[str, str]:
    """All that is written: page with what figures show, terminal, and the paragraph for a paper."""
    page = Page(page_of(data))
    figures = {name: text for name, text in page.scripts.items() if name.endswith("-data")}
    return {
        "page": page.words,
        "terminal": render(data.findings.answer, "USD"),
        "methods": methods_paragraph(data.findings),
        **figures,
    }


def tables_in(components: Iterable[Component]) -> Iterator[Table]:
    """Folded ones too."""
    for component in components:
        if isinstance(component, Table):
            yield component
        elif isinstance(component, Fold):
            yield from tables_in(component.components)


def tables_of(data: ReportData) -> dict[str, list[tuple[str, ...]]]:
    """Heads and rows, by caption."""
    tables = tables_in(component for section in sections_of(data) for component in section.components)
    return {
        table.caption: [tuple(column.title for column in table.columns), *(row.cells for row in table.rows)]
        for table in tables
    }


@pytest.mark.parametrize(
    ("name", "words"),
    [("dsc", "test|validation|val"), ("validation", "test"), ("test", "validation|val"), ("epochs", "test|validation")],
)
def test_no_text_names_cases_that_the_table_does_not(data: dict[str, ReportData], name: str, words: str) -> None:
    """Titles, heads, captions, axes, hovers and footnotes say DSC, or what the column was called."""
    for place, text in texts(data[name]).items():
        plain = " ".join(text.split()).replace(UNTOLD, "")
        assert not re.search(rf"\b({words})\b", plain, flags=re.IGNORECASE), place


def test_scores_that_a_table_names_keep_their_names(data: dict[str, ReportData]) -> None:
    """Validation decides, test estimates, as in a study that was run."""
    heads = tables_of(data["both"])["Configurations by cost per 0.01 DSC"][0]
    assert {"validation DSC, measured", "test DSC, expected [90 %]"} <= set(heads)
    assert ": test DSC 0." in texts(data["both"])["terminal"]
    once = tables_of(data["validation"])["Configurations by cost per 0.01 DSC"][0]
    assert [head for head in once if "DSC," in head] == [
        "validation DSC, measured",
        "validation DSC, expected [90 %]",
        "validation DSC, forecast [90 %]",
    ]


def test_what_is_not_known_is_left_out(data: dict[str, ReportData]) -> None:
    """No parameters, held-out cases, hours or device seconds of 0; the page says what the table does not tell."""
    for place, text in texts(data["dsc"]).items():
        assert not re.search(r"\b0 (parameters|GPU|device|validation|test|more to|cells)\b|\+ 0 ", text), place
    page = texts(data["dsc"])["page"]
    assert (
        f"The table does not tell the sizes of the networks, {UNTOLD}, the seconds of training and which runs" in page
    )
    tables = tables_of(data["dsc"])
    assert tables["All cells, measured"][0] == ("cell", "state", "DSC")
    assert not {"validation", "test", "total"} & set(tables["Annotation plan"][0])
    assert "everything foreground" not in page
    assert "Spent by the study" not in page


def test_a_price_without_seconds_is_that_of_the_cases(data: dict[str, ReportData]) -> None:
    """And says so wherever it stands; with seconds it holds the training."""
    assert "USD per 0.01 DSC) for the training cases alone." in " ".join(texts(data["dsc"])["terminal"].split())
    assert "a price is that of the training cases alone" in texts(data["dsc"])["page"]
    assert "Prices: 5 EUR a case; the tolerance" in texts(data["dsc"])["methods"]
    assert re.search(
        r"for 0\.\d+ GPU h of training and \d+ training cases\.", " ".join(texts(data["both"])["terminal"].split())
    )


def test_flags_are_shown_where_they_are_known(data: dict[str, ReportData]) -> None:
    """A run that was found collapsed is told; that the others learned is not known. Told flags may be none."""
    tables = tables_of(data["dsc"])
    assert tables["Flagged cells, left out of every fit"][1:] == [("cases160-depth3-seed0", "collapsed", "0.050")]
    curves = tables["Data curve of each depth"]
    assert [row[curves[0].index("flagged")] for row in curves[1:]] == ["1 of 4", NONE]
    assert "Runs that did not learn, or collapsed" not in tables
    assert "8 runs in the table, 1 flagged." in texts(data["dsc"])["page"]
    assert "flagged" not in " ".join(tables_of(data["falling"])["Data curve of each depth"][0])
    told = tables_of(data["both"])["Data curve of each depth"]
    assert told[1][told[0].index("flagged")] == "0 of 3"


def test_training_curves_are_drawn_where_there_are_any(data: dict[str, ReportData]) -> None:
    """Not a dot for each run at an evaluation that nobody made."""
    names = {name: {figure.name for figure in figures_of(own)} for name, own in data.items()}
    assert "training-curves" in names["epochs"]
    assert "training-curves" not in names["dsc"]
    assert "training-times" not in names["dsc"]


def test_files_hold_what_is_known(data: dict[str, ReportData], tmp_path: Path) -> None:
    """No column of unknown values, and none that names cases which the table does not."""
    folder = write_files(data["dsc"], tmp_path / "files", ["csv", "json"])
    heads = {path.stem: path.read_text().splitlines()[0].split(",") for path in folder.glob("*.csv")}
    names = {name.partition(".")[0] for head in heads.values() for name in head}
    assert not names & {"parameters", "training_seconds", "device", "validation", "test", "total"}
    assert not [name for name in names if re.search("test|validation", name)]
    assert {"dsc.value", "dsc_fitted"} <= set(heads["ranking"])
    assert "collapse-rates" not in heads


@pytest.mark.parametrize("name", TABLES)
def test_every_table_has_a_page(data: dict[str, ReportData], name: str) -> None:
    """Falling, constant, of one number of cases, or of nothing that learned; the terminal holds its lines."""
    assert Page(page_of(data[name])).text
    assert max(len(line) for line in render(data[name].findings.answer, "USD").splitlines()) <= 80
