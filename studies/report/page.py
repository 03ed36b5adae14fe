"""The report: one page that answers a study's question, and opens without a network.

To add a section, write a function that gives a `Section` and name it in `_sections`.
"""

from __future__ import annotations

import shlex
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from search.answer_text import footnote, sentences
from search.prices import PriceSpec, training_price
from storage.records import CellState
from studies.report.data_curve_figure import data_curves
from studies.report.figures import cost_bars, dsc_heatmap
from studies.report.fitted import fitted_curves
from studies.report.parts import Code, Fold, Notes, Section, Table
from studies.report.tables import (
    cell_table,
    depth_table,
    failed_table,
    flagged_table,
    ranking_table,
    stopped_table,
    values_table,
)
from studies.report.training_curve_figure import training_curves
from studies.report.words import SECONDS_PER_HOUR, amount, dsc, interval

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from search.answer import Answer
    from search.prices import Device
    from storage.records import CellRecord, StudyRecord
    from studies.report.parts import Part

FOLDER = Path(__file__).parent
SHOWN_FINGERPRINT = 12
FACTS = {"d0": "validation DSC of calling everything foreground", "channels": "image channels"}
LEAST_PRICE = 0.01
RANKING_NOTE = (
    "A configuration is eligible if P is at least 0.5, and safe at 0.9. Its price is that of one training under the "
    "full budget and of its training, validation and test cases; ~ marks an estimated one. A flagged configuration "
    "did not learn, or collapsed: it keeps the score of its best checkpoint, and is left out of every fit."
)
METHOD = "Method: Lee et al. 2025, PLoS One 20(12): e0339064."


@dataclass(frozen=True)
class KeyFigure:
    """One number of the answer, under its name."""

    name: str
    value: str
    detail: str


