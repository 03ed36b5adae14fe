"""Recorded surfaces: tables of evaluations that were measured once, read for a replay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.replay import RecordedRun
from search.space import RATIO_PLACES, cell_key
from storage.errors import InputError
from storage.records import CellPlan, Evaluation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

NEEDED = ("depth", "ratio", "val_dsc")
DEFAULT_CASES = 1000  # at ratio 1, where a table has no numbers of cases
BATCH = 16  # where a table has no steps


def recorded_runs(table: pd.DataFrame, source: str, parameters: Mapping[int, int]) -> list[RecordedRun]:
    """Every training of a table.

    Args:
        table: A row an evaluation. Columns depth, ratio, val_dsc; evaluation or epoch; train_seconds and val_seconds,
            or seconds, of that evaluation alone; optional: cases, seed, step, epoch, test_dsc.
        source: Where it comes from, for messages.
        parameters: Of the network, by depth.

    Raises:
        InputError: A column is missing, or a value is not what it should be.
    """
    whole = _complete(table, source)
    runs = []
    for _, rows in whole.groupby(["depth", "cases", "seed"], sort=True):
        ordered = rows.sort_values("evaluation")
        depth, cases, seed = (int(ordered[name].iloc[0]) for name in ("depth", "cases", "seed"))
        ratio = float(ordered["ratio"].iloc[0])
        plan = CellPlan(cell_key(ratio, depth, seed), ratio, depth, seed, cases, parameters[depth])
        runs.append(RecordedRun(plan, _curve(ordered), tuple(ordered["test_dsc"].astype(float))))
    _same_length(runs, source)
    return runs


def _complete(table: pd.DataFrame, source: str) -> pd.DataFrame:
    """The table with every column that a replay reads."""
    _check_columns(table, source)
    whole = table.copy()
    whole["ratio"] = whole["ratio"].round(RATIO_PLACES)
    if "cases" not in whole:
        whole["cases"] = (whole["ratio"] * DEFAULT_CASES).round().clip(lower=1).astype(int)
    if "seconds" in whole and "train_seconds" not in whole:
        whole["train_seconds"] = whole["seconds"]
    for name, value in (("seed", 0), ("train_seconds", 1.0), ("val_seconds", 0.0)):
        whole[name] = whole.get(name, value)
    whole["test_dsc"] = whole.get("test_dsc", whole["val_dsc"]).fillna(whole["val_dsc"])
    order = whole["evaluation" if "evaluation" in whole else "epoch"]
    by_cell = [whole["depth"], whole["cases"], whole["seed"]]
    whole["evaluation"] = order.groupby(by_cell).rank(method="first").astype(int)
    whole["epoch"] = whole.get("epoch", whole["evaluation"].astype(float))
    whole["step"] = whole.get("step", (whole["epoch"] * whole["cases"] / BATCH).round().clip(lower=1).astype(int))
    return whole


def _check_columns(table: pd.DataFrame, source: str) -> None:
    missing = [name for name in NEEDED if name not in table]
    if missing or not {"evaluation", "epoch"} & set(table):
        raise InputError(
            f"{source} lacks the column {(missing or ['evaluation (or epoch)'])[0]!r}; a surface has the columns depth,"
            " ratio, evaluation or epoch, val_dsc, and optionally test_dsc, cases, seed, step and seconds"
        )
    for name in NEEDED:
        if table[name].isna().any():
            raise InputError(f"{source} has a row without {name}; every evaluation needs one")


def _curve(rows: pd.DataFrame) -> tuple[Evaluation, ...]:
    names = ["evaluation", "epoch", "step", "val_dsc", "train_seconds", "val_seconds"]
    return tuple(
        Evaluation(int(e), float(epoch), int(step), float(dsc), float(train), float(val))
        for e, epoch, step, dsc, train, val in rows[names].itertuples(index=False)
    )


def _same_length(runs: Sequence[RecordedRun], source: str) -> None:
    lengths = {len(run.curve) for run in runs}
    if len(lengths) > 1:
        raise InputError(
            f"{source} has runs of {min(lengths)} and of {max(lengths)} evaluations; a replay needs all of them to the "
            "full budget"
        )
