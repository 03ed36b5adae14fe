"""Tables of single cells: all of them, the failed, the flagged and the stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studies.report.components import Column, Row, Table
from studies.report.text.formatting import NONE, dsc, dsc_with_interval, without_places
from studies.results.known_facts import EVERYTHING, known_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from search.analysis.answer import Answer
    from storage.records import CellRecord
    from studies.results.case_metrics import CaseMetrics
    from studies.results.known_facts import KnownFacts

MOST_CELLS = 2000  # rows of the table of cells, which nobody reads further


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


def flagged_table(answer: Answer) -> Table:
    """Cells that are left out of every fit."""
    known = known_of(answer)
    columns = (
        Column("cell", numeric=False),
        Column("flag", numeric=False),
        *([] if known.one_score else [Column(f"best {known.validation}")]),
        Column(known.test),
    )
    rows = tuple(
        Row(
            (
                cell.key,
                cell.flag.replace("_", " "),
                *([] if known.one_score else [dsc(cell.validation_dsc)]),
                dsc(cell.test_dsc),
            )
        )
        for cell in answer.flagged
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
        NONE if forecast is None else dsc_with_interval(forecast.mean, forecast),
        without_places(record.attempt.stop_reason or ""),
    )


def cell_table(
    records: Sequence[CellRecord], metrics: Mapping[str, CaseMetrics], known: KnownFacts = EVERYTHING
) -> Table:
    """Cells, the first of many; metrics by key."""
    shown = records[:MOST_CELLS]
    more = "" if len(shown) == len(records) else f"; the first {len(shown):,} of {len(records):,}, export has the rest"
    columns = (
        Column("cell", numeric=False),
        Column("state", numeric=False),
        *([Column("evaluations")] if known.curves else []),
        *([] if known.one_score else [Column(f"best {known.validation}")]),
        Column(known.test),
        *([] if known.is_table else [Column("test DSC, pooled")]),
        *([Column("device seconds")] if known.seconds else []),
    )
    rows = tuple(Row(_cell_cells(record, metrics.get(record.cell.plan.key), known)) for record in shown)
    return Table(f"All cells, measured{more}", columns, rows)


def _cell_cells(record: CellRecord, metrics: CaseMetrics | None, known: KnownFacts) -> tuple[str, ...]:
    totals = record.totals
    test = None if metrics is None else metrics.summary["dsc"]
    return (
        record.cell.plan.key,
        record.cell.state.value.replace("_", " "),
        *([str(totals.evaluations)] if known.curves else []),
        *([] if known.one_score else [dsc(totals.best_val_dsc)]),
        dsc(record.attempt.told_dsc if test is None else test.mean),
        *([] if known.is_table else [dsc(None if test is None else test.pooled)]),
        *([f"{record.device_seconds:,.1f}"] if known.seconds else []),
    )
