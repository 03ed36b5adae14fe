"""Rows of attempts inside a transaction: curves, checkpoint pointers, costs, and how one attempt follows another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from storage.database.tables import attempts, cells, evaluations
from storage.ledger import cell_rows, optuna_rows
from storage.records import CellState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from storage.records import Evaluation, Scores


def insert(connection: sa.Connection, **values: Any) -> int:
    """Insert an attempt with these columns; returns its id."""
    inserted = connection.execute(attempts.insert().values(values).returning(attempts.c.id))
    return int(inserted.scalar_one())


def change(connection: sa.Connection, row: Mapping[str, Any], **values: Any) -> None:
    """Change columns of a locked cell's current attempt."""
    connection.execute(attempts.update().where(attempts.c.id == row["attempt_id"]).values(**values))


def add_points(
    connection: sa.Connection, row: Mapping[str, Any], points: Sequence[Evaluation], test_curve: Mapping[int, float]
) -> float:
    """Insert the points that are missing; returns the device seconds that went into a known one once more."""
    known = {
        point.evaluation: point
        for point in connection.execute(
            sa.select(evaluations).where(evaluations.c.attempt_id == row["attempt_id"])
        ).all()
    }
    new = [point for point in points if point.evaluation not in known]
    insert_curve(connection, row, new, test_curve)
    last = points[-1] if points else None
    before = None if last is None else known.get(last.evaluation)
    if last is None or before is None:
        return 0.0
    if (last.train_seconds, last.val_seconds) == (before.train_seconds, before.val_seconds):
        return 0.0  # told again; measured again, it would have other seconds
    return last.train_seconds + last.val_seconds


def insert_curve(
    connection: sa.Connection, row: Mapping[str, Any], points: Sequence[Evaluation], test_curve: Mapping[int, float]
) -> None:
    """Insert evaluations of a cell's current attempt, with the test DSC of those that have one."""
    insert_curves(
        connection,
        [
            vars(point) | {"attempt_id": row["attempt_id"], "test_dsc": test_curve.get(point.evaluation)}
            for point in points
        ],
        {row["attempt_id"]: row["trial_id"]},
    )


def insert_curves(connection: sa.Connection, rows: Sequence[Mapping[str, Any]], trial_ids: Mapping[int, int]) -> None:
    """Insert rows of `evaluations`, and show them in Optuna's trials.

    Args:
        connection: Inside a transaction.
        rows: Of any attempts.
        trial_ids: Of each attempt, by its id.
    """
    if rows:
        connection.execute(evaluations.insert(), rows)
        values = [(trial_ids[row["attempt_id"]], row["evaluation"], row["val_dsc"]) for row in rows]
        optuna_rows.add_intermediate_values(connection, values)


def score(connection: sa.Connection, row: Mapping[str, Any], scores: Scores, note: str | None = None) -> None:
    """Note what the test phase counted, and what befell it."""
    change(
        connection,
        row,
        best_evaluation=scores.best_evaluation,
        validation_counts=scores.validation,
        test_counts=scores.test,
        test_seconds=scores.seconds,
        unrecorded_seconds=0.0,
        notes=noted(row, note),
    )


def lose_unrecorded(connection: sa.Connection, row: Mapping[str, Any], note: str | None = None) -> None:
    """Work since the last evaluation is lost, but counted; the note says why."""
    change(
        connection,
        row,
        lost_seconds=attempts.c.lost_seconds + attempts.c.unrecorded_seconds,
        unrecorded_seconds=0.0,
        notes=noted(row, note),
    )


def noted(row: Mapping[str, Any], note: str | None) -> list[str]:
    """The notes of an attempt, with one more."""
    return [*(row["notes"] or ()), *([note] if note else ())]


def fail(connection: sa.Connection, row: Mapping[str, Any], reason: str) -> None:
    """End the attempt and its cell with a reason."""
    lose_unrecorded(connection, row)
    change(connection, row, failure=reason)
    cell_rows.close(connection, row, CellState.FAILED, None, {"failure": reason})


def follow(connection: sa.Connection, row: Mapping[str, Any]) -> None:
    """Let the cell wait again as a new attempt with a trial of its own, from the beginning."""
    number = row["attempt"] + 1
    ((trial_id, _),) = optuna_rows.add_waiting_trials(connection, row["study_id"], [cell_rows.plan_of(row)])
    insert(connection, cell_id=row["id"], number=number, trial_id=trial_id)
    connection.execute(
        cells.update()
        .where(cells.c.id == row["id"])
        .values(state=CellState.WAITING, owner=None, attempt=number, losses=0)
    )
