"""Cells with their curves summed up by the database: what `status` shows, however long the curves are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from storage import curve_rows, optuna_rows
from storage.cell_rows import cell_of
from storage.engine import reading
from storage.patience import patient
from storage.reads import SCORE_COLUMNS, attempt_of, by_column
from storage.tables import attempts, cells

if TYPE_CHECKING:
    from storage.ledger import Ledger
    from storage.records import AttemptRecord, Cell


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
    curve = curve_rows.sums(
        sa.select(attempts.c.id).join(cells, cells.c.id == attempts.c.cell_id).where(cells.c.study_id == study_id)
    )
    trials = optuna_rows.trials
    query = (
        sa.select(
            cells,
            *(column for column in attempts.c if column.name not in SCORE_COLUMNS),
            trials.c.number.label("trial_number"),
            *(curve.c[name] for name in ("evaluations", "best_val_dsc", "wall_seconds")),
        )
        .join(attempts, (attempts.c.cell_id == cells.c.id) & (attempts.c.number == cells.c.attempt))
        .join(trials, trials.c.trial_id == attempts.c.trial_id)
        .join(curve, curve.c.attempt_id == attempts.c.id, isouter=True)
        .where(cells.c.study_id == study_id)
        .order_by(cells.c.id)
    )
    with reading(ledger.engine) as connection:
        rows = [by_column(row) for row in connection.execute(query)]
    return [
        CellSummary(
            cell=cell_of(row),
            attempt=attempt_of(row),
            evaluations=row["evaluations"] or 0,
            best_val_dsc=row["best_val_dsc"],
            device_seconds=(row["wall_seconds"] or 0.0) * row["device_share"],
            test_seconds=row["test_seconds"] * row["device_share"],
        )
        for row in rows
    ]
