"""The report page of a study."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from plotly.offline import get_plotlyjs

from storage.records import (
    CellRecord,
    CellState,
    StudyRecord,
)
from studies.report.figures.fitted_curves import fitted_curves
from studies.report.text.formatting import without_places
from studies.results.findings import findings_of
from tests.helpers.reported_study import (
    CASES,
    DEPTHS,
    HOSTILE,
    NUM_TRAIN,
    Page,
    cell_record,
    failed,
    flagged,
    grid,
    page_of,
    render,
    stopped,
    study_record,
)

if TYPE_CHECKING:
    from search.analysis.answer import Answer


@pytest.mark.parametrize("case", CASES)
def test_every_study_has_a_page(case: str) -> None:
    """Well-formed, with the study's name, an answer in words and no empty value, whatever has finished."""
    page = Page(page_of(case))
    assert "polyps" in page.words
    assert "cells finished" in page.words
    assert not re.search(r"\b(nan|None|undefined)\b", page.words)
    assert len(page.ids) == len(set(page.ids))


@pytest.mark.parametrize("case", CASES)
def test_the_page_loads_nothing(case: str) -> None:
    """No address outside of the page, plotly exactly once, and a policy that forbids the rest."""
    html = page_of(case)
    page = Page(html)
    assert all(address.startswith("data:") for address in page.addresses)
    assert "iframe" not in page.tags
    assert html.count(get_plotlyjs()[:2000]) == 1
    own = html.replace(get_plotlyjs(), "")
    assert "://" not in own.replace("http://www.w3.org/2000/svg", "")
    assert "@import" not in own
    assert "default-src 'none'" in own
    assert "modeBarButtons: [[" in own  # or else plotly offers to send a figure to its cloud


@pytest.mark.parametrize(
    ("study", "records"),
    [
        (study_record(name=HOSTILE), grid()),
        (study_record(), [*grid(), failed(4, 0.5, HOSTILE)]),
        (study_record(), [*grid(depths=[2]), stopped(3, 0.5, reason=HOSTILE)]),
        (study_record(identity={HOSTILE: {"x": HOSTILE}}, facts={HOSTILE: HOSTILE}, fingerprint=HOSTILE), grid()),
        (study_record(running=study_record().running | {"prices": {"currency": HOSTILE}}), grid()),
    ],
    ids=["name", "failure", "stop reason", "spec and facts", "currency"],
)
def test_hostile_texts_stay_texts(study: StudyRecord, records: list[CellRecord]) -> None:
    """A text of a user adds no element and ends no script."""
    page, plain = Page(render(study, records)), Page(render(study_record(), records))
    assert "alert(1)" in page.words
    assert page.tags.count("script") == plain.tags.count("script")
    assert "img" not in page.tags


@pytest.mark.parametrize("state", [CellState.DONE, CellState.COLLAPSED])
def test_a_hostile_cell_key_stays_text_in_figures(state: CellState) -> None:
    """Keys stand in plotly's data, where neither HTML nor plotly's own markup may come of them."""
    odd = flagged(3, 0.5, state)
    plan = dataclasses.replace(odd.cell.plan, key=HOSTILE)
    records = [*grid(depths=[2]), dataclasses.replace(odd, cell=dataclasses.replace(odd.cell, plan=plan))]
    html = render(study_record(), records)
    page = Page(html)
    assert "<script>alert" not in html
    figure = json.dumps([page.figure("training-curves"), page.figure("data-curves")])
    assert "&lt;script&gt;" in figure
    assert "<script" not in figure


def test_places_stay_at_home() -> None:
    """No absolute path and no name of a person gets into the page, from the spec or from a failure."""
    reason = "OSError: [Errno 28] No space left: '/home/somebody/runs/model 1.pt' (see file:///home/somebody/log)"
    html = render(study_record(), [*grid(), failed(4, 0.5, reason)])
    assert "somebody" not in html
    assert "No space left: &#39;…/model 1.pt&#39; (see …)" in html


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("cannot read /data/set/images/a.png: truncated", "cannot read …/a.png: truncated"),
        ("no /home/somebody", "no …"),
        (r"cannot open C:\Users\somebody\x.png", "cannot open …/x.png"),
        ("~/runs/secret/x.db is locked", "…/x.db is locked"),
        ("postgresql://me:secret@host/db refused", "… refused"),
        ("gain 0.01/evaluation, 3 / 4 of it, and/or less", "gain 0.01/evaluation, 3 / 4 of it, and/or less"),
    ],
)
def test_paths_lose_their_folders(text: str, kept: str) -> None:
    """The last part of a path is enough to find it; a slash alone makes no path."""
    assert without_places(text) == kept


