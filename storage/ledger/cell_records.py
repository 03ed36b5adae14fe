"""Cells as records, whole or with their curves summed up by the database. DataFrames are made in `storage.frames`."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from storage.database.engine import reading
from storage.database.retry import with_retries
from storage.database.tables import attempts, cells, evaluations
from storage.ledger import curve_rows, optuna_rows
from storage.ledger.cell_rows import cell_of
from storage.records import AttemptRecord, CellRecord, CurveTotals, Evaluation, PlateauForecast, Scores

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from storage.ledger.ledger import Ledger

_COUNT_COLUMNS = ("validation_counts", "test_counts")  # of `attempts`; the longest there are


@with_retries
def cell_records(ledger: Ledger, study_id: int, keys: Sequence[str] | None = None) -> list[CellRecord]:
    """Cells with their current attempt and curve, in the order of the layout; those of the keys, or all."""
    ours = cells.c.study_id == study_id
    return _records(ledger, ours if keys is None else ours & cells.c.key.in_(keys))


@with_retries
def cell_record(ledger: Ledger, study_id: int, key: str) -> CellRecord:
    """One cell with its current attempt and curve.

    Raises:
        KeyError: The study has no such cell.
    """
    records = _records(ledger, (cells.c.study_id == study_id) & (cells.c.key == key))
    if not records:
        raise KeyError(key)
    return records[0]


@with_retries
def cell_totals(ledger: Ledger, study_id: int) -> list[CellRecord]:
    """All cells of a study as records with totals alone, curves and pixel counts left out, in the order of the layout.

    Scores hold the best evaluation and the seconds of the test.
    """
    curve = curve_rows.sums(
        sa.select(attempts.c.id).join(cells, cells.c.id == attempts.c.cell_id).where(cells.c.study_id == study_id)
    )
    query = _current_attempts(
        *(column for column in attempts.c if column.name not in _COUNT_COLUMNS),
        *(column for column in curve.c if column.name != "attempt_id"),
    ).join(curve, curve.c.attempt_id == attempts.c.id, isouter=True)
    with reading(ledger.engine) as connection:
        rows = connection.execute(query.where(cells.c.study_id == study_id))
        return [_summed_record(_by_column(row)) for row in rows]


@with_retries
def summed_records(ledger: Ledger, study_id: int, whole: int) -> list[CellRecord]:
    """`cell_totals`, some of them with curves.

    Cells that were stopped early keep their curves, and so do up to ``whole`` others, spread over the layout.
    """
    records = cell_totals(ledger, study_id)
    begun = [record for record in records if record.totals.evaluations]
    keys = {record.cell.plan.key for record in begun if record.attempt.stop_reason is not None}
    keys |= {record.cell.plan.key for record in begun[:: max(1, -(-len(begun) // whole))]}
    curves = {record.cell.plan.key: record.curve for record in cell_records(ledger, study_id, sorted(keys))}
    return [replace(record, curve=curves.get(record.cell.plan.key, ())) for record in records]


@with_retries
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
    query = _current_attempts(attempts, attempts.c.id.label("attempt_id")).where(which)
    with reading(ledger.engine) as connection:
        rows = [_by_column(row) for row in connection.execute(query)]
        curves = _curves(connection, which)
    return [_cell_record(row, curves.get(row["attempt_id"], [])) for row in rows]


def _current_attempts(*columns: Any) -> sa.Select[Any]:
    """A row a cell with its trial's number and these columns of its current attempt, in the order of the layout."""
    trials = optuna_rows.trials
    return (
        sa.select(cells, trials.c.number.label("trial_number"), *columns)
        .join(attempts, (attempts.c.cell_id == cells.c.id) & (attempts.c.number == cells.c.attempt))
        .join(trials, trials.c.trial_id == attempts.c.trial_id)
        .order_by(cells.c.id)
    )


def _by_column(row: sa.Row[Any]) -> dict[str, Any]:
    """A row by the names of its columns; of two of the same name (`cells.id`, `attempts.id`) the first stands."""
    values: dict[str, Any] = {}
    for name, value in zip(row._fields, row, strict=True):
        values.setdefault(name, value)
    return values


def _curves(connection: sa.Connection, which: sa.ColumnElement[bool]) -> dict[int, list[list[float]]]:
    """Rows of `curve_rows.COLUMNS` by the id of their attempt."""
    current = sa.select(attempts.c.id).join(
        cells, (cells.c.id == attempts.c.cell_id) & (cells.c.attempt == attempts.c.number)
    )
    curves: dict[int, list[list[float]]] = defaultdict(list)
    for row in curve_rows.read(connection, current.where(which)).tolist():
        curves[int(row[0])].append(row)
    return curves


def _cell_record(row: Mapping[str, Any], points: Sequence[Sequence[float]]) -> CellRecord:
    return CellRecord(
        cell=cell_of(row),
        attempt=_attempt(row, _scores(row)),
        curve=tuple(Evaluation(int(p[1]), p[2], int(p[3]), p[4], p[6], p[7]) for p in points),
        test_curve={int(p[1]): p[5] for p in points if p[5] != curve_rows.NO_TEST},
    )


def _summed_record(row: Mapping[str, Any]) -> CellRecord:
    best = row["best_evaluation"]
    return CellRecord(
        cell=cell_of(row),
        attempt=_attempt(row, None if best is None else Scores(best, (), (), row["test_seconds"])),
        known_totals=CurveTotals(
            row["evaluations"] or 0,
            row["last_step"] or 0,
            row["best_val_dsc"],
            row["train_seconds"] or 0.0,
            row["val_seconds"] or 0.0,
        ),
    )


def _attempt(row: Mapping[str, Any], scores: Scores | None) -> AttemptRecord:
    """A row of `attempts` as a record, with the scores, if any."""
    return AttemptRecord(
        device=row["device"],
        device_share=row["device_share"],
        device_name=row["device_name"],
        lost_seconds=row["lost_seconds"] + row["unrecorded_seconds"],
        planned_steps=row["planned_steps"],
        stop_reason=row["stop_reason"],
        forecast=None if row["forecast"] is None else PlateauForecast(**row["forecast"]),
        failure=row["failure"],
        scores=scores,
        versions=row["versions"] or {},
        checkpoint=row["checkpoint"],
        notes=tuple(row["notes"] or ()),
        told_dsc=row["told_dsc"],
    )


def _scores(row: Mapping[str, Any]) -> Scores | None:
    if row["best_evaluation"] is None:
        return None
    return Scores(
        row["best_evaluation"],
        tuple((tp, fp, fn) for tp, fp, fn in row["validation_counts"]),
        tuple((tp, fp, fn) for tp, fp, fn in row["test_counts"]),
        row["test_seconds"],
    )
