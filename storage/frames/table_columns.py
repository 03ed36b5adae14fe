"""The columns of an imported table, read and checked one by one: which there are, and numbers in their ranges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pandas as pd

from storage.errors import InputError
from storage.frames.elapsed_seconds import own_seconds
from storage.frames.run_flags import FLAG
from storage.frames.table_checks import VARIANT
from storage.frames.table_numbers import are_percentages, check_complete, check_range, numbers_of
from storage.frames.table_runs import RUN
from storage.variants import is_variant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from storage.frames.text_table import TextTable

Scores = Literal["dsc", "validation", "test", "both"]

DSC, RATIO = ("dsc", "val_dsc", "test_dsc"), ("ratio",)
WHOLE = ("depth", "cases", "seed", "evaluation", "step")
TRAIN, VALIDATION, SECONDS = "train_seconds", "val_seconds", "seconds"
ORDERS = ("evaluation", "epoch")  # what evaluations are numbered by, the first that is there
NUMBERS = (*WHOLE, *RATIO, *DSC, "epoch", SECONDS, TRAIN, VALIDATION)
NEEDED = {"depth": ("depth",), "dsc": DSC, "ratio or cases": ("ratio", "cases")}
MOST = float("inf")
LIMITS = {
    "depth": (1, 100, "1..100"),
    "cases": (1, MOST, "1 or more"),
    "seed": (0, MOST, "0 or more"),
    "step": (1, MOST, "1 or more"),
    "ratio": (1e-6, 1, "above 0 and at most 1, or a percentage"),
    **dict.fromkeys(DSC, (0, 1, "in 0..1, or a percentage")),
    **dict.fromkeys((SECONDS, TRAIN, VALIDATION), (0, MOST, "0 or more")),
}


@dataclass(frozen=True, eq=False)
class Columns:
    """What the columns of a table hold.

    Attributes:
        table: Of texts.
        numbers: Its columns of `NUMBERS`, shares as shares; NaN in test_dsc alone, where nothing is told.
        variants: Of each row.
        percentages: Columns that were read as percentages.
    """

    table: TextTable
    numbers: pd.DataFrame
    variants: pd.Series[str]
    percentages: tuple[str, ...]

    @property
    def scores(self) -> Scores:
        """Which cases its DSC are measured on: unknown ones, or those that its columns name."""
        if "dsc" in self.numbers:
            return "dsc"
        named: dict[bool, Scores] = {True: "both", False: "validation"}
        return named["test_dsc" in self.numbers] if "val_dsc" in self.numbers else "test"

    @property
    def order(self) -> str | None:
        """The column that evaluations of a run are numbered by; None where each row is a run."""
        return next((name for name in ORDERS if name in self.numbers), None)

    @property
    def has_seconds(self) -> bool:
        """Whether it tells what runs took."""
        return SECONDS in self.numbers or TRAIN in self.numbers

    @property
    def not_read(self) -> list[str]:
        """Names of its other columns."""
        return [name for name in self.table.columns if name not in {*NUMBERS, VARIANT, FLAG}]

    def rows(self, cases: pd.Series[float]) -> pd.DataFrame:
        """What runs are made of: as `runs_of` reads it, with these numbers of cases."""
        decisive = self.numbers[_decisive(self.numbers)]
        kept = [name for name in ("depth", "seed", "step", *ORDERS) if name in self.numbers]
        rows = self.numbers[kept].assign(cases=cases, variant=self.variants, val_dsc=decisive)
        test = self.numbers["test_dsc"] if self.scores == "both" else float("nan")
        return rows.assign(test_dsc=test, **dict(self._seconds(rows)))

    def _seconds(self, rows: pd.DataFrame) -> Iterator[tuple[str, pd.Series[float]]]:
        """Of training and of validation, of each row alone; 0 where none are told, which `has_seconds` says."""
        none = pd.Series(0.0, index=rows.index)
        if TRAIN in self.numbers or SECONDS not in self.numbers:
            yield from ((name, self.numbers.get(name, none)) for name in (TRAIN, VALIDATION))
            return
        whole = rows.assign(seconds=self.numbers[SECONDS])
        run = [name for name in RUN if name in whole]
        yield TRAIN, whole["seconds"] if self.order is None else own_seconds(whole, run, self.order, self.table.name)
        yield VALIDATION, none


def columns_of(table: TextTable) -> Columns:
    """Read and check the columns.

    Raises:
        InputError: The first that is missing, or that holds what it must not.
    """
    _check_presence(table)
    names = [name for name in NUMBERS if table.has(name)]
    for name in names:
        if name != "test_dsc" or "val_dsc" not in names:
            check_complete(table, name)
    numbers = numbers_of(table, names, whole=WHOLE, shares=(*DSC, *RATIO))
    percentages: list[str] = []
    for kind in (DSC, RATIO):
        own = [name for name in names if name in kind]
        if own and are_percentages(table, numbers, own, one_is_low=kind is RATIO):
            percentages += own
            numbers[own] /= 100
    _check_ranges(table, numbers)
    return Columns(table, numbers, _variants(table), tuple(percentages))


def _check_presence(table: TextTable) -> None:
    if table.texts.empty:
        raise InputError(f"{table.name} has no rows")
    for name, columns in NEEDED.items():
        if not any(map(table.has, columns)):
            raise InputError(
                f"{table.name} has no column {name}, or nothing in it; it needs depth, cases or ratio, and dsc (or "
                f"val_dsc, test_dsc), got {', '.join(filter(None, table.columns)) or 'none'}"
            )
    if table.has("dsc") and (table.has("val_dsc") or table.has("test_dsc")):
        raise InputError(
            f"{table.name} must have dsc, or val_dsc and test_dsc, got both kinds; drop the columns that do not count"
        )


def _check_ranges(table: TextTable, numbers: pd.DataFrame) -> None:
    for name, (low, high, rule) in LIMITS.items():
        if name in numbers:
            check_range(table, numbers[name], low, high, rule)
    decisive = _decisive(numbers)
    if numbers[decisive].max() == 0:
        raise InputError(
            f"{decisive} must be above 0 in some row, got 0 in every row of {table.name}; correct the column"
        )


def _decisive(numbers: pd.DataFrame) -> str:
    """The column that decides."""
    return next(name for name in ("dsc", "val_dsc", "test_dsc") if name in numbers)


def _variants(table: TextTable) -> pd.Series[str]:
    if VARIANT not in table.texts:
        return pd.Series("", index=table.texts.index)
    variants = table.texts[VARIANT]
    right = variants.map(is_variant).astype(bool)
    if not right.all():
        line = table.first(~right)
        raise InputError(
            "variant must be like loss=dice_ce,optimiser=sgd, its axes in the order of the alphabet, got "
            f"{table.text(VARIANT, line)!r} in {table.place(line)}"
        )
    return variants