@pytest.fixture(scope="module")
def seeds() -> tuple[Answer, Page]:
    """A study of three seeds: its answer, and its page."""
    return findings_of(study_record(), CASES["several seeds"], 0.0).answer, Page(page_of("several seeds"))


def test_the_answer_comes_first(seeds: tuple[Answer, Page]) -> None:
    """The recommended configuration, then the sentences of the terminal, stand before any figure."""
    answer, page = seeds
    row = answer.recommended
    assert row is not None
    words = page.words
    places = [
        words.index(f"{row.num_cases} training cases and a network of depth {row.depth} are recommended."),
        words.index(f"Recommended: depth {row.depth} with {row.num_cases} cases"),
        words.index("24 of 24 cells finished, 0 flagged, 0 failed."),
        words.index("2 GPU h, 4 EUR"),
        words.index("Scores by ratio and depth"),
    ]
    assert places == sorted(places)


def test_the_ranking_table_holds_the_numbers_of_the_answer(seeds: tuple[Answer, Page]) -> None:
    """Every row of the answer, in its order, with the same digits."""
    answer, page = seeds
    head, *rows = page.tables["Configurations by cost per 0.01 DSC"]
    assert len(rows) == len(answer.ranking) == 8
    for cells, row in zip(rows, answer.ranking, strict=True):
        value = dict(zip(head, cells, strict=True))
        inside = row.test_dsc.mean_interval
        assert inside is not None
        assert row.validation_fitted is not None
        assert value["rank"] == (str(row.rank) if row.rank else "–")  # noqa: RUF001 - as printed
        assert (int(value["depth"]), int(value["cases"])) == (row.depth, row.num_cases)
        assert (float(value["ratio"]), value["runs"]) == (row.ratio, "3")
        assert value["validation DSC, fitted (decides)"] == f"{row.validation_fitted:.3f}"
        assert value["validation DSC, measured"] == f"{row.validation_dsc:.3f}"
        assert value["test DSC, measured"] == f"{row.test_dsc.value:.3f}"
        assert value["test DSC, expected [90 %]"] == f"{row.test_fitted:.3f} [{inside.lower:.3f}, {inside.upper:.3f}]"
        assert float(value["price, EUR"].replace(",", "")) == pytest.approx(row.price, rel=0.005)
        assert float(value["EUR per 0.01 DSC"]) == pytest.approx(row.cost_per_dsc, rel=0.005)
        assert value["P(reaches floor)"] == f"{row.p_floor:.2f}"
        assert ("recommended" in value["note"]) == (row is answer.recommended)


def test_the_depth_table_holds_the_numbers_of_the_answer(seeds: tuple[Answer, Page]) -> None:
    """Enough cases, plateau and gain of every depth."""
    answer, page = seeds
    _, *rows = page.tables["Data curve of each depth"]
    for cells, depth in zip(rows, answer.depths, strict=True):
        curve = depth.on_test
        assert curve is not None
        inside = curve.doubling_gain_interval
        assert cells[0] == str(depth.depth)
        assert str(curve.sufficient.cases) in cells[1]
        assert cells[3] == f"{curve.doubling_gain:.3f} [{inside.lower:.3f}, {inside.upper:.3f}]"
        assert cells[5] == "0 of 12"


def test_the_heatmap_holds_the_numbers_of_the_answer(seeds: tuple[Answer, Page]) -> None:
    """Each field is the mean test DSC of its configuration."""
    answer, page = seeds
    drawn = page.figure("scores")["data"][0]["z"]
    expected = [[r.test_dsc.value for r in sorted(answer.ranking, key=_cases) if r.depth == depth] for depth in DEPTHS]
    assert np.allclose(drawn, expected)


def _cases(row: Any) -> int:
    return int(row.num_cases)


def test_flagged_and_unmeasured_fields_have_no_colour() -> None:
    """A flagged field keeps value and flag as text; an unmeasured one is empty."""
    figure = Page(page_of("some of each")).figure("scores")
    heat = figure["data"][0]
    assert heat["z"][1][3] is None  # depth 3, collapsed
    assert heat["z"][1][2] is None  # depth 3, failed
    assert [note["text"].split("<br>")[1] for note in figure["layout"]["annotations"]] == ["collapsed"]


def test_a_field_tells_how_many_of_its_runs_were_flagged() -> None:
    """A configuration of which one run collapsed keeps its colour, and says so."""
    heat, values = Page(page_of("a flagged seed")).figure("scores")["data"]
    assert heat["z"][1][2] is not None
    assert [text.split("<br>")[1:] for text in values["text"]][6] == ["1 of 2 flagged"]


