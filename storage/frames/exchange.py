"""A study as files: `study.json` and one table each of `frames.py`, as Parquet or CSV; and back into a new study.

Nothing that a report needs is left out: cells, every attempt's curve and cost, forecasts, counts of every case, the
spec with its changes. Checkpoints stay where they are: a cell that was open trains anew when the study goes on.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from storage.database.tables import attempts, cells, evaluations, orders, spec_changes
from storage.errors import InputError, StorageError
from storage.frames.study_frames import (
    cases_frame,
    cells_frame,
    changes_frame,
    costs_frame,
    curves_frame,
    forecasts_frame,
    orders_frame,
    skips_frame,
)
from storage.ledger import optuna_rows, study_rows
from storage.records import CellPlan, CellState
from storage.variants import OWN

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping
    from pathlib import Path

    import sqlalchemy as sa

    from storage.ledger.ledger import Ledger
    from storage.records import StudyRecord

Kind = Literal["parquet", "csv"]
TABLES = ("cells", "curves", "costs", "forecasts", "skips", "cases", "orders", "changes")
PARTS = ("identity", "running", "fingerprint", "split", "groups", "facts")
_CELL_COLUMNS = ("ratio", "depth", "seed", "num_cases", "parameters", "role", "attempt", "losses", "claims")
_ENDS = ("mean", "lower", "upper")
_OPEN = {CellState.WAITING, CellState.CLAIMED, CellState.TEST}

Row = dict["Hashable", Any]


def export_study(ledger: Ledger, study: StudyRecord, folder: Path, kind: Kind) -> None:
    """Write a study into a folder, which is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = {name: value for name, value in asdict(study).items() if name in {"name", *PARTS}}
    (folder / "study.json").write_text(json.dumps(parts, indent=2) + "\n", encoding="utf-8")
    for name, frame in _frames(ledger, study).items():
        if kind == "parquet":
            frame.to_parquet(folder / f"{name}.parquet", index=False)
        else:
            frame.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")


def import_study(ledger: Ledger, folder: Path, name: str | None) -> StudyRecord:
    """Make a new study of what `export_study` wrote, in one transaction for its cells.

    Raises:
        InputError: A file is missing or cannot be read.
        StorageError: A study of that name is there already.
    """
    parts = _read_parts(folder)
    tables = {table: _read_table(folder, table) for table in TABLES}
    study = new_study(ledger, name or parts["name"], {part: parts[part] for part in PARTS})
    with ledger.engine.begin() as connection:
        _Restored(connection, study, tables).insert()
    return study


def new_study(ledger: Ledger, name: str, parts: Mapping[str, Any]) -> StudyRecord:
    """A study that must not be there yet.

    Raises:
        StorageError: It is.
    """
    if ledger.find_study(name) is not None:
        raise StorageError(f"study {name!r} is in this storage already; choose another --name")
    return ledger.create_study(name, **parts)


def _frames(ledger: Ledger, study: StudyRecord) -> dict[str, pd.DataFrame]:
    return {
        "cells": cells_frame(ledger, study.study_id),
        "curves": curves_frame(ledger, study.study_id),
        "costs": costs_frame(ledger, study.study_id),
        "forecasts": forecasts_frame(ledger, study.study_id),
        "skips": skips_frame(ledger, study.study_id),
        "cases": cases_frame(ledger, study),
        "orders": orders_frame(ledger, study.study_id),
        "changes": changes_frame(ledger, study.study_id),
    }


