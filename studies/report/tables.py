"""The tables of the page, as texts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from studies.report.parts import Column, Row, Table, variant_cells, variant_columns
from studies.report.words import NONE, amount, case_count, dsc, estimate, interval, without_places

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from search.answer import Answer
    from search.depth_answer import DepthAnswer
    from search.ranking import RankedConfiguration
    from storage.records import CellRecord
    from studies.case_metrics import CaseMetrics

MOST_CELLS = 2000  # rows of the table of cells, which nobody reads further
WHERE_THINGS_LIE = {"data_path", "files"}  # running values that would name a place or a person


def ranking_table(found: Answer, currency: str) -> Table:
    """Every configuration, in the order of the ranking."""
    columns = (
        Column("rank"),
        Column("depth"),
        *variant_columns(named=found.has_variants),
        Column("cases"),
        Column("ratio"),
        Column("runs"),
        Column("validation DSC, fitted (decides)"),
        Column("validation DSC, measured"),
        Column("test DSC, measured [90 %]"),
        Column("test DSC, forecast [90 %]"),
        Column(f"price, {currency}"),
        Column(f"{currency} per 0.01 DSC"),
        Column("P(reaches floor)"),
        Column("note", numeric=False),
    )
    rows = tuple(Row(_ranking_cells(row, found), marked=row is found.recommended) for row in found.ranking)
    return Table("Configurations by cost per 0.01 DSC", columns, rows)


def _ranking_cells(row: RankedConfiguration, found: Answer) -> tuple[str, ...]:
    return (
        NONE if row.rank is None else str(row.rank),
        str(row.depth),
        *variant_cells(row.variant, named=found.has_variants),
        str(row.num_cases),
        f"{row.ratio:.4g}",
        str(row.seeds),
        dsc(row.validation_fitted),
        dsc(row.validation_dsc),
        NONE if row.test_dsc is None else estimate(row.test_dsc),
        NONE if row.test_forecast is None else estimate(row.test_forecast),
        f"{'~' if row.seconds_estimated else ''}{amount(row.price)}",
        amount(row.cost_per_dsc),
        NONE if row.p_floor is None else f"{row.p_floor:.2f}",
        ", ".join(_ranking_notes(row, found)),
    )


def _ranking_notes(row: RankedConfiguration, found: Answer) -> Iterator[str]:
    if row is found.recommended:
        yield "recommended"
    if row.is_forecast:
        yield "not trained: forecast"
    if row.confirmed_dsc is not None:
        yield f"fresh seed {dsc(row.confirmed_dsc)}"
    if row.flag is not None:
        yield f"flagged: {row.flag.replace('_', ' ')}"
    elif not row.eligible:
        yield "not eligible"
    elif row.safe:
        yield "safe"


def depth_table(found: Answer) -> Table:
    """What the data curve of each depth says, on test cases."""
    columns = (
        Column("depth"),
        *variant_columns(named=found.has_variants),
        Column("enough cases [90 %]"),
        Column("plateau [90 %]"),
        Column("gain by doubling [90 %]"),
        Column(f"fitted test DSC at {found.num_train} cases [90 %]"),
        Column("flagged"),
        Column("note", numeric=False, long=True),
    )
    return Table("Data curve of each depth", columns, tuple(Row(_depth_cells(each, found)) for each in found.depths))


def _depth_cells(each: DepthAnswer, found: Answer) -> tuple[str, ...]:
    flagged = f"{each.num_flagged} of {each.num_measured}"
    which = (str(each.depth), *variant_cells(each.variant, named=found.has_variants))
    curve = each.on_test
    if curve is None:
        return (*which, NONE, NONE, NONE, NONE, flagged, each.reason or "")
    return (
        *which,
        case_count(curve.sufficient, each.fewest_cases),
        case_count(curve.plateau, each.fewest_cases),
        f"{dsc(curve.doubling_gain)} {interval(curve.doubling_gain_interval)}",
        estimate(curve.dsc),
        flagged,
        "plateau reached" if curve.reached else "no plateau within the data",
    )


def failed_table(records: Sequence[CellRecord]) -> Table:
    """Cells that failed, with the reason."""
    rows = tuple(
        Row((r.cell.plan.key, str(r.cell.attempt), str(r.cell.losses), without_places(r.attempt.failure)))
        for r in records
        if r.attempt.failure is not None
    )
    columns = (
        Column("cell", numeric=False),
        Column("attempt"),
        Column("workers lost"),
        Column("reason", numeric=False, long=True),
    )
    return Table("Failed cells", columns, rows)


def flagged_table(found: Answer) -> Table:
    """Cells that are left out of every fit."""
    columns = (
        Column("cell", numeric=False),
        Column("flag", numeric=False),
        Column("best validation DSC"),
        Column("test DSC"),
    )
    rows = tuple(
        Row((each.key, each.flag.replace("_", " "), dsc(each.validation_dsc), dsc(each.test_dsc)))
        for each in found.flagged
    )
    return Table("Flagged cells, left out of every fit", columns, rows)


def stopped_table(records: Sequence[CellRecord]) -> Table:
    """Cells whose training was ended early; measured and forecast values apart."""
    columns = (
        Column("cell", numeric=False),
        Column("evaluations"),
        Column("best validation DSC, measured"),
        Column("validation DSC, forecast [90 %]"),
        Column("reason", numeric=False, long=True),
    )
    rows = tuple(Row(_stopped_cells(record)) for record in records if record.attempt.stop_reason is not None)
    return Table("Cells stopped early", columns, rows)


def _stopped_cells(record: CellRecord) -> tuple[str, ...]:
    best, forecast = record.best, record.attempt.forecast
    return (
        record.cell.plan.key,
        str(len(record.curve)),
        dsc(None if best is None else best.val_dsc),
        NONE if forecast is None else f"{forecast.mean:.3f} [{forecast.lower:.3f}, {forecast.upper:.3f}]",
        without_places(record.attempt.stop_reason or ""),
    )


def cell_table(records: Sequence[CellRecord], metrics: Mapping[str, CaseMetrics]) -> Table:
    """Cells, the first of many; metrics by key."""
    shown = records[:MOST_CELLS]
    more = "" if len(shown) == len(records) else f"; the first {len(shown):,} of {len(records):,}, export has the rest"
    columns = (
        Column("cell", numeric=False),
        Column("state", numeric=False),
        Column("evaluations"),
        Column("best validation DSC"),
        Column("test DSC"),
        Column("test DSC, pooled"),
        Column("device seconds"),
    )
    rows = tuple(Row(_cell_cells(record, metrics.get(record.cell.plan.key))) for record in shown)
    return Table(f"All cells, measured{more}", columns, rows)


def _cell_cells(record: CellRecord, metrics: CaseMetrics | None) -> tuple[str, ...]:
    totals = record.totals
    test = None if metrics is None else metrics.summary["dsc"]
    return (
        record.cell.plan.key,
        record.cell.state.value.replace("_", " "),
        str(totals.evaluations),
        dsc(totals.best_val_dsc),
        dsc(None if test is None else test.mean),
        dsc(None if test is None else test.pooled),
        f"{record.device_seconds:,.1f}",
    )


def changes_table(changes: Sequence[Mapping[str, Any]]) -> Table:
    """What was changed in the spec since the first start, a row a value."""
    rows = tuple(
        Row(
            (f"{change['changed_at']:%Y-%m-%d %H:%M}", name, *(without_places(_text(value[k])) for k in ("was", "now")))
        )
        for change in changes
        for name, value in json.loads(change["changes"]).items()
        if name not in WHERE_THINGS_LIE
    )
    columns = (
        Column("when, UTC", numeric=False),
        Column("value", numeric=False),
        Column("was", numeric=False, long=True),
        Column("became", numeric=False, long=True),
    )
    return Table("Changes since the first start", columns, rows)


def values_table(caption: str, values: Mapping[str, Any]) -> Table:
    """Nested values, a row each, under dotted names."""
    rows = tuple(Row((name, without_places(_text(value)))) for name, value in _flat(values))
    return Table(caption, (Column("name", numeric=False), Column("value", numeric=False, long=True)), rows)


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if not prefix and name in WHERE_THINGS_LIE:
            continue
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _text(value: Any) -> str:
    if value is None:
        return NONE
    if isinstance(value, (list, tuple)):
        return ", ".join(_text(each) for each in value) or NONE
    return f"{value:.6g}" if isinstance(value, float) else str(value)