def test_drawn_curves_are_those_of_the_answer() -> None:
    """At all the cases at hand, each drawn law has the value that the answer gives."""
    study, records = study_record(), CASES["some of each"]
    findings = findings_of(study, records, 0.0)
    drawn = fitted_curves(findings.answer, findings.curves[""])
    values = {depth.depth: depth.on_test.dsc.value for depth in findings.answer.depths if depth.on_test}
    assert {curve.depth for curve in drawn.curves} == set(values) == {2, 3}
    for curve in drawn.curves:
        assert curve.dsc[curve.num_cases == NUM_TRAIN] == pytest.approx(values[curve.depth])
        assert (curve.lower <= curve.upper).all()
        assert curve.num_cases[-1] == 2 * NUM_TRAIN


def test_measured_and_forecast_share_neither_mark_nor_colour() -> None:
    """Filled markers in full colours are measured; lines and open marks in faded colours are fitted or forecast."""
    traces = Page(page_of("some of each")).figure("data-curves")["data"]
    measured = [t["marker"]["color"] for t in traces if t.get("name", "").startswith("depth")]
    lines = [t["line"]["color"] for t in traces if t["mode"] == "lines"]
    expected = [t["marker"] for t in traces if "expected" in t.get("hovertemplate", "")]
    assert measured == ["#0072B2", "#D55E00"]
    assert lines
    assert not set(measured) & set(lines)
    assert [marker["symbol"] for marker in expected] == ["square-open"]
    assert not set(measured) & {marker["color"] for marker in expected}


def test_the_legend_of_training_curves_has_one_entry_a_depth() -> None:
    """However many cells there are, a depth is switched as a whole."""
    figure = Page(page_of("several seeds")).figure("training-curves")
    assert len(figure["data"]) == 24
    assert sum(trace["showlegend"] for trace in figure["data"]) == 2
    assert figure["layout"]["legend"]["groupclick"] == "togglegroup"


def test_failed_flagged_and_stopped_cells_are_listed_with_reasons() -> None:
    """Nothing that went another way is silent; what was forecast stands apart from what was measured."""
    tables = Page(page_of("some of each")).tables
    assert tables["Failed cells"][1][0::3] == ["ratio0.5-depth3-seed0", "out of memory"]
    assert tables["Flagged cells, left out of every fit"][1][:2] == ["ratio1.0-depth3-seed0", "collapsed"]
    head, row = tables["Cells stopped early"]
    cells = dict(zip(head, row, strict=True))
    assert cells["validation DSC, forecast [90 %]"] == "0.830 [0.800, 0.860]"
    assert cells["reason"] == "the forecast gain is within the tolerance"
    assert float(cells["best validation DSC, measured"]) < 0.8


def test_an_unfinished_study_says_so() -> None:
    """As long as a cell is open the answer is preliminary."""
    assert "Preliminary." in Page(page_of("nothing finished")).words
    assert "No configuration has learned yet." in Page(page_of("nothing finished")).words
    assert "Preliminary." not in Page(page_of("all done")).words


def test_hours_of_both_devices_are_named_apart() -> None:
    """Spent hours are shared out by device, and each is paid at its own price."""
    records = [cell_record(2, 0.5), cell_record(2, 1.0, device="cpu")]
    words = Page(render(study_record(), records)).words
    assert "1 CPU h and 1 GPU h, 2.05 EUR" in words


def test_the_study_is_described() -> None:
    """Split, fingerprint, spec, versions, how to write the page again, and whose method it is."""
    page = Page(page_of("all done"))
    facts = dict(page.tables["Facts of the study"][1:])
    assert [facts[f"{part} cases"] for part in ("train", "validation", "test")] == ["80", "6", "9"]
    assert facts["dataset fingerprint"] == "0123456789ab"
    assert ["grid.depth", "2, 3"] in page.tables["Identity of the study"]
    assert ["torch", "2.13.0"] in page.tables["Versions at the first start"]
    assert "dicecurve report polyps" in page.words
    assert "Lee et al. 2025, PLoS One 20(12): e0339064" in page.words


def test_tables_can_be_read_aloud() -> None:
    """Column heads and the first field of every row name what a field means."""
    html = page_of("all done").replace(get_plotlyjs(), "")
    assert html.count("<th ") == html.count('scope="col"') + html.count('scope="row"')
    assert html.count("<tr") == html.count('scope="row"') + html.count("<thead>")
    assert html.count("<figcaption>") == html.count("<figure>") == html.count('class="plot"') == 19
