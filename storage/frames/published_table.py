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

from storage.database.tables import attempts, cells
from storage.errors import InputError
from storage.frames.elapsed_seconds import own_seconds
from storage.frames.exchange import new_study
from storage.frames.table_checks import VARIANT, check_columns, check_rows, check_values, variant_column
from storage.ledger import attempt_rows, cell_rows, study_rows
from storage.records import CellPlan, CellState, Evaluation
from storage.variants import key_part

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from storage.ledger.ledger import Ledger
    from storage.records import StudyRecord

NEEDED = {"depth": ("depth",), "dsc": ("dsc",), "ratio or cases": ("ratio", "cases")}
NUMBERS = ("depth", "dsc", "ratio", "cases", "seed", "epoch", "seconds")
LIMITS = {"dsc": (0, 1), "depth": (1, 100), "ratio": (1e-6, 1), "seconds": (0, float("inf"))}
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
    outside = table["cases"][~table["cases"].between(1, whole)]
    if len(outside):
        raise InputError(
            f"cases must be 1..{whole}, got {outside.iloc[0]:g} in {path.name}; say how many there are with --cases"
        )
    if "epoch" in table:
        table["seconds"] = own_seconds(table, RUN, "epoch", path.name)
    runs = [_run(key, rows) for key, rows in table.groupby(list(RUN), sort=True)]
    twice = next((run.plan.key for run in runs if len(run.curve) > 1), None)
    if "epoch" not in table and twice is not None:
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
        cell_rows.insert(connection, study.study_id, [run.plan for run in runs])
        _fill(connection, study.study_id, {run.plan.key: run for run in runs})
    return study


def _read(path: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read the table {path}: {error}") from None


def _checked(table: pd.DataFrame, name: str) -> pd.DataFrame:
    table = table.rename(columns=lambda column: str(column).strip().lower())
    may = "it needs depth, dsc and ratio or cases, and may have seed"
    check_columns(table, NEEDED, lambda column: f"{name} has no column {column}; {may}")
    check_rows(table, f"{name} has no rows")
    variants = variant_column(table, name)
    numbers = pd.DataFrame({column: _numbers(table[column], name) for column in NUMBERS if column in table})
    for column, (low, high) in LIMITS.items():
        if column in numbers:
            right = numbers[column].between(low, high)
            check_values(numbers[column], right, f"{column} must be in {low:g}..{high:g}", name, "{:g}".format)
    defaults = {column: 0 for column in ("seed", "seconds") if column not in numbers}
    return numbers.assign(**defaults, variant=variants).astype({"depth": "int64", "seed": "int64"})


def _numbers(column: pd.Series[Any], name: str) -> pd.Series[float]:
    numbers = pd.to_numeric(column, errors="coerce")
    check_values(column, numbers.notna(), f"{column.name} must be a number", name, lambda value: repr(str(value)))
    return numbers


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
        sa.select(cells.c.id, cells.c.key, attempts.c.id.label("attempt_id"), attempts.c.trial_id)
        .join(attempts, attempts.c.cell_id == cells.c.id)
        .where(cells.c.study_id == study_id)
    )
    for cell in connection.execute(query).all():
        row, curve = cell._asdict(), runs[cell.key].curve
        value = max(point.val_dsc for point in curve)
        attempt_rows.change(connection, row, told_dsc=value, device="gpu", planned_steps=len(curve))
        attempt_rows.insert_curve(connection, row, curve, {})
        cell_rows.close(connection, row, CellState.DONE, value, {"imported": True})
