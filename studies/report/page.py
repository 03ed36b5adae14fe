"""The report: one page that answers a study's question, and opens without a network."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from search.prices import SECONDS_PER_HOUR, training_price
from storage.records import CellState
from storage.variants import name_of
from studies.report.sections import sections_of
from studies.report.text.formatting import amount, dsc, interval
from studies.report.text.known_words import price_covers, table_note
from studies.report.text.sentences import recommended_recipe, sentences
from studies.results.known_facts import known_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from search.analysis.answer import Answer
    from search.prices import Device, PriceSpec
    from storage.records import CellRecord
    from studies.report.report_data import ReportData
    from studies.results.findings import Findings

FOLDER = Path(__file__).with_name("template")
LEAST_PRICE = 0.01


@dataclass(frozen=True)
class KeyFigure:
    """One number of the answer, under its name."""

    name: str
    value: str
    detail: str


def render_page(data: ReportData) -> str:
    """The whole page as HTML."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    findings = data.findings
    records, answer, prices = findings.records, findings.answer, findings.criteria.prices
    return environment.get_template("page.html.j2").render(
        name=findings.study.name,
        headline=_headline(answer, prices.currency),
        key_figures=list(_key_figures(answer, prices.currency)),
        sentences=tuple(sentences(answer, prices.currency)),
        progress=_progress(findings),
        preliminary=any(record.cell.state.is_open and record.cell.skip is None for record in records),
        spent=_spent(findings),
        changed=findings.criteria.changed,
        table_note=table_note(findings.known) if findings.is_imported else None,
        sections=sections_of(data),
        plotly_js=Markup(get_plotlyjs()),  # noqa: S704 - the library's own text, none of a user's
        as_json=lambda figure: Markup(figure.to_json()),  # noqa: S704 - plotly writes <, > and / as escapes
    )


def _headline(answer: Answer, currency: str) -> str:
    row = answer.recommended
    if row is None and answer.target is not None and answer.ranking:
        return f"No measured configuration reaches a DSC of {answer.target:g}."
    if row is None:
        return next(sentences(answer, currency))
    return f"{row.num_cases} training cases and a network of {recommended_recipe(row, answer)} are recommended."


def _key_figures(answer: Answer, currency: str) -> Iterator[KeyFigure]:
    row = answer.recommended
    if row is None:
        return
    known = known_of(answer)
    held_out = f"; {answer.num_validation + answer.num_test} more to validate and test" if known.held_out else ""
    yield KeyFigure("training cases", str(row.num_cases), f"of {answer.num_train}{held_out}")
    about_it = [f"{row.parameters:,} parameters"] if known.parameters else []
    network = "network" if known.is_table else "U-Net"
    yield KeyFigure(
        f"depth of the {network}", str(row.depth), ", ".join(about_it + [name_of(row.variant)] * answer.has_variants)
    )
    yield KeyFigure(known.test, dsc(row.estimate.value), f"90 % interval {interval(row.estimate.mean_interval)}")
    about = "about " if row.seconds_estimated else ""
    yield KeyFigure("price", f"{about}{amount(row.price)} {currency}", price_covers(known))


def _progress(findings: Findings) -> str:
    records, known = findings.records, findings.known
    states = [record.cell.state for record in records]
    finished = sum(not record.cell.state.is_open or record.cell.skip is not None for record in records)
    flagged = sum(state in {CellState.NOT_LEARNED, CellState.COLLAPSED} for state in states)
    if known.is_table:
        return f"{len(states)} runs in the table" + (f", {flagged} flagged" if known.flags or flagged else "")
    failed = sum(state is CellState.FAILED for state in states)
    skipped = sum(record.cell.skip is not None for record in records)
    left_out = f", {skipped} skipped as not worth training" if skipped else ""
    return f"{finished - skipped} of {len(states)} cells finished, {flagged} flagged, {failed} failed{left_out}"


def _spent(findings: Findings) -> str | None:
    """What was spent, in one sentence; nothing of an imported table, for which nothing was trained."""
    if findings.is_imported:
        return None
    spent = _hours(findings.records, findings.spent_seconds, findings.criteria.prices)
    return f"Spent by the study itself so far, lost work included: {spent}."


def _hours(records: Sequence[CellRecord], spent_seconds: float, prices: PriceSpec) -> str:
    """Hours by device with their price; what no current attempt accounts for is shared out alike."""
    seconds: dict[tuple[Device, str | None], float] = defaultdict(float)
    for record in records:
        if record.attempt.device is not None:
            device: Device = "gpu" if record.attempt.device == "gpu" else "cpu"
            seconds[device, record.attempt.device_name] += record.spent_seconds
    known = sum(seconds.values())
    if known <= 0:
        return f"{amount(spent_seconds / SECONDS_PER_HOUR)} device hours"
    whole = {machine: spent_seconds * share / known for machine, share in seconds.items()}
    by_device: dict[Device, float] = defaultdict(float)
    for (device, _), spent in whole.items():
        by_device[device] += spent
    hours = " and ".join(f"{amount(spent / SECONDS_PER_HOUR)} {d.upper()} h" for d, spent in sorted(by_device.items()))
    price = sum(training_price(prices, device=d, seconds=spent, device_name=n) for (d, n), spent in whole.items())
    return f"{hours}, {'less than 0.01' if 0 < price < LEAST_PRICE else amount(price)} {prices.currency}"
