"""Cells as records, straight from the tables: two queries however many there are. Frames are in `frames.py`."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from storage import optuna_rows
from storage.cell_rows import cell_of
from storage.engine import reading
from storage.patience import patient
from storage.records import AttemptRecord, CellRecord, Evaluation, PlateauForecast, Scores
from storage.tables import attempts, cells, evaluations

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from storage.ledger import Ledger


@patient
def cell_records(ledger: Ledger, study_id: int) -> list[CellRecord]:
    """Every cell with its current attempt and curve, in the order of the layout."""
    return _records(ledger, cells.c.study_id == study_id)


@patient
def cell_record(ledger: Ledger, study_id: int, key: str) -> CellRecord:
    """One cell with its current attempt and curve.

    Raises:
        KeyError: The study has no such cell.
    """
    found = _records(ledger, (cells.c.study_id == study_id) & (cells.c.key == key))
    if not found:
        raise KeyError(key)
    return found[0]


@patient
def spent_seconds(ledger: Ledger, study_id: int) -> float:
    """Device seconds that the study has consumed so far, over all attempts, tests and lost work included."""
    recorded = (
        sa.select(sa.func.sum((evaluations.c.train_seconds + evaluations.c.val_seconds) * attempts.c.device_share))
        .join(attempts, attempts.c.id == evaluations.c.attempt_id)
        .join(cells, cells.c.id == attempts.c.cell_id)
        .where(cells.c.study_id == study_id)
    )
    besides = (
        sa.select(
            sa.func.sum(
                attempts.c.lost_seconds
                + attempts.c.unrecorded_seconds
                + attempts.c.test_seconds * attempts.c.device_share
            )
        )
        .join(cells, cells.c.id == attempts.c.cell_id)
        .where(cells.c.study_id == study_id)
    )
    with reading(ledger.engine) as connection:
        return float(connection.execute(recorded).scalar() or 0.0) + float(connection.execute(besides).scalar() or 0.0)


def _records(ledger: Ledger, which: sa.ColumnElement[bool]) -> list[CellRecord]:
    trials = optuna_rows.trials
    query = (
        sa.select(cells, attempts, trials.c.number.label("trial_number"))
        .join(attempts, (attempts.c.cell_id == cells.c.id) & (attempts.c.number == cells.c.attempt))
        .join(trials, trials.c.trial_id == attempts.c.trial_id)
        .where(which)
        .order_by(cells.c.id)
    )
    with reading(ledger.engine) as connection:
        rows = [_by_column(row) for row in connection.execute(query)]
        curves = _curves(connection, which)
    return [_cell_record(row, curves.get(row["id"], [])) for row in rows]


def _by_column(row: sa.Row[Any]) -> dict[str, Any]:
    # `cells` and `attempts` both have an `id`: the first stands, which is the cell's.
    found: dict[str, Any] = {}
    for name, value in zip(row._fields, row, strict=True):
        found.setdefault(name, value)
    return found


def _curves(connection: sa.Connection, which: sa.ColumnElement[bool]) -> dict[int, list[dict[str, Any]]]:
    query = (
        sa.select(attempts.c.cell_id, evaluations)
        .join(attempts, attempts.c.id == evaluations.c.attempt_id)
        .join(cells, (cells.c.id == attempts.c.cell_id) & (cells.c.attempt == attempts.c.number))
        .where(which)
        .order_by(evaluations.c.attempt_id, evaluations.c.evaluation)
    )
    curves: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in connection.execute(query):
        curves[row.cell_id].append(row._asdict())
    return curves


def _cell_record(row: Mapping[str, Any], points: Sequence[Mapping[str, Any]]) -> CellRecord:
    return CellRecord(
        cell=cell_of(row),
        attempt=_attempt(row),
        curve=tuple(
            Evaluation(p["evaluation"], p["epoch"], p["step"], p["val_dsc"], p["train_seconds"], p["val_seconds"])
            for p in points
        ),
        test_curve={p["evaluation"]: p["test_dsc"] for p in points if p["test_dsc"] is not None},
    )


def _attempt(row: Mapping[str, Any]) -> AttemptRecord:
    return AttemptRecord(
        device=row["device"],
        device_share=row["device_share"],
        device_name=row["device_name"],
        lost_seconds=row["lost_seconds"] + row["unrecorded_seconds"],
        planned_steps=row["planned_steps"],
        stop_reason=row["stop_reason"],
        forecast=None if row["forecast"] is None else PlateauForecast(**row["forecast"]),
        failure=row["failure"],
        scores=None if row["best_evaluation"] is None else _scores(row),
        versions=row["versions"] or {},
        checkpoint=row["checkpoint"],
        notes=tuple(row["notes"] or ()),
        told_dsc=row["told_dsc"],
    )


def _scores(row: Mapping[str, Any]) -> Scores:
    return Scores(
        row["best_evaluation"],
        tuple((tp, fp, fn) for tp, fp, fn in row["validation_counts"]),
        tuple((tp, fp, fn) for tp, fp, fn in row["test_counts"]),
        row["test_seconds"],
    )
