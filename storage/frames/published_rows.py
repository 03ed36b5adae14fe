"""A table that was read as the cells of a study, all of them finished."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from storage.database.tables import attempts, cells
from storage.frames.exchange import new_study
from storage.frames.table_surface import TABLE
from storage.ledger import attempt_rows, cell_rows, study_rows
from storage.records import CellState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from storage.frames.published_table import PublishedTable
    from storage.frames.table_runs import PublishedRun
    from storage.ledger.ledger import Ledger
    from storage.records import StudyRecord


def import_published(ledger: Ledger, name: str, table: PublishedTable, running: Mapping[str, Any]) -> StudyRecord:
    """Make a finished study of a table; `running` holds prices, tolerance and target.

    Raises:
        StorageError: A study of that name is there already.
    """
    told = {
        "scores": table.scores,
        "columns": list(table.columns),
        "seconds": table.has_seconds,
        "flags": table.has_flags,
    }
    parts = {
        "identity": {"data": {"kind": "imported"}},
        "running": dict(running),
        "fingerprint": "imported",
        "split": {"train": [f"case {i + 1}" for i in range(table.num_train)], "validation": [], "test": []},
        "groups": {},
        "facts": {TABLE: told},
    }
    study = new_study(ledger, name, parts)
    with ledger.engine.begin() as connection:
        study_rows.lock(connection, study.study_id)
        cell_rows.insert(connection, study.study_id, [run.plan for run in table.runs])
        _fill(connection, study.study_id, {run.plan.key: run for run in table.runs}, has_seconds=table.has_seconds)
    return study


def _fill(connection: sa.Connection, study_id: int, runs: Mapping[str, PublishedRun], *, has_seconds: bool) -> None:
    """Curves, values and ends."""
    query = (
        sa.select(cells.c.id, cells.c.key, attempts.c.id.label("attempt_id"), attempts.c.trial_id)
        .join(attempts, attempts.c.cell_id == cells.c.id)
        .where(cells.c.study_id == study_id)
    )
    for cell in connection.execute(query).all():
        row, run = cell._asdict(), runs[cell.key]
        device = "gpu" if has_seconds else None
        attempt_rows.change(connection, row, told_dsc=run.test_dsc, device=device, planned_steps=run.curve[-1].step)
        attempt_rows.insert_curve(connection, row, run.curve, run.test_curve)
        cell_rows.close(connection, row, run.flag or CellState.DONE, run.validation_dsc, {"imported": True})
