"""Rows of skipped cells inside a transaction: a skip is a note on a free cell until the study closes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from storage.database.tables import cells
from storage.ledger import attempt_rows, cell_rows
from storage.records import CellState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from storage.records import SkipForecast


def replace(connection: sa.Connection, study_id: int, skips: Mapping[str, SkipForecast]) -> None:
    """Note these skips on the cells that are free, and no others."""
    ours = _free(study_id)
    noted = dict(connection.execute(sa.select(cells.c.key, cells.c.skip).where(ours)).all())
    gone = [key for key, reason in noted.items() if reason is not None and key not in skips]
    new = [(key, skip) for key, skip in skips.items() if key in noted and noted[key] != skip.reason]
    changes = [_change(key, skip) for key, skip in [*((key, None) for key in gone), *new]]
    if changes:
        update = (
            cells.update()
            .where(cells.c.study_id == study_id, cells.c.key == sa.bindparam("b_key"), *_conditions())
            .values(skip=sa.bindparam("b_skip"), skip_forecast=sa.bindparam("b_skip_forecast"))
        )
        connection.execute(update, changes)


def close(connection: sa.Connection, study_id: int) -> int:
    """End the skipped cells that are free; returns how many."""
    keys = connection.execute(sa.select(cells.c.key).where(_free(study_id), cells.c.skip.is_not(None))).scalars().all()
    for key in keys:
        row = cell_rows.lock(connection, study_id, key, cells.c.owner.is_(None))
        if row is not None:
            forecast = row["skip_forecast"]
            expected = {f"forecast_val_dsc_{name}": value for name, value in forecast.items()}
            facts = {"skip_reason": row["skip"], **expected}
            cell_rows.close(connection, row, CellState.PRUNED, None, facts)
    return len(keys)


def reopen(connection: sa.Connection, study_id: int) -> int:
    """Let the cells that were closed as skipped wait again; returns how many."""
    closed = (cells.c.study_id == study_id) & (cells.c.state == CellState.PRUNED) & cells.c.skip.is_not(None)
    keys = connection.execute(sa.select(cells.c.key).where(closed)).scalars().all()
    for key in keys:
        row = cell_rows.lock(connection, study_id, key, cells.c.state == CellState.PRUNED)
        if row is not None:
            attempt_rows.follow(connection, row)
            connection.execute(cells.update().where(cells.c.id == row["id"]).values(cell_rows.skip_columns(None)))
    return len(keys)


def _free(study_id: int) -> sa.ColumnElement[bool]:
    return sa.and_(cells.c.study_id == study_id, *_conditions())


def _conditions() -> tuple[sa.ColumnElement[bool], ...]:
    return cells.c.state == CellState.WAITING, cells.c.owner.is_(None)


def _change(key: str, skip: SkipForecast | None) -> dict[str, Any]:
    return {"b_key": key, **{f"b_{name}": value for name, value in cell_rows.skip_columns(skip).items()}}