def _read_parts(folder: Path) -> dict[str, Any]:
    try:
        parts: dict[str, Any] = json.loads((folder / "study.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{folder} holds no exported study: study.json: {error}") from None
    missing = [part for part in ("name", *PARTS) if part not in parts]
    if missing:
        raise InputError(f"{folder / 'study.json'} lacks {', '.join(missing)}; export the study again")
    return parts


def _read_table(folder: Path, table: str) -> list[Row]:
    try:
        if (folder / f"{table}.parquet").exists():
            frame = pd.read_parquet(folder / f"{table}.parquet")
        else:
            frame = pd.read_csv(folder / f"{table}.csv", keep_default_na=False, na_values=[""])
    except (OSError, ValueError) as error:
        raise InputError(f"{folder} holds no readable table {table!r}: {error}") from None
    return frame.astype(object).where(frame.notna(), None).to_dict("records")


class _Restored:
    """The rows of an imported study, inside one transaction."""

    def __init__(self, connection: sa.Connection, study: StudyRecord, tables: Mapping[str, list[Row]]) -> None:
        self._connection, self._study, self._tables = connection, study, tables

    def insert(self) -> None:
        """Cells, then their attempts and trials, then curves, orders and changes."""
        study_rows.lock(self._connection, self._study.study_id)
        for seed, cases in self._orders().items():
            self._connection.execute(orders.insert().values(study_id=self._study.study_id, seed=seed, cases=cases))
        cell_ids = self._insert_cells()
        attempt_ids = self._insert_attempts(cell_ids)
        curves = [
            {column.name: row.get(column.name) for column in evaluations.c if column.name != "attempt_id"}
            | {"attempt_id": attempt_ids[row["cell"], row["attempt"]][0]}
            for row in self._tables["curves"]
        ]
        if curves:
            self._connection.execute(evaluations.insert(), curves)
            optuna_rows.add_curves(
                self._connection,
                [
                    (attempt_ids[row["cell"], row["attempt"]][1], row["evaluation"], row["val_dsc"])
                    for row in self._tables["curves"]
                ],
            )
        for row in self._tables["changes"]:
            noted = {name: json.loads(row[name]) for name in ("changes", "versions")}
            when = pd.Timestamp(row["changed_at"]).to_pydatetime()
            values = {"study_id": self._study.study_id, "changed_at": when, **noted}
            self._connection.execute(spec_changes.insert().values(values))

    def _orders(self) -> dict[int, list[str]]:
        found: dict[int, list[str]] = {}
        for row in sorted(self._tables["orders"], key=lambda row: (row["seed"], row["position"])):
            found.setdefault(row["seed"], []).append(row["case"])
        return found

    def _insert_cells(self) -> dict[str, int]:
        skips = {row["cell"]: row for row in self._tables["skips"]}
        rows = [
            {name: row[name] for name in _CELL_COLUMNS}
            | {"key": row["cell"], "study_id": self._study.study_id, "state": _state(row), "variant": _variant(row)}
            | _skip(skips.get(row["cell"]))
            for row in self._tables["cells"]
        ]
        if not rows:
            return {}
        returning = cells.insert().returning(cells.c.id, sort_by_parameter_order=True)
        ids = list(self._connection.execute(returning, rows).scalars())
        return {row["key"]: cell_id for row, cell_id in zip(rows, ids, strict=True)}

    def _insert_attempts(self, cell_ids: Mapping[str, int]) -> dict[tuple[str, int], tuple[int, int]]:
        """(attempt id, trial id) by cell and number of the attempt."""
        by_cell = {row["cell"]: row for row in self._tables["cells"]}
        costs = self._tables["costs"]
        plans = [_plan(by_cell[row["cell"]]) for row in costs]
        trials = optuna_rows.add_waiting_trials(self._connection, self._study.study_id, plans) if plans else []
        scores, forecasts = self._scores(), {(r["cell"], r["attempt"]): r for r in self._tables["forecasts"]}
        found = {}
        for row, (trial_id, _) in zip(costs, trials, strict=True):
            at, cell = (row["cell"], row["attempt"]), by_cell[row["cell"]]
            is_current = row["attempt"] == cell["attempt"]
            values = _attempt(row, cell_ids[row["cell"]], trial_id, forecasts.get(at))
            if is_current:
                values |= scores.get(row["cell"], {}) | {"told_dsc": cell.get("told_dsc")}
            inserted = self._connection.execute(attempts.insert().values(values).returning(attempts.c.id))
            found[at] = inserted.scalar_one(), trial_id
            self._tell(trial_id, cell if is_current else None, row["failure"])
        return found

    def _tell(self, trial_id: int, cell: Row | None, failure: str | None) -> None:
        state = CellState.FAILED if cell is None else _state(cell)
        if state not in _OPEN:
            facts = {"state": state.value} | ({"failure": failure} if failure else {})
            value = None if cell is None else cell["best_val_dsc"]
            shown = optuna_rows.TOLD[state]
            optuna_rows.tell(self._connection, trial_id, state=shown, value=value, facts=facts)

    def _scores(self) -> dict[str, dict[str, Any]]:
        counts: dict[str, dict[str, Any]] = {}
        for row in self._tables["cases"]:
            part = counts.setdefault(row["cell"], {"validation_counts": [], "test_counts": []})
            part[f"{row['part']}_counts"].append([int(row[name]) for name in ("tp", "fp", "fn")])
        best: dict[str, tuple[float, int]] = {}
        for row in self._tables["curves"]:
            if row["cell"] in counts:
                known = best.get(row["cell"], (-1.0, 0))
                best[row["cell"]] = max(known, (row["val_dsc"], row["evaluation"]), key=lambda found: found[0])
        return {cell: found | {"best_evaluation": best.get(cell, (0.0, 1))[1]} for cell, found in counts.items()}


def _state(row: Row) -> CellState:
    state = CellState(row["state"])
    return CellState.WAITING if state in _OPEN else state


def _skip(row: Row | None) -> dict[str, Any]:
    """Columns of `cells`."""
    if row is None:
        return {"skip": None, "skip_forecast": None}
    return {"skip": row["reason"], "skip_forecast": {name: row[f"forecast_{name}"] for name in _ENDS}}


def _plan(row: Row) -> CellPlan:
    names = ("ratio", "depth", "seed", "num_cases", "parameters", "role")
    return CellPlan(key=row["cell"], variant=_variant(row), **{name: row[name] for name in names})


def _variant(row: Row) -> str:
    """Of a row of `cells`, whose column is there only where one was needed."""
    return row.get("variant") or OWN


def _attempt(row: Row, cell_id: int, trial_id: int, forecast: Row | None) -> dict[str, Any]:
    share = row["device_share"]
    return {
        "cell_id": cell_id,
        "number": row["attempt"],
        "trial_id": trial_id,
        **{name: row[name] for name in ("device", "device_share", "device_name", "planned_steps", "failure")},
        "lost_seconds": row["lost_seconds"],
        "test_seconds": row["test_seconds"] / share if share else 0.0,
        "notes": json.loads(row["notes"]),
        "versions": json.loads(row["versions"]),
        "stop_reason": forecast and forecast["stop_reason"],
        "forecast": _forecast(forecast),
    }


def _forecast(row: Row | None) -> dict[str, Any] | None:
    if row is None or row["forecast_mean"] is None:
        return None
    return {name: row[f"forecast_{name}"] for name in (*_ENDS, "method")}
