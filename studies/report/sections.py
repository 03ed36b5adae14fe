"""The sections of the page: to add one, write a function that gives a `Section` and name it in `sections_of`."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from studies.report.components import Code, Figure, Fold, Notes, Section, Table
from studies.report.figures.cost_bars import cost_bars
from studies.report.figures.data_curves import data_curves
from studies.report.figures.front import front_figure
from studies.report.figures.half_forecasts import error_table, forecast_figure
from studies.report.figures.heatmaps import heatmap
from studies.report.figures.overlays import galleries
from studies.report.figures.score_lines import against_depth, against_ratio, test_error
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
from studies.report.text.methods import PAPER, methods_paragraph
from studies.report.text.spec_toml import spec_toml
from studies.report.text.terminal import footnote
from studies.results.scores import METRICS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from studies.report.components import Gallery, Part
    from studies.report.report_data import ReportData, VariantPart

    Shown = Figure | Table | Gallery

SHOWN_FINGERPRINT = 12
FACTS = {"d0": "validation DSC of calling everything foreground", "channels": "image channels"}
TOLD_APART = ("versions", "flops", "orders")  # facts that have tables of their own, or are too long
RANKING_NOTE = (
    "A configuration is eligible if P is at least 0.5, and safe at 0.9. Its price is that of one training under the "
    "full budget and of its training, validation and test cases; ~ marks an estimated one. A flagged configuration "
    "did not learn, or collapsed: it keeps the score of its best checkpoint, and is left out of every fit."
)
FRONT_NOTE = (
    "A configuration leaves the front if another costs no more and scores no less, or if a mixture of two others does "
    "(extended dominance). Validation DSC decides; gains are paired over replicates."
)
TABLES_NOTE = "Tables 2 and 3 take minutes, and are made on request: dicecurve report --paper-tables."
FUTURE_NOTE = "* reads the very values that it predicts: its backward half sees the future."
COVERAGE_NOTE = (
    "Intervals of the LSTM's forecasts cover 90 % on average over data sets like those it was calibrated on; there is "
    "no guarantee for this one."
)


def sections_of(material: ReportData) -> list[Section]:
    """Those that hold something, the most useful first."""
    found = (
        _plans(material),
        _more_cases(material),
        _ranking(material),
        _scores(material),
        _forecasts(material),
        _overlays(material),
        _trainings(material),
        _claims(material),
        _exceptions(material),
        _savings(material),
        _study(material),
    )
    return [section for section in found if section.parts]


def figures_of(material: ReportData) -> Iterator[Figure]:
    """All figures of the page, folded ones too."""
    for section in sections_of(material):
        yield from _figures(section.parts)


def _figures(parts: Iterable[Part]) -> Iterator[Figure]:
    for part in parts:
        if isinstance(part, Figure):
            yield part
        elif isinstance(part, Fold):
            yield from _figures(part.parts)


def _plans(material: ReportData) -> Section:
    found, currency = material.findings.answer, material.findings.question.prices.currency
    parts = _present(plan_table(found, currency), target_table(found))
    return Section("plans", "How many cases to annotate", parts)


def _more_cases(material: ReportData) -> Section:
    found = material.findings.answer
    figures = _apart(material, lambda part: [data_curves(part.answer, part.fitted)])
    parts = _present(*figures, depth_table(found), backtest_table(found))
    return Section("data-curves", "What more cases bring", parts)


def _ranking(material: ReportData) -> Section:
    found, currency = material.findings.answer, material.findings.question.prices.currency
    if not found.ranking:
        return Section("ranking", "Ranking", ())
    parts = _present(
        cost_bars(found, currency),
        ranking_table(found, currency),
        Notes((footnote(found), RANKING_NOTE)),
        front_figure(found, currency),
        front_table(found, currency),
        Notes((FRONT_NOTE,)),
        buy_table(found, currency),
    )
    return Section("ranking", "Cost per DSC", parts)


def _scores(material: ReportData) -> Section:
    rest = [metric for metric in METRICS if metric != "dsc"]
    parts = _present(
        *_apart(material, lambda part: [heatmap("dsc", part.scored, part.records)]),
        _fold(
            "IoU, recall and precision by ratio and depth",
            _apart(material, lambda part: [heatmap(each, part.scored, part.records) for each in rest]),
        ),
        _fold(
            "Against the ratio, a line a depth",
            _apart(material, lambda part: [against_ratio(each, part.scored) for each in METRICS]),
        ),
        _fold(
            "Against depth, a line a ratio",
            _apart(material, lambda part: [against_depth(each, part.scored) for each in METRICS]),
        ),
        _fold("Test error against the ratio", _apart(material, lambda part: [test_error(part.scored)])),
    )
    return Section("by-ratio-and-depth", "Scores by ratio and depth", parts)


def _forecasts(material: ReportData) -> Section:
    depths = sorted({record.cell.plan.depth for record in material.findings.records})
    figures = _present(*_apart(material, lambda part: [forecast_figure(part.halves, depths)]))
    if not figures and material.paper is None:
        return Section("half", "Forecasts", ())
    tables: list[Part] = [Notes((TABLES_NOTE,))]
    if material.paper is not None:
        tables = [*paper_tables(material.paper), Notes((FUTURE_NOTE,))]
    errors = _apart(material, lambda part: [error_table(part.halves)])
    parts = _present(*figures, Notes((COVERAGE_NOTE,)), *errors)
    return Section(
        "half", "Forecast from half of the cases, against measured", [*parts, Fold("Tables 2 and 3", tables)]
    )


def _overlays(material: ReportData) -> Section:
    fold = _fold("Truth and prediction, by ratio and depth", _apart(material, lambda part: galleries(part.overlays)))
    return Section("overlays", "What the networks see", _present(fold))


def _trainings(material: ReportData) -> Section:
    study, records = material.findings.study, material.findings.records
    parts = _present(
        *_apart(material, lambda part: [training_curves(part.records, study.facts.get("d0") or None)]),
        _fold("How long trainings took", (training_times(records),)),
        _fold("Complexity of each depth", (complexity_table(study, records),)),
    )
    return Section("training-curves", "Trainings", parts)


def _claims(material: ReportData) -> Section:
    tables = _apart(material, lambda part: [claims_table(part.claims)]) if material.findings.answer.ranking else []
    return Section("claims", "Claims of the paper, and this study" if tables else "Claims", tables)


def _exceptions(material: ReportData) -> Section:
    records = material.findings.records
    parts = _present(
        failed_table(records),
        flagged_table(material.findings.answer),
        collapse_table(material.measurements),
        stopped_table(records),
        skipped_table(records),
    )
    return Section("exceptions", "Cells that failed, were flagged, stopped or skipped", parts)


def _savings(material: ReportData) -> Section:
    return Section("savings", "Savings", _present(savings_table(material.savings)))


def _study(material: ReportData) -> Section:
    findings = material.findings
    study, records = findings.study, findings.records
    counts = {part: len(study.split[part]) for part in ("train", "validation", "test")}
    facts = {
        **{f"{part} cases": count for part, count in counts.items()},
        "dataset fingerprint": study.fingerprint[:SHOWN_FINGERPRINT],
        "policy": study.running.get("policy"),
        "changed for this report": list(findings.question.changed),
        "devices": sorted({record.attempt.device_name for record in records if record.attempt.device_name}),
    }
    rest = {FACTS.get(name, name): value for name, value in study.facts.items() if name not in TOLD_APART}
    parts: list[Part] = [
        values_table("Facts of the study", facts | rest),
        Fold("A paragraph for a paper or a grant", [Notes((methods_paragraph(findings),))]),
        Fold("Every cell", [cell_table(records, findings.metrics)]),
        Fold("What results depend on", [values_table("Identity of the study", study.identity)]),
        Fold("How it was run", [values_table("Values that may change at any start", study.running)]),
        *_present(_fold("What was changed, and when", (changes_table(material.changes),))),
        *_versions(material),
        *_reproduce(material),
        Notes((f"Method: {PAPER}.",)),
    ]
    return Section("study", "The study", parts)


def _versions(material: ReportData) -> Iterator[Part]:
    versions = material.findings.study.facts.get("versions", {})
    if versions:
        yield Fold("Versions", [values_table("Versions at the first start", versions)])


def _reproduce(material: ReportData) -> Iterator[Part]:
    study = material.findings.study
    name = shlex.quote(study.name)
    yield Notes(("This page is written again by",))
    yield Code(f"dicecurve report {name}")
    if "training" in study.identity:
        yield Fold(
            "How to run it again",
            [
                Notes(("With this text in study.toml, and the same data and versions:",)),
                Code("dicecurve run study.toml --data DIR"),
                Code(spec_toml(study)),
            ],
        )


def _apart(material: ReportData, make: Callable[[VariantPart], Sequence[Shown | None]]) -> list[Part]:
    """What is made of each variant apart; it bears the variant's name where there is one besides the protocol's own."""
    made = [(part.variant, each) for part in material.parts for each in make(part) if each is not None]
    return [each.of_variant(variant) if material.findings.has_variants else each for variant, each in made]


def _fold(summary: str, parts: Iterable[Part | None]) -> Fold | None:
    present = _present(*parts)
    return Fold(summary, present) if present else None


def _present(*parts: Part | None) -> list[Part]:
    """The parts that hold something."""
    return [part for part in parts if part is not None and not (isinstance(part, Table) and not part.rows)]
