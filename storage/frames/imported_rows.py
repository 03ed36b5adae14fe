"""The rows of an imported study: the tables of its files as rows of the ledger and of Optuna."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd

from storage.database.tables import evaluations
from storage.ledger import attempt_rows, cell_rows, optuna_rows, order_rows, study_rows
from storage.records import CellState, SkipForecast
from storage.variants import OWN

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    import sqlalchemy as sa

Row = dict["Hashable", Any]
AttemptIds = dict[tuple[str, int], tuple[int, int]]  # (attempt id, trial id) by cell and number of the attempt

_CELL_COLUMNS = ("ratio", "depth", "seed", "num_cases", "parameters", "role", "attempt", "losses", "claims")
_ATTEMPT_COLUMNS = ("device", "device_share", "device_name", "planned_steps", "failure", "lost_seconds")
_CURVE_COLUMNS = tuple(column.name for column in evaluations.c if column.name != "attempt_id")
_SECONDS = ("train_seconds", "val_seconds")  # which an imported table may not tell
_ENDS = ("mean", "lower", "upper")


def insert_study(connection: sa.Connection, study_id: int, tables: Mapping[str, list[Row]]) -> None:
    """Insert what the tables of `study_frames.py` tell of a study that has no cells yet, in one transaction.

    Args:
        connection: Inside the transaction.
        study_id: The study.
        tables: By name, a dictionary a row; a missing value is None.
    """
    study_rows.lock(connection, study_id)
    for seed, cases in _orders(tables["orders"]).items():
        order_rows.insert(connection, study_id, seed, cases)
    attempt_ids = _insert_attempts(connection, study_id, _insert_cells(connection, study_id, tables), tables)
    _insert_curves(connection, tables["curves"], attempt_ids)
    for row in tables["changes"]:
        changed_at = pd.Timestamp(row["changed_at"]).to_pydatetime()
        changes, versions = json.loads(row["changes"]), json.loads(row["versions"])
        study_rows.insert_change(connection, study_id, changed_at, changes, versions)


def _orders(rows: list[Row]) -> dict[int, list[str]]:
    orders: dict[int, list[str]] = {}
    for row in sorted(rows, key=lambda row: (row["seed"], row["position"])):
        orders.setdefault(row["seed"], []).append(row["case"])
    return orders


def _insert_cells(connection: sa.Connection, study_id: int, tables: Mapping[str, list[Row]]) -> dict[str, int]:
    """Ids of the cells by their keys."""
    skips = {row["cell"]: row for row in tables["skips"]}
    rows = [
        _cell_columns(row) | _skip_columns(skips.get(row["cell"])) | {"study_id": study_id} for row in tables["cells"]
    ]
    ids = cell_rows.insert_rows(connection, rows)
    return {row["key"]: cell_id for row, cell_id in zip(rows, ids, strict=True)}


def _insert_attempts(
    connection: sa.Connection, study_id: int, cell_ids: Mapping[str, int], tables: Mapping[str, list[Row]]
) -> AttemptIds:
    """Attempts with their trials, told where they have ended."""
    cells = {row["cell"]: row for row in tables["cells"]}
    costs, scores = tables["costs"], _scores(tables["cases"], tables["curves"])
    forecasts = {(row["cell"], row["attempt"]): row for row in tables["forecasts"]}
    plans = [cell_rows.plan_of(_cell_columns(cells[row["cell"]])) for row in costs]
    trials = optuna_rows.add_waiting_trials(connection, study_id, plans) if plans else []
    attempt_ids: AttemptIds = {}
    for row, (trial_id, _) in zip(costs, trials, strict=True):
        key, number = row["cell"], row["attempt"]
        current = cells[key] if number == cells[key]["attempt"] else None
        columns = _attempt_columns(row) | _forecast_columns(forecasts.get((key, number)))
        if current is not None:
            columns |= scores.get(key, {}) | {"told_dsc": current.get("told_dsc")}
        attempt_id = attempt_rows.insert(connection, cell_id=cell_ids[key], trial_id=trial_id, **columns)
        attempt_ids[key, number] = attempt_id, trial_id
        _tell(connection, trial_id, current, row["failure"])
    return attempt_ids


def _tell(connection: sa.Connection, trial_id: int, cell: Row | None, failure: str | None) -> None:
    """Tell Optuna the end of a cell's current attempt, or without a cell that of an earlier one."""
    state = CellState.FAILED if cell is None else _state(cell)
    if not state.is_open:
        facts = {"state": state.value} | ({"failure": failure} if failure else {})
        value = None if cell is None else cell["best_val_dsc"]
        optuna_rows.tell(connection, trial_id, state=optuna_rows.TOLD[state], value=value, facts=facts)


