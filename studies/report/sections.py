"""The sections of the page: to add one, write a function that gives a `Section` and name it in `sections_of`."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from studies.report.components import Code, Figure, Fold, Notes, Section, Table
from studies.report.figures.cost_bars import cost_bars
from studies.report.figures.data_curves import data_curves
from studies.report.figures.front import front_figure
from studies.report.figures.half_forecasts import error_table, forecast_figure
from studies.report.figures.heatmaps import heatmap
from studies.report.figures.overlays import galleries
from studies.report.figures.score_lines import against_depth, against_ratio, dsc_error
from studies.report.figures.training_curves import training_curves
from studies.report.figures.training_times import training_times
from studies.report.tables.answer import backtest_table, buy_table, front_table, plan_table, target_table
from studies.report.tables.cells import cell_table, failed_table, flagged_table, stopped_table
from studies.report.tables.ranking import depth_table, ranking_table
from studies.report.tables.study import (
    changes_table,
    claims_table,
    collapse_table,
    complexity_table,
    paper_tables,
    savings_table,
    skipped_table,
    values_table,
)
from studies.report.text.known_words import capital, error_name, price_note, untold
from studies.report.text.methods import PAPER, methods_paragraph
from studies.report.text.spec_toml import spec_toml
from studies.report.text.terminal import footnote
from studies.results.scores import METRICS
from studies.spec import recorded_spec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from storage.records import StudyRecord
    from studies.report.components import Component, Gallery
    from studies.report.report_data import ReportData, VariantData
    from studies.results.findings import Findings

    Shown = Figure | Table | Gallery

SHOWN_FINGERPRINT = 12
FACTS = {"d0": "validation DSC of calling everything foreground", "channels": "image channels"}
SHOWN_APART = ("versions", "flops", "orders")  # facts that have tables of their own, or are too long
RANKING_NOTE = (
    "A configuration is eligible if P is at least the assurance: 0.9 of a target, else 0.5, unless another one was "
    "asked for. {price} A flagged configuration did not learn, or collapsed: it keeps the score of its best "
    "checkpoint, and is left out of every fit."
)
FRONT_NOTE = (
    "A configuration leaves the front if another costs no more and scores no less, or if a mixture of two others does "
    "(extended dominance). {score} decides; gains are paired over replicates."
)
TABLES_NOTE = "Tables 2 and 3 take minutes, and are made on request: dicecurve report --paper-tables."
FUTURE_NOTE = "* reads the very values that it predicts: its backward half sees the future."
COVERAGE_NOTE = (
    "Intervals of the LSTM's forecasts cover 90 % on average over data sets like those it was calibrated on; there is "
    "no guarantee for this one."
)


def sections_of(data: ReportData) -> list[Section]:
    """Those that hold something, the most useful first."""
    sections = (
        _plans(data),
        _more_cases(data),
        _ranking(data),
        _scores(data),
        _forecasts(data),
        _overlays(data),
        _trainings(data),
        _claims(data),
        _exceptions(data),
        _savings(data),
        _study(data),
    )
    return [section for section in sections if section.components]


def figures_of(data: ReportData) -> Iterator[Figure]:
    """All figures of the page, folded ones too."""
    for section in sections_of(data):
        yield from _figures(section.components)


def _figures(components: Iterable[Component]) -> Iterator[Figure]:
    for component in components:
        if isinstance(component, Figure):
            yield component
        elif isinstance(component, Fold):
            yield from _figures(component.components)


def _plans(data: ReportData) -> Section:
    answer, currency = data.findings.answer, data.findings.criteria.prices.currency
    tables = _present(plan_table(answer, currency), target_table(answer))
    return Section("plans", "How many cases to annotate", tables)


def _more_cases(data: ReportData) -> Section:
    answer = data.findings.answer
    figures = _apart(data, lambda variant: [data_curves(variant.answer, variant.fitted_curves)])
    components = _present(*figures, depth_table(answer), backtest_table(answer))
    return Section("data-curves", "What more cases bring", components)


def _ranking(data: ReportData) -> Section:
    answer, currency = data.findings.answer, data.findings.criteria.prices.currency
    known = data.findings.known
    if not answer.ranking:
        return Section("ranking", "Ranking", ())
    components = _present(
        cost_bars(answer, currency),
        ranking_table(answer, currency),
        Notes((footnote(answer), RANKING_NOTE.format(price=price_note(known)))),
        front_figure(answer, currency),
        front_table(answer, currency),
        Notes((FRONT_NOTE.format(score=capital(known.validation)),)),
        buy_table(answer, currency),
    )
    return Section("ranking", "Cost per DSC", components)


def _scores(data: ReportData) -> Section:
    known = data.findings.known
    rest = [metric for metric in METRICS if metric != "dsc"]
    components = _present(
        *_apart(data, lambda variant: [heatmap("dsc", variant.scored, variant.records, known)]),
        _fold(
            "IoU, recall and precision by ratio and depth",
            _apart(data, lambda variant: [heatmap(metric, variant.scored, variant.records, known) for metric in rest]),
        ),
        _fold(
            "Against the ratio, a line a depth",
            _apart(data, lambda variant: [against_ratio(metric, variant.scored, known) for metric in METRICS]),
        ),
        _fold(
            "Against depth, a line a ratio",
            _apart(data, lambda variant: [against_depth(metric, variant.scored, known) for metric in METRICS]),
        ),
        _fold(
            f"{capital(error_name(known))} against the ratio",
            _apart(data, lambda variant: [dsc_error(variant.scored, known)]),
        ),
    )
    return Section("by-ratio-and-depth", "Scores by ratio and depth", components)


def _forecasts(data: ReportData) -> Section:
    known = data.findings.known
    depths = sorted({record.cell.plan.depth for record in data.findings.records})
    figures = _present(*_apart(data, lambda variant: [forecast_figure(variant.half_forecasts, depths, known)]))
    if not figures and data.paper is None:
        return Section("half", "Forecasts", ())
    tables: list[Component] = [Notes((TABLES_NOTE,))]
    if data.paper is not None:
        tables = [*paper_tables(data.paper), Notes((FUTURE_NOTE,))]
    errors = _apart(data, lambda variant: [error_table(variant.half_forecasts)])
    components = _present(*figures, Notes((COVERAGE_NOTE,)), *errors, Fold("Tables 2 and 3", tables))
    return Section("half", "Forecast from half of the cases, against measured", components)


def _overlays(data: ReportData) -> Section:
    fold = _fold("Truth and prediction, by ratio and depth", _apart(data, lambda variant: galleries(variant.overlays)))
    return Section("overlays", "What the networks see", _present(fold))


def _trainings(data: ReportData) -> Section:
    study, records, known = data.findings.study, data.findings.records, data.findings.known
    d0 = study.facts.get("d0") or None
    components = _present(
        *_apart(data, lambda variant: [training_curves(variant.records, d0, known)]),
        _fold("How long trainings took", (training_times(records),)),
        _fold("Complexity of each depth", (complexity_table(study, records),)),
    )
    return Section("training-curves", "Trainings", components)


def _claims(data: ReportData) -> Section:
    has_answer = bool(data.findings.answer.ranking)
    tables = _apart(data, lambda variant: [claims_table(variant.claims)]) if has_answer else []
    return Section("claims", "Claims of the paper, and this study" if tables else "Claims", tables)


def _exceptions(data: ReportData) -> Section:
    records = data.findings.records
    tables = _present(
        failed_table(records),
        flagged_table(data.findings.answer),
        collapse_table(data.measurements) if data.findings.known.flags else None,
        stopped_table(records),
        skipped_table(records),
    )
    return Section("exceptions", "Cells that failed, were flagged, stopped or skipped", tables)


def _savings(data: ReportData) -> Section:
    return Section("savings", "Savings", _present(savings_table(data.savings)))


def _study(data: ReportData) -> Section:
    findings = data.findings
    study, records = findings.study, findings.records
    components: list[Component] = [
        values_table("Facts of the study", _facts(findings)),
        Fold("A paragraph for a paper or a grant", [Notes((methods_paragraph(findings),))]),
        Fold("Every cell", [cell_table(records, findings.metrics, findings.known)]),
        Fold("What results depend on", [values_table("Identity of the study", study.identity)]),
        Fold("How it was run", [values_table("Values that may change at any start", study.running)]),
        *_present(_fold("What was changed, and when", (changes_table(data.changes),))),
        *_versions(study),
        *_reproduce(study),
        Notes((f"Method: {PAPER}.",)),
    ]
    return Section("study", "The study", components)


def _facts(findings: Findings) -> dict[str, Any]:
    study = findings.study
    if findings.is_imported:
        return _table_facts(findings)
    devices = {record.attempt.device_name for record in findings.records if record.attempt.device_name}
    facts = {
        **{f"{part} cases": len(study.split[part]) for part in ("train", "validation", "test")},
        "dataset fingerprint": study.fingerprint[:SHOWN_FINGERPRINT],
        "policy": recorded_spec(study).policy,
        "changed for this report": list(findings.criteria.changed),
        "devices": sorted(devices),
    }
    return facts | {FACTS.get(name, name): value for name, value in study.facts.items() if name not in SHOWN_APART}


def _table_facts(findings: Findings) -> dict[str, Any]:
    """Of an imported table: what it told, and what it did not."""
    facts = {
        "training cases at ratio 1": len(findings.study.split["train"]),
        "runs": len(findings.records),
        "scores": " and ".join(dict.fromkeys((findings.known.validation, findings.known.test))),
        "not known": untold(findings.known),
        "changed for this report": list(findings.criteria.changed),
    }
    return {name: value for name, value in facts.items() if value}


def _versions(study: StudyRecord) -> Iterator[Component]:
    versions = study.facts.get("versions", {})
    if versions:
        yield Fold("Versions", [values_table("Versions at the first start", versions)])


def _reproduce(study: StudyRecord) -> Iterator[Component]:
    yield Notes(("This page is written again by",))
    yield Code(f"dicecurve report {shlex.quote(study.name)}")
    if recorded_spec(study).training is not None:
        yield Fold(
            "How to run it again",
            [
                Notes(("With this text in study.toml, and the same data and versions:",)),
                Code("dicecurve run study.toml --data DIR"),
                Code(spec_toml(study)),
            ],
        )


def _apart(data: ReportData, make: Callable[[VariantData], Sequence[Shown | None]]) -> list[Component]:
    """What is made of each variant apart; it bears the variant's name where there is one besides the protocol's own."""
    made = [(variant.name, shown) for variant in data.variants for shown in make(variant) if shown is not None]
    return [shown.of_variant(name) if data.findings.has_variants else shown for name, shown in made]


def _fold(summary: str, components: Iterable[Component | None]) -> Fold | None:
    present = _present(*components)
    return Fold(summary, present) if present else None


def _present(*components: Component | None) -> list[Component]:
    """Those that hold something."""
    return [shown for shown in components if shown is not None and not (isinstance(shown, Table) and not shown.rows)]
