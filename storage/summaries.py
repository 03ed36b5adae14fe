"""Cells with their curves summed up by the database: what `status` and large reports show, however long curves are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from storage import curve_rows, optuna_rows
from storage.cell_rows import cell_of
from storage.engine import reading
from storage.patience import patient
from storage.reads import attempt_of, by_column, cell_records
from storage.records import CellRecord, CurveTotals, Scores
from storage.tables import attempts, cells

if TYPE_CHECKING:
    from storage.ledger import Ledger
    from storage.records import AttemptRecord, Cell

COUNT_COLUMNS = ("validation_counts", "test_counts")


@dataclass(frozen=True)
class CellSummary:
    """A cell as it stands, without its curve.

    Attributes:
        cell: The cell.
        attempt: Its current attempt; `scores` are left out.
        evaluations: How many are recorded.
        best_val_dsc: The best of them, or None.
        device_seconds: Device seconds of these evaluations.
        test_seconds: Device seconds of the test phase.
    """

    cell: Cell
    attempt: AttemptRecord
    evaluations: int = 0
    best_val_dsc: float | None = None
    device_seconds: float = 0.0
    test_seconds: float = 0.0

    @property
    def spent_seconds(self) -> float:
        """Device seconds with the test phase and lost work."""
        return self.device_seconds + self.test_seconds + self.attempt.lost_seconds


@patient
def cell_summaries(ledger: Ledger, study_id: int) -> list[CellSummary]:
    """All cells of a study, in the order of the layout."""
    return [
        CellSummary(
            cell=cell_of(row),
            attempt=attempt_of(row),
            evaluations=row["evaluations"] or 0,
            best_val_dsc=row["best_val_dsc"],
            device_seconds=(row["wall_seconds"] or 0.0) * row["device_share"],
            test_seconds=row["test_seconds"] * row["device_share"],
        )
        for row in _rows(ledger, study_id)
    ]


@patient
def summed_records(ledger: Ledger, study_id: int, whole: int) -> list[CellRecord]:
    """All cells of a study as records whose curves and pixel counts are left out, in the order of the layout.

    Cells that were stopped early keep their curves, and so do up to ``whole`` others, spread over the layout.
    """
    records = [_summed(row) for row in _rows(ledger, study_id)]
    begun = [record for record in records if record.totals.evaluations]
    keys = {record.cell.plan.key for record in begun if record.attempt.stop_reason is not None}
    keys |= {record.cell.plan.key for record in begun[:: max(1, -(-len(begun) // whole))]}
    curves = {record.cell.plan.key: record.curve for record in cell_records(ledger, study_id, sorted(keys))}
    return [replace(record, curve=curves.get(record.cell.plan.key, ())) for record in records]


def _summed(row: dict[str, Any]) -> CellRecord:
    best = row["best_evaluation"]
    return CellRecord(
        cell=cell_of(row),
        attempt=attempt_of(row, None if best is None else Scores(best, (), (), row["test_seconds"])),
        known_totals=CurveTotals(
            row["evaluations"] or 0,
            row["last_step"] or 0,
            row["best_val_dsc"],
            row["train_seconds"] or 0.0,
            row["val_seconds"] or 0.0,
        ),
    )


def _rows(ledger: Ledger, study_id: int) -> list[dict[str, Any]]:
    curve = curve_rows.sums(
        sa.select(attempts.c.id).join(cells, cells.c.id == attempts.c.cell_id).where(cells.c.study_id == study_id)
    )
    trials = optuna_rows.trials
    query = (
        sa.select(
            cells,
            *(column for column in attempts.c if column.name not in COUNT_COLUMNS),
            trials.c.number.label("trial_number"),
            *(column for column in curve.c if column.name != "attempt_id"),
        )
        .join(attempts, (attempts.c.cell_id == cells.c.id) & (attempts.c.number == cells.c.attempt))
        .join(trials, trials.c.trial_id == attempts.c.trial_id)
        .join(curve, curve.c.attempt_id == attempts.c.id, isouter=True)
        .where(cells.c.study_id == study_id)
        .order_by(cells.c.id)
    )
    with reading(ledger.engine) as connection:
        return [by_column(row) for row in connection.execute(query)]
