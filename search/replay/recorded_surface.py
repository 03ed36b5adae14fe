"""Recorded surfaces: tables of evaluations that were measured once, read for a replay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from search.grid import RATIO_PLACES, cell_key
from search.replay.simulator import RecordedRun
from storage.errors import InputError
from storage.frames.elapsed_seconds import own_seconds
from storage.frames.table_checks import check_columns, check_rows, check_values, variant_column
from storage.records import CellPlan, Evaluation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NEEDED = {
    **{name: (name,) for name in ("depth", "ratio", "val_dsc")},
    "evaluation (or epoch)": ("evaluation", "epoch"),
}
COLUMNS_TOLD = (
    "a surface has the columns depth, ratio, evaluation or epoch, val_dsc, and optionally test_dsc, variant, cases, "
    "seed, step and seconds"
)
MOST = {"ratio": 1.0, "val_dsc": 1.0, "test_dsc": 1.0}  # of columns that are shares
NUMBERS = (
    *("depth", "ratio", "cases", "seed", "evaluation", "epoch", "step"),
    *("val_dsc", "test_dsc", "seconds", "train_seconds", "val_seconds"),
)
RUN = ("variant", "depth", "cases", "seed")
DEFAULT_CASES = 1000  # at ratio 1, where a table has no numbers of cases
BATCH = 16  # where a table has no steps


def recorded_runs(table: pd.DataFrame, source: str, parameters: Mapping[int, int]) -> list[RecordedRun]:
    """Every training of a table.

    Args:
        table: A row an evaluation. Columns depth, ratio, val_dsc; evaluation or epoch; train_seconds and val_seconds of
            that evaluation alone, or seconds, which may run on within a training; optional: variant, cases, seed,
            step, epoch, test_dsc.
        source: Where it comes from, for messages.
        parameters: Of the network, by depth; taken for those of every variant.

    Raises:
        InputError: A column is missing, or a value is not what it should be.
    """
    whole = _complete(table, source)
    _check_depths(whole, source, parameters)
    runs = []
    for _, rows in whole.groupby(list(RUN), sort=True):
        ordered = rows.sort_values("evaluation")
        depth, cases, seed = (int(ordered[name].iloc[0]) for name in ("depth", "cases", "seed"))
        ratio, variant = float(ordered["ratio"].iloc[0]), str(ordered["variant"].iloc[0])
        key = cell_key(ratio, depth, seed, variant)
        plan = CellPlan(key, ratio, depth, seed, cases, parameters[depth], variant=variant)
        runs.append(RecordedRun(plan, _curve(ordered), tuple(ordered["test_dsc"].astype(float))))
    _same_length(runs, source)
    return runs


def _complete(table: pd.DataFrame, source: str) -> pd.DataFrame:
    """The table with every column that a replay reads."""
    check_columns(table, NEEDED, lambda column: f"{source} lacks the column {column!r}; {COLUMNS_TOLD}")
    whole = _numbers(table, source)
    whole["variant"] = variant_column(table, source)
    whole["ratio"] = whole["ratio"].round(RATIO_PLACES)
    if "cases" not in whole:
        whole["cases"] = (whole["ratio"] * DEFAULT_CASES).round().clip(lower=1).astype(int)
    whole["seed"] = whole.get("seed", 0)
    named = "evaluation" if "evaluation" in whole else "epoch"
    _check_doubles(whole, named, source)
    if "seconds" in whole and "train_seconds" not in whole:
        whole["train_seconds"] = own_seconds(whole, RUN, named, source)
    for name, value in (("train_seconds", 1.0), ("val_seconds", 0.0)):
        whole[name] = whole.get(name, value)
    whole["test_dsc"] = whole.get("test_dsc", whole["val_dsc"]).fillna(whole["val_dsc"])
    by_cell = [whole[name] for name in RUN]
    order = whole[named]
    whole["evaluation"] = order.groupby(by_cell).rank(method="first").astype(int)
    whole["epoch"] = whole.get("epoch", whole["evaluation"].astype(float))
    whole["step"] = whole.get("step", (whole["epoch"] * whole["cases"] / BATCH).round().clip(lower=1).astype(int))
    return whole


def _numbers(table: pd.DataFrame, source: str) -> pd.DataFrame:
    """The columns that a replay reads, as numbers in their range; only test_dsc may be left out of a row."""
    check_rows(table, f"{source} has no rows; a surface has one for each evaluation")
    return pd.DataFrame({name: _in_range(table[name], name, source) for name in NUMBERS if name in table})


def _in_range(column: pd.Series[Any], name: str, source: str) -> pd.Series[float]:
    most = MOST.get(name, float("inf"))
    values = pd.to_numeric(column, errors="coerce")
    right = values.between(0, most) & (values < float("inf")) & ~((name == "ratio") & (values <= 0))
    if name == "test_dsc":
        right |= column.isna()
    limits = "more than 0 and at most 1" if name == "ratio" else f"0 to {most:g}" if most == 1 else "0 or more"
    check_values(column, right, f"{name} must be {limits}", source)
    return values


def _check_depths(whole: pd.DataFrame, source: str, parameters: Mapping[int, int]) -> None:
    wrong = whole["depth"][~whole["depth"].isin(list(parameters))]
    if len(wrong):
        raise InputError(f"depth must be {min(parameters)}..{max(parameters)}, got {wrong.iloc[0]:g} in {source}")


def _check_doubles(whole: pd.DataFrame, order: str, source: str) -> None:
    twice = whole.duplicated([*RUN, order])
    if twice.any():
        which = f"{order} {whole[order][twice].iloc[0]:g}"
        raise InputError(f"{source} has {which} of one run twice; give runs a seed each")


def _curve(rows: pd.DataFrame) -> tuple[Evaluation, ...]:
    names = ["evaluation", "epoch", "step", "val_dsc", "train_seconds", "val_seconds"]
    return tuple(
        Evaluation(int(evaluation), float(epoch), int(step), float(dsc), float(train), float(val))
        for evaluation, epoch, step, dsc, train, val in rows[names].itertuples(index=False)
    )


def _same_length(runs: Sequence[RecordedRun], source: str) -> None:
    lengths = {len(run.curve) for run in runs}
    if len(lengths) > 1:
        raise InputError(
            f"{source} has runs of {min(lengths)} and of {max(lengths)} evaluations; a replay needs all of them to the "
            "full budget"
        )
