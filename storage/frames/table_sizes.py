"""How many training cases each row of an imported table stands for, and how many there are in all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from storage.frames.text_table import TextTable

    Numbers = pd.Series[float]

SAME_CASES, SAME_SHARE = 1, 0.05  # by how many cases, or by what share of them, a rounded ratio may differ
OPTION = "--cases"
MOST_CASES = 1_000_000  # each has a name in the study


def sizes_of(table: TextTable, numbers: pd.DataFrame, num_train: int | None) -> tuple[Numbers, int]:
    """Training cases of each row, and their number at ratio 1.

    Args:
        table: Of texts.
        numbers: What these are: `cases`, `ratio` as a share, or both.
        num_train: At ratio 1; None: what cases and ratio say together, else the most cases of any row.

    Raises:
        InputError: Ratios stand alone, cases and ratio contradict each other, or cases exceed their number.
    """
    if num_train is not None and not 1 <= num_train <= MOST_CASES:
        raise InputError(f"{OPTION} must be 1..{MOST_CASES}, got {num_train}; give the number of training cases")
    if "cases" in numbers and numbers["cases"].max() > MOST_CASES:
        line = table.first(numbers["cases"] > MOST_CASES)
        raise InputError(
            f"cases must be 1..{MOST_CASES}, got {table.text('cases', line)} in {table.place(line)}; give the number "
            "of training cases, not of pixels or slices"
        )
    if "cases" not in numbers:
        return _cases_of_ratios(table, numbers["ratio"], num_train)
    cases = numbers["cases"]
    whole = num_train or _most_cases(numbers)
    if "ratio" in numbers:
        _check_agreement(table, cases, numbers["ratio"], whole)
    if cases.max() > whole:
        line = table.first(cases > whole)
        raise InputError(
            f"cases must be 1..{whole}, got {table.text('cases', line)} in {table.place(line)}; say how many there are "
            f"with {OPTION}"
        )
    return cases, whole


def _most_cases(numbers: pd.DataFrame) -> int:
    """At ratio 1: by the row of the most cases whose ratio agrees with those of most rows."""
    if "ratio" not in numbers:
        return int(numbers["cases"].max())
    implied = numbers["cases"] / numbers["ratio"]
    alike = (implied / implied.median() - 1).abs() <= SAME_SHARE
    return round(float(implied[numbers["cases"].where(alike, 0) == numbers["cases"][alike].max()].iloc[0]))


def _check_agreement(table: TextTable, cases: Numbers, ratio: Numbers, whole: int) -> None:
    wrong = (ratio * whole - cases).abs() > (SAME_SHARE * cases).clip(lower=SAME_CASES)
    if wrong.any():
        line = table.first(wrong)
        raise InputError(
            f"ratio must be cases divided by those at ratio 1: {cases[line]:g} of {whole} cases are "
            f"{cases[line] / whole:.4g}, got ratio {ratio[line]:.4g} in {table.place(line)}; correct one of them, drop "
            f"the column ratio, or say how many cases ratio 1 is with {OPTION}"
        )


def _cases_of_ratios(table: TextTable, ratio: Numbers, whole: int | None) -> tuple[Numbers, int]:
    if whole is None:
        raise InputError(
            f"{table.name} has ratios and no numbers of cases; say how many training cases ratio 1 is with {OPTION}, "
            f"such as {OPTION} 800"
        )
    cases = (ratio * whole).round()
    for number, ratios in ratio.groupby(cases):
        if number < 1 or ratios.min() < ratios.max():
            raise InputError(_no_size_of_its_own(table, ratios, whole, int(number)))
    return cases, whole


def _no_size_of_its_own(table: TextTable, ratios: Numbers, whole: int, number: int) -> str:
    one, *others = dict(zip(ratios, ratios.index, strict=True)).items()
    rule = f"each ratio must be a number of cases of its own, but of {whole} cases ratio {one[0]:.4g}"
    if number < 1:
        return f"{rule} is none, in {table.place(one[1])}; correct it, or {OPTION}"
    return (
        f"{rule} and {others[0][0]:.4g} are both {number}, in {table.places([one[1], others[0][1]])}; correct one, or "
        f"{OPTION}"
    )