def render_page(study: StudyRecord, records: Sequence[CellRecord], found: Answer, spent_seconds: float) -> str:
    """The whole page as HTML.

    Args:
        study: Its name, spec, split and facts.
        records: All of its cells.
        found: What its finished cells say.
        spent_seconds: Device seconds that it has consumed, lost work included.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    prices = PriceSpec.model_validate(study.running["prices"])
    return environment.get_template("page.html.j2").render(
        name=study.name,
        headline=_headline(found, prices.currency),
        key_figures=list(_key_figures(found, prices.currency)),
        sentences=tuple(sentences(found, prices.currency)),
        progress=_progress(records),
        preliminary=any(record.cell.state.is_open and record.cell.skip is None for record in records),
        spent=_spent(records, spent_seconds, prices),
        sections=[section for section in _sections(study, records, found, prices.currency) if section.parts],
        plotly_js=Markup(get_plotlyjs()),  # noqa: S704 - the library's own text, none of a user's
        as_json=lambda figure: Markup(figure.to_json()),  # noqa: S704 - plotly writes <, > and / as escapes
    )


def _headline(found: Answer, currency: str) -> str:
    row = found.recommended
    if row is None:
        return next(sentences(found, currency))
    return f"{row.num_cases} training cases and a network of depth {row.depth} are recommended."


def _key_figures(found: Answer, currency: str) -> Iterator[KeyFigure]:
    row = found.recommended
    if row is None:
        return
    held_out = found.num_validation + found.num_test
    yield KeyFigure("training cases", str(row.num_cases), f"of {found.num_train}; {held_out} more to validate and test")
    yield KeyFigure("depth of the U-Net", str(row.depth), f"{row.parameters:,} parameters")
    yield KeyFigure("test DSC", dsc(row.estimate.value), f"90 % interval {interval(row.estimate.mean_interval)}")
    about = "about " if row.seconds_estimated else ""
    yield KeyFigure("price", f"{about}{amount(row.price)} {currency}", "all cases, and one training")


def _progress(records: Sequence[CellRecord]) -> str:
    states = [record.cell.state for record in records]
    finished = sum(not record.cell.state.is_open or record.cell.skip is not None for record in records)
    flagged = sum(state in {CellState.NOT_LEARNED, CellState.COLLAPSED} for state in states)
    failed = sum(state is CellState.FAILED for state in states)
    skipped = sum(record.cell.skip is not None for record in records)
    left_out = f", {skipped} skipped as not worth training" if skipped else ""
    return f"{finished - skipped} of {len(states)} cells finished, {flagged} flagged, {failed} failed{left_out}"


def _spent(records: Sequence[CellRecord], spent_seconds: float, prices: PriceSpec) -> str:
    """Hours by device with their price; what no current attempt accounts for is shared out alike."""
    seconds: dict[tuple[Device, str | None], float] = defaultdict(float)
    for record in records:
        if record.attempt.device is not None:
            device: Device = "gpu" if record.attempt.device == "gpu" else "cpu"
            seconds[device, record.attempt.device_name] += record.spent_seconds
    known = sum(seconds.values())
    if known <= 0:
        return f"{amount(spent_seconds / SECONDS_PER_HOUR)} device hours"
    whole = {which: spent_seconds * share / known for which, share in seconds.items()}
    by_device: dict[Device, float] = defaultdict(float)
    for (kind, _), each in whole.items():
        by_device[kind] += each
    hours = " and ".join(f"{amount(each / SECONDS_PER_HOUR)} {d.upper()} h" for d, each in sorted(by_device.items()))
    price = sum(training_price(prices, device=d, seconds=each, device_name=n) for (d, n), each in whole.items())
    return f"{hours}, {'less than 0.01' if 0 < price < LEAST_PRICE else amount(price)} {prices.currency}"


def _sections(study: StudyRecord, records: Sequence[CellRecord], found: Answer, currency: str) -> Iterator[Section]:
    fitted = fitted_curves(study, records, found)
    yield Section("scores", "Scores by ratio and depth", _present(dsc_heatmap(records, found)))
    yield Section("data-curves", "What more cases bring", _present(data_curves(found, fitted)))
    yield Section("training-curves", "Training curves", _present(training_curves(records, study.facts.get("d0"))))
    yield _ranking(found, currency)
    yield Section("depths", "Enough cases at each depth", _present(depth_table(found)))
    yield _exceptions(records, found)
    yield _study(study, records)


def _ranking(found: Answer, currency: str) -> Section:
    if not found.ranking:
        return Section("ranking", "Ranking", ())
    parts = _present(
        cost_bars(found, currency),
        ranking_table(found, currency),
        Notes((footnote(found), RANKING_NOTE)),
    )
    return Section("ranking", "Ranking by cost per DSC", parts)


def _exceptions(records: Sequence[CellRecord], found: Answer) -> Section:
    parts = _present(failed_table(records), flagged_table(found), stopped_table(records))
    return Section("exceptions", "Cells that failed, were flagged or stopped", parts)


def _study(study: StudyRecord, records: Sequence[CellRecord]) -> Section:
    counts = {part: len(study.split[part]) for part in ("train", "validation", "test")}
    facts = {
        **{f"{part} cases": count for part, count in counts.items()},
        "dataset fingerprint": study.fingerprint[:SHOWN_FINGERPRINT],
        "policy": study.running.get("policy"),
        "devices": sorted({record.attempt.device_name for record in records if record.attempt.device_name}),
    }
    rest = {FACTS.get(name, name): value for name, value in study.facts.items() if name != "versions"}
    parts: list[Part] = [
        values_table("Facts of the study", facts | rest),
        Fold("Every cell", [cell_table(records)]),
        Fold("What results depend on", [values_table("Identity of the study", study.identity)]),
        Fold("How it was run", [values_table("Values that may change at any start", study.running)]),
        Fold("Versions", [values_table("Versions at the first start", study.facts.get("versions", {}))]),
        Notes(("This page is written again by",)),
        Code(f"dicecurve report {shlex.quote(study.name)}"),
        Notes((METHOD,)),
    ]
    return Section("study", "The study", parts)


def _present(*parts: Part | None) -> list[Part]:
    """The parts that hold something."""
    return [part for part in parts if part is not None and not (isinstance(part, Table) and not part.rows)]
