"""A table of numbers alone, such as a published one, as a study that has been measured, without any training.

Columns, a row a run, or a row an evaluation where `epoch` is given:

depth    of the network
ratio    share of the training cases, in (0, 1]; or `cases`, their number
dsc      the DSC that was measured
seed     of the run; 0 where the column is missing
variant  of the training, such as loss=dice_ce; none where the column is missing, or empty
epoch    of the evaluation; a run's value is then that of its best one
seconds  device seconds of the run, or of this evaluation, or since the run began; 0 where the column is missing
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import sqlalchemy as sa

from storage.database.tables import attempts, cells, evaluations
from storage.errors import InputError
from storage.frames.elapsed_seconds import own_seconds
from storage.frames.exchange import new_study
from storage.ledger import optuna_rows, study_rows
from storage.ledger.cell_rows import insert
from storage.records import CellPlan, CellState, Evaluation
from storage.variants import OWN, is_variant, key_part

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from storage.ledger.ledger import Ledger
    from storage.records import StudyRecord

NEEDED, ALLOWED = ("depth", "dsc"), ("ratio", "cases", "seed", "epoch", "seconds")
VARIANT = "variant"
RUN = (VARIANT, "cases", "depth", "seed")


@dataclass(frozen=True)
class PublishedRun:
    """One run of the table.

    Attributes:
        plan: Its place in the grid.
        curve: Its evaluations, one where no epochs are given.
    """

    plan: CellPlan
    curve: tuple[Evaluation, ...]


def read_published(path: Path, num_train: int | None) -> tuple[list[PublishedRun], int]:
    """The runs of a table, and how many training cases there are in all.

    Args:
        path: CSV or Parquet.
        num_train: Training cases at ratio 1; None: the most that the column `cases` holds, else 100 %: 100 cases.

    Raises:
        InputError: The first row or column that is not as it must be.
    """
    table = _checked(_read(path), path.name)
    whole = num_train or int(table["cases"].max() if "cases" in table else 100)
    if "cases" not in table:
        table["cases"] = (table["ratio"] * whole).round().astype("int64")
    table["ratio"] = (table["cases"] / whole).round(6)
    if (table["cases"] > whole).any() or (table["cases"] < 1).any():
        bad = table.loc[(table["cases"] > whole) | (table["cases"] < 1), "cases"].iloc[0]
        raise InputError(f"cases must be 1..{whole}, got {bad:g} in {path.name}; say how many there are with --cases")
    if "epoch" in table:
        table["seconds"] = own_seconds(table, RUN, "epoch", path.name)
    runs = [_run(key, rows) for key, rows in table.groupby(list(RUN), sort=True)]
    if "epoch" not in table and any(len(run.curve) > 1 for run in runs):
        twice = next(run.plan.key for run in runs if len(run.curve) > 1)
        raise InputError(f"{twice} stands twice in {path.name}; give each run its own seed, or evaluations an epoch")
    return runs, whole


def import_published(
    ledger: Ledger, name: str, runs: list[PublishedRun], num_train: int, running: Mapping[str, Any]
) -> StudyRecord:
    """Make a finished study of the runs; `running` holds prices, tolerance and target."""
    parts = {
        "identity": {"data": {"kind": "imported"}},
        "running": dict(running),
        "fingerprint": "imported",
        "split": {"train": [f"case {i + 1}" for i in range(num_train)], "validation": [], "test": []},
        "groups": {},
        "facts": {"d0": 0.0},
    }
    study = new_study(ledger, name, parts)
    with ledger.engine.begin() as connection:
        study_rows.lock(connection, study.study_id)
        insert(connection, study.study_id, [run.plan for run in runs])
        _fill(connection, study.study_id, {run.plan.key: run for run in runs})
    return study


def _read(path: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read the table {path}: {error}") from None


def _checked(table: pd.DataFrame, name: str) -> pd.DataFrame:
    table = table.rename(columns=lambda column: str(column).strip().lower())
    missing = [column for column in NEEDED if column not in table]
    if missing or ("ratio" not in table and "cases" not in table):
        lacking = missing[0] if missing else "ratio or cases"
        raise InputError(f"{name} has no column {lacking}; it needs depth, dsc and ratio or cases, and may have seed")
    if table.empty:
        raise InputError(f"{name} has no rows")
    variants = variant_column(table, name)
    table = table[[column for column in (*NEEDED, *ALLOWED) if column in table]]
    for column in table:
        numbers = pd.to_numeric(table[column], errors="coerce")
        if numbers.isna().any():
            row = int(numbers.isna().to_numpy().argmax())
            raise InputError(
                f"{column} must be a number, got {str(table[column].iloc[row])!r} in row {row + 1} of {name}"
            )
        table = table.assign(**{str(column): numbers})
    _refuse_outside(table, "dsc", 0, 1, name)
    _refuse_outside(table, "depth", 1, 100, name)
    if "ratio" in table:
        _refuse_outside(table, "ratio", 1e-6, 1, name)
    if "seconds" in table:
        _refuse_outside(table, "seconds", 0, float("inf"), name)
    defaults = {column: 0 for column in ("seed", "seconds") if column not in table}
    return table.assign(**defaults, variant=variants).astype({"depth": "int64", "seed": "int64"})


def variant_column(table: pd.DataFrame, name: str) -> pd.Series[str]:
    """The variant of each row of a table; the protocol's own where nothing is told.

    Raises:
        InputError: A text is none.
    """
    if VARIANT not in table:
        return pd.Series(OWN, index=table.index)
    found = table[VARIANT].fillna(OWN).astype(str)
    wrong = next((row for row, text in enumerate(found) if not is_variant(text)), None)
    if wrong is not None:
        raise InputError(
            f"variant must be like loss=dice_ce,optimiser=sgd, its axes in the order of the alphabet, got "
            f"{found.iloc[wrong]!r} in row {wrong + 1} of {name}"
        )
    return found


def _refuse_outside(table: pd.DataFrame, column: str, low: float, high: float, name: str) -> None:
    bad = ~table[column].between(low, high)
    if bad.any():
        row = int(bad.to_numpy().argmax())
        raise InputError(
            f"{column} must be in {low:g}..{high:g}, got {table[column].iloc[row]:g} in row {row + 1} of {name}"
        )


def _run(key: Any, rows: pd.DataFrame) -> PublishedRun:
    variant, (num_cases, depth, seed) = str(key[0]), map(int, key[1:])
    ratio = float(rows["ratio"].iloc[0])
    rows = rows.sort_values("epoch") if "epoch" in rows else rows
    epochs = rows["epoch"] if "epoch" in rows else [float(i + 1) for i in range(len(rows))]
    curve = tuple(
        Evaluation(i, float(epoch), i, float(dsc), float(seconds), 0.0)
        for i, (epoch, dsc, seconds) in enumerate(zip(epochs, rows["dsc"], rows["seconds"], strict=True), start=1)
    )
    cell_key = f"cases{num_cases}-depth{depth}{key_part(variant)}-seed{seed}"
    return PublishedRun(CellPlan(cell_key, ratio, depth, seed, num_cases, 0, variant=variant), curve)


def _fill(connection: sa.Connection, study_id: int, runs: Mapping[str, PublishedRun]) -> None:
    """Curves and values; every cell is done."""
    query = (
        sa.select(cells.c.key, attempts.c.id, attempts.c.trial_id)
        .join(attempts, attempts.c.cell_id == cells.c.id)
        .where(cells.c.study_id == study_id)
    )
    for key, attempt_id, trial_id in connection.execute(query).all():
        curve = runs[key].curve
        value = max(point.val_dsc for point in curve)
        told = {"told_dsc": value, "device": "gpu", "planned_steps": len(curve)}
        connection.execute(attempts.update().where(attempts.c.id == attempt_id).values(told))
        connection.execute(evaluations.insert(), [vars(point) | {"attempt_id": attempt_id} for point in curve])
        optuna_rows.add_intermediate_values(connection, trial_id, curve)
        state = CellState.DONE
        facts = {"state": state.value, "imported": True}
        optuna_rows.tell(connection, trial_id, state=optuna_rows.TOLD[state], value=value, facts=facts)
    connection.execute(cells.update().where(cells.c.study_id == study_id).values(state=CellState.DONE))