def _insert_curves(connection: sa.Connection, curves: Sequence[Row], attempt_ids: AttemptIds) -> None:
    rows = [
        {name: row.get(name) for name in _CURVE_COLUMNS}
        | {name: row[name] or 0.0 for name in _SECONDS}
        | {"attempt_id": attempt_ids[row["cell"], row["attempt"]][0]}
        for row in curves
    ]
    attempt_rows.insert_curves(connection, rows, dict(attempt_ids.values()))


def _scores(cases: Sequence[Row], curves: Sequence[Row]) -> dict[str, dict[str, Any]]:
    """Columns of `attempts` by cell: pixel counts and the evaluation that they are of, the first of the best ones."""
    columns: dict[str, dict[str, Any]] = {}
    for row in cases:
        counts = columns.setdefault(row["cell"], {"validation_counts": [], "test_counts": []})
        counts[f"{row['part']}_counts"].append([int(row[name]) for name in ("tp", "fp", "fn")])
    best: dict[str, tuple[float, int]] = {}
    for row in curves:
        if row["cell"] in columns:
            point = row["val_dsc"], row["evaluation"]
            best[row["cell"]] = max(best.get(row["cell"], (-1.0, 0)), point, key=lambda point: point[0])
    return {key: counts | {"best_evaluation": best.get(key, (0.0, 1))[1]} for key, counts in columns.items()}


def _cell_columns(row: Row) -> dict[str, Any]:
    """Columns of `cells`; that of the variant is in the table only where one was needed."""
    names = {"key": row["cell"], "state": _state(row), "variant": row.get("variant") or OWN}
    return {name: row[name] for name in _CELL_COLUMNS} | names | {"parameters": row["parameters"] or 0}


def _state(row: Row) -> CellState:
    """That of a cell; an open one waits."""
    state = CellState(row["state"])
    return CellState.WAITING if state.is_open else state


def _skip_columns(row: Row | None) -> dict[str, Any]:
    """Columns of `cells`."""
    forecast = None if row is None else SkipForecast(row["reason"], *(row[f"forecast_{name}"] for name in _ENDS))
    return cell_rows.skip_columns(forecast)


def _attempt_columns(row: Row) -> dict[str, Any]:
    """Columns of `attempts`, from a row of costs."""
    share = row["device_share"]
    return {
        **{name: row[name] for name in _ATTEMPT_COLUMNS},
        "number": row["attempt"],
        "lost_seconds": row["lost_seconds"] or 0.0,
        "test_seconds": (row["test_seconds"] or 0.0) / share if share else 0.0,
        "notes": json.loads(row["notes"]),
        "versions": json.loads(row["versions"]),
    }


def _forecast_columns(row: Row | None) -> dict[str, Any]:
    """Columns of `attempts`, from the row of an attempt that was stopped early."""
    if row is None:
        return {"stop_reason": None, "forecast": None}
    forecast = {name: row[f"forecast_{name}"] for name in (*_ENDS, "method")}
    return {"stop_reason": row["stop_reason"], "forecast": None if forecast["mean"] is None else forecast}
