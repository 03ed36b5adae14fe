"""The rows of an imported table as runs: seeds, repeats, and the evaluations of each."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING

from storage.errors import InputError
from storage.records import CellPlan, CellState, Evaluation
from storage.variants import key_part

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from storage.frames.text_table import TextTable

CONFIGURATION = ("variant", "cases", "depth")
RUN = (*CONFIGURATION, "seed")
UNKNOWN = 0  # parameters of a network of which a table tells nothing


@dataclass(frozen=True)
class PublishedRun:
    """One run of the table.

    Attributes:
        plan: Its place in the grid.
        curve: Its evaluations, one where the table tells no more.
        test_curve: Test DSC by evaluation, where the table tells it beside the validation DSC.
        lines: Its rows in the table.
        flag: Why it says nothing of its configuration, or None.
    """

    plan: CellPlan
    curve: tuple[Evaluation, ...]
    test_curve: dict[int, float]
    lines: tuple[int, ...]
    flag: CellState | None = None

    @property
    def best(self) -> Evaluation:
        """The evaluation with the best validation DSC, or with the best DSC of unknown cases; the first of equals."""
        return max(self.curve, key=lambda point: point.val_dsc)

    @property
    def validation_dsc(self) -> float:
        """What decides."""
        return self.best.val_dsc

    @property
    def test_dsc(self) -> float:
        """What estimates: of the same evaluation, the same number where the table tells no other."""
        return self.test_curve.get(self.best.evaluation, self.best.val_dsc)


def with_seeds(table: TextTable, rows: pd.DataFrame, order: str | None) -> pd.DataFrame:
    """The rows, each with the seed of its run: where the table tells none, repeats are numbered from 0.

    Two rows that are alike in every number are taken for one run that was written twice, and refused.

    Args:
        table: Of texts.
        rows: Columns `CONFIGURATION`, and seed where the table has it; dsc, and further numbers.
        order: Column that evaluations of a run are numbered by; None: each row is a run.

    Raises:
        InputError: Two rows are the same run, or the same evaluation of one, or could be.
    """
    if "seed" in rows:
        _check_distinct(table, rows, [*RUN, *([order] if order else [])], "correct or drop one of them")
        return rows
    if order:
        _check_distinct(table, rows, [*CONFIGURATION, order], "give each run its seed in a column seed")
        return rows.assign(seed=0)
    _check_distinct(table, rows, [*rows.columns], "drop one of them, or give each run its seed in a column seed")
    return rows.assign(seed=rows.groupby(list(CONFIGURATION)).cumcount())


def runs_of(rows: pd.DataFrame, whole: int, order: str | None) -> list[PublishedRun]:
    """The runs of a checked table.

    Args:
        rows: Columns `RUN`, val_dsc, test_dsc (NaN where none is told), train_seconds, val_seconds, and where they are
            told epoch, step and the order of evaluations.
        whole: Training cases at ratio 1.
        order: As in `with_seeds`.
    """
    ordered = rows.sort_values(order, kind="stable") if order else rows
    return [_run(own, whole) for _, own in ordered.groupby(list(RUN), sort=True)]


def _check_distinct(table: TextTable, rows: pd.DataFrame, columns: Sequence[str], remedy: str) -> None:
    values = rows[list(columns)]
    again = values.duplicated()
    if not again.any():
        return
    second = table.first(again)
    row = values.loc[second]
    alike = (values.eq(row) | (values.isna() & row.isna())).all(axis=1)
    seed = f" and seed {row['seed']:g}" if "seed" in columns else ""
    raise InputError(
        f"each row must be another run or evaluation, got depth {row['depth']:g} with {row['cases']:g} cases{seed} "
        f"twice, in {table.places([table.first(alike), second])}; {remedy}"
    )


def _run(rows: pd.DataFrame, whole: int) -> PublishedRun:
    depth, num_cases, seed = (int(rows[name].iloc[0]) for name in ("depth", "cases", "seed"))
    variant = str(rows["variant"].iloc[0])
    key = f"cases{num_cases}-depth{depth}{key_part(variant)}-seed{seed}"
    plan = CellPlan(key, round(num_cases / whole, 6), depth, seed, num_cases, UNKNOWN, variant=variant)
    numbers = range(1, len(rows) + 1)
    curve = tuple(
        Evaluation(number, float(epoch), int(step), float(dsc), float(train), float(validation))
        for number, epoch, step, dsc, train, validation in zip(
            numbers,
            rows.get("epoch", numbers),
            rows.get("step", numbers),
            rows["val_dsc"],
            rows["train_seconds"],
            rows["val_seconds"],
            strict=True,
        )
    )
    test = {number: float(dsc) for number, dsc in zip(numbers, rows["test_dsc"], strict=True) if not isnan(dsc)}
    return PublishedRun(plan, curve, test, tuple(map(int, rows.index)))
