"""A study as pandas frames with documented columns, read straight from the tables: what `export` writes.

A missing value is None in text columns and NaN in numeric ones. Seconds are device seconds (wall seconds x GPU
fraction, or x CPUs) unless it says otherwise; times are UTC.

cells      cell, variant (where there is one besides the protocol's own), ratio, depth, seed, num_cases, parameters;
           state (a `CellState`); attempt, the current one; role (grid, repeat, confirm); claims; losses, lost workers
           of this attempt; trial_number, Optuna's; evaluations, recorded so far; best_val_dsc; told_dsc, of an
           imported table; stop_reason, failure.
curves     cell, attempt, evaluation (from 1), epoch, step, val_dsc, test_dsc (recorded surfaces only), train_seconds,
           val_seconds (wall seconds of this evaluation alone). Every attempt has its rows.
costs      cell, attempt, trial_number, device, device_share, device_name, planned_steps, checkpoint;
           evaluation_seconds, test_seconds, lost_seconds and their sum spent_seconds; failure, notes (JSON), versions
           (JSON).
forecasts  cell, attempt, stop_reason, and of the last evaluation forecast_mean, forecast_lower, forecast_upper,
           forecast_method; a row for each attempt that was stopped early. Never a measured value.
skips      cell, reason, and forecast_mean, forecast_lower, forecast_upper for one run of it; a row for each cell
           that is not trained, or not for now. Never a measured value.
orders     seed, position (from 1), case: training cases in the order in which they join the subsets; the first n are
           the subset of n cases.
cases      cell, part ("validation", "test"), case, and its pixel counts tp, fp, fn at the best checkpoint.
changes    changed_at, changes (JSON), versions (JSON): what was changed in the spec, when, and under which versions.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import sqlalchemy as sa

from storage.database.engine import reading
from storage.database.retry import with_retries
from storage.database.tables import attempts, cells, spec_changes, studies
from storage.frames.table_surface import TABLE, surface_of_table
from storage.ledger import curve_rows, optuna_rows, order_rows
from storage.variants import OWN

if TYPE_CHECKING:
    from storage.ledger.ledger import Ledger
    from storage.records import StudyRecord

SURFACE_COLUMNS = (
    "depth",
    "cases",
    "ratio",
    "seed",
    "evaluation",
    "epoch",
    "step",
    "val_dsc",
    "test_dsc",
    "train_seconds",
    "val_seconds",
)
_WHOLE_NUMBERS = ("evaluation", "step", "attempt")


@with_retries
def cells_frame(ledger: Ledger, study_id: int) -> pd.DataFrame:
    """A row a cell, in the order of the layout."""
    curve = curve_rows.sums(_attempts_of(study_id))
    query = (
        sa.select(
            cells.c.key.label("cell"),
            sa.func.coalesce(cells.c.variant, OWN).label("variant"),
            *(cells.c[name] for name in ("ratio", "depth", "seed", "num_cases", "parameters", "state", "attempt")),
            sa.func.coalesce(cells.c.role, "grid").label("role"),
            cells.c.claims,
            cells.c.losses,
            optuna_rows.trials.c.number.label("trial_number"),
            sa.func.coalesce(curve.c.evaluations, 0).label("evaluations"),
            curve.c.best_val_dsc,
            attempts.c.told_dsc,
            attempts.c.stop_reason,
            attempts.c.failure,
        )
        .join(attempts, (attempts.c.cell_id == cells.c.id) & (attempts.c.number == cells.c.attempt))
        .join(optuna_rows.trials, optuna_rows.trials.c.trial_id == attempts.c.trial_id)
        .join(curve, curve.c.attempt_id == attempts.c.id, isouter=True)
        .where(cells.c.study_id == study_id)
        .order_by(cells.c.id)
    )
    frame = _frame(ledger, query)
    return frame if (frame["variant"] != OWN).any() else frame.drop(columns="variant")


@with_retries
def curves_frame(ledger: Ledger, study_id: int) -> pd.DataFrame:
    """A row an evaluation, of every attempt."""
    with reading(ledger.engine) as connection:
        numbers = curve_rows.read(connection, _attempts_of(study_id))
    names = _attempt_names(ledger, study_id)
    at = np.searchsorted(names["attempt_id"], numbers[:, 0])
    curves = pd.DataFrame(numbers[:, 1:], columns=list(curve_rows.COLUMNS[1:]))
    curves.insert(0, "cell", names["cell"].array.take(at))
    curves.insert(1, "attempt", names["attempt"].array.take(at))
    curves["test_dsc"] = curves["test_dsc"].where(curves["test_dsc"] != curve_rows.NO_TEST)
    return curves.astype(dict.fromkeys(_WHOLE_NUMBERS, "int64"))


@with_retries
def costs_frame(ledger: Ledger, study_id: int) -> pd.DataFrame:
    """A row an attempt."""
    curve = curve_rows.sums(_attempts_of(study_id))
    share = attempts.c.device_share
    query = (
        sa.select(
            cells.c.key.label("cell"),
            attempts.c.number.label("attempt"),
            optuna_rows.trials.c.number.label("trial_number"),
            *(attempts.c[name] for name in ("device", "device_share", "device_name", "planned_steps", "checkpoint")),
            (sa.func.coalesce(curve.c.wall_seconds, 0.0) * share).label("evaluation_seconds"),
            (attempts.c.test_seconds * share).label("test_seconds"),
            (attempts.c.lost_seconds + attempts.c.unrecorded_seconds).label("lost_seconds"),
            attempts.c.failure,
            attempts.c.notes,
            attempts.c.versions,
        )
        .join(cells, cells.c.id == attempts.c.cell_id)
        .join(optuna_rows.trials, optuna_rows.trials.c.trial_id == attempts.c.trial_id)
        .join(curve, curve.c.attempt_id == attempts.c.id, isouter=True)
        .where(cells.c.study_id == study_id)
        .order_by(attempts.c.id)
    )
    frame = _frame(ledger, query)
    parts = frame[["evaluation_seconds", "test_seconds", "lost_seconds"]]
    frame.insert(list(frame.columns).index("failure"), "spent_seconds", parts.sum(axis=1))
    return _as_json(frame, "notes", "versions")


@with_retries
def forecasts_frame(ledger: Ledger, study_id: int) -> pd.DataFrame:
    """A row for each attempt that was stopped early."""
    query = (
        sa.select(
            cells.c.key.label("cell"), attempts.c.number.label("attempt"), attempts.c.stop_reason, attempts.c.forecast
        )
        .join(cells, cells.c.id == attempts.c.cell_id)
        .where(cells.c.study_id == study_id, attempts.c.stop_reason.is_not(None))
        .order_by(attempts.c.id)
    )
    frame = _frame(ledger, query)
    forecasts = [forecast or {} for forecast in frame.pop("forecast")]
    for name in ("mean", "lower", "upper", "method"):
        frame[f"forecast_{name}"] = [forecast.get(name) for forecast in forecasts]
    return frame


@with_retries
def skips_frame(ledger: Ledger, study_id: int) -> pd.DataFrame:
    """A row for each cell that is skipped, for now or for good."""
    query = (
        sa.select(cells.c.key.label("cell"), cells.c.skip.label("reason"), cells.c.skip_forecast)
        .where(cells.c.study_id == study_id, cells.c.skip.is_not(None))
        .order_by(cells.c.id)
    )
    frame = _frame(ledger, query)
    forecasts = frame.pop("skip_forecast")
    for name in ("mean", "lower", "upper"):
        frame[f"forecast_{name}"] = [forecast[name] for forecast in forecasts]
    return frame


@with_retries
def orders_frame(ledger: Ledger, study_id: int) -> pd.DataFrame:
    """A row for each training case of each seed."""
    with reading(ledger.engine) as connection:
        orders = order_rows.read(connection, study_id)
    rows = [(seed, position, case) for seed, order in orders.items() for position, case in enumerate(order, 1)]
    return pd.DataFrame(rows, columns=["seed", "position", "case"])


@with_retries
def cases_frame(ledger: Ledger, study: StudyRecord) -> pd.DataFrame:
    """A row for every scored case of every cell."""
    query = (
        sa.select(cells.c.key, attempts.c.validation_counts, attempts.c.test_counts)
        .join(attempts, (attempts.c.cell_id == cells.c.id) & (attempts.c.number == cells.c.attempt))
        .where(cells.c.study_id == study.study_id, attempts.c.best_evaluation.is_not(None))
        .order_by(cells.c.id)
    )
    with reading(ledger.engine) as connection:
        scored = connection.execute(query).all()
    rows = [
        (row.key, part, name, *counts)
        for row in scored
        for part, of_part in (("validation", row.validation_counts), ("test", row.test_counts))
        for name, counts in zip(study.split[part], of_part, strict=True)
    ]
    return pd.DataFrame(rows, columns=["cell", "part", "case", "tp", "fp", "fn"])


@with_retries
def changes_frame(ledger: Ledger, study_id: int) -> pd.DataFrame:
    """A row a change of the spec, oldest first."""
    query = (
        sa.select(spec_changes.c.changed_at, spec_changes.c.changes, spec_changes.c.versions)
        .where(spec_changes.c.study_id == study_id)
        .order_by(spec_changes.c.id)
    )
    return _as_json(_frame(ledger, query), "changes", "versions")


def surface(ledger: Ledger, study_id: int) -> pd.DataFrame:
    """A row an evaluation of each cell's current attempt: columns `SURFACE_COLUMNS`, after any variant.

    That of an imported table has the columns that the table told.
    """
    plans = cells_frame(ledger, study_id).rename(columns={"num_cases": "cases"})
    several = [name for name in ("variant",) if name in plans]
    current = plans[["cell", "attempt", *several, "depth", "cases", "ratio", "seed", "state"]]
    whole = curves_frame(ledger, study_id).merge(current, on=["cell", "attempt"])
    if plans["told_dsc"].isna().all():
        return whole[[*several, *SURFACE_COLUMNS]]
    return surface_of_table(whole[[*several, *SURFACE_COLUMNS, "state"]], _told(ledger, study_id))


def _told(ledger: Ledger, study_id: int) -> dict[str, Any]:
    """What an imported table told; nothing where an earlier version imported it."""
    with reading(ledger.engine) as connection:
        facts = connection.execute(sa.select(studies.c.facts).where(studies.c.study_id == study_id)).scalar_one()
    told: dict[str, Any] = facts.get(TABLE, {})
    return told


def _attempts_of(study_id: int) -> sa.Select[tuple[int]]:
    return sa.select(attempts.c.id).join(cells, cells.c.id == attempts.c.cell_id).where(cells.c.study_id == study_id)


def _attempt_names(ledger: Ledger, study_id: int) -> pd.DataFrame:
    query = (
        sa.select(attempts.c.id.label("attempt_id"), cells.c.key.label("cell"), attempts.c.number.label("attempt"))
        .join(cells, cells.c.id == attempts.c.cell_id)
        .where(cells.c.study_id == study_id)
        .order_by(attempts.c.id)
    )
    return _frame(ledger, query)


def _frame(ledger: Ledger, query: sa.Select[Any]) -> pd.DataFrame:
    with reading(ledger.engine) as connection:
        result = connection.execute(query)
        rows = [tuple(row) for row in result]  # pandas takes a tuple apart far faster than SQLAlchemy's rows
        return pd.DataFrame.from_records(rows, columns=list(result.keys()))


def _as_json(frame: pd.DataFrame, *names: str) -> pd.DataFrame:
    return frame.assign(**{name: [json.dumps(value) for value in frame[name]] for name in names})
