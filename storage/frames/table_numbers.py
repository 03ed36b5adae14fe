"""The numbers of a table of texts: decimal commas or points, percentages or shares, whole numbers; never a guess.

A table has one decimal mark. Thousands are not parted: "1.234" may be 1234 or 1.234, so that it is refused where both
would do. Shares (DSC, ratio) may be percentages: with a percent sign in every value, or where values exceed 1 and each
can be a percentage alone. What could be either is refused.
"""

from __future__ import annotations

import re
from math import isnan
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from storage.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storage.frames.text_table import TextTable

    Texts = pd.Series[str]
    Numbers = pd.Series[float]

NUMBER = re.compile(r"[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?")
GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}[.,]\d{3}")  # which may be thousands, or three decimal places
SEPARATED = re.compile(r"[+-]?\d+(?:[.,' ]\d{3})+(?:[.,]\d*)?")
PERCENT = "%"
WHOLE = 100.0
MOST_SHARE = 1.5  # above 1 and up to here, neither a share nor a likely percentage


class _Value(NamedTuple):
    """One of a table."""

    column: str
    line: int
    number: float


def numbers_of(
    table: TextTable, columns: Sequence[str], *, whole: Sequence[str], shares: Sequence[str]
) -> pd.DataFrame:
    """Columns as numbers, NaN where nothing is known; percent signs of shares are left out.

    Args:
        table: Of texts.
        columns: Those to read, all of which it has.
        whole: Of whole numbers.
        shares: Of shares or percentages, which know no thousands.

    Raises:
        InputError: The first text that is no number, or that may be two.
    """
    texts = {column: table.texts[column] for column in columns}
    for column in (column for column in columns if column in shares):
        texts[column] = texts[column].str.removesuffix(PERCENT).str.strip()
    for column in columns:
        _check(table, column, texts[column].map(_is_number), "a number")
        if column in whole:
            _check(table, column, ~texts[column].map(_is_grouped), "a whole number")
    _check_marks(table, texts, shares)
    numbers = pd.DataFrame({column: _numbers(texts[column]) for column in columns}, index=table.texts.index)
    for column in (column for column in columns if column in whole):
        right = numbers[column].isna() | (numbers[column] % 1 == 0)
        _check(table, column, right, "a whole number")
    return numbers


def are_percentages(table: TextTable, numbers: pd.DataFrame, columns: Sequence[str], *, one_is_low: bool) -> bool:
    """Whether columns of one kind hold percentages.

    Args:
        table: Of texts.
        numbers: What these are.
        columns: Of one kind, which are written alike: all shares, or all percentages.
        one_is_low: Whether a 1 among percentages can only be 1 %.

    Raises:
        InputError: They could be either.
    """
    values = [
        _Value(column, line, number)
        for column in columns
        for line, number in zip(table.lines, numbers[column].to_numpy().tolist(), strict=True)
    ]
    told = [(value, table.text(value.column, value.line)) for value in values if not isnan(value.number)]
    signed = [value for value, text in told if text.endswith(PERCENT)]
    bare = [value for value, text in told if not text.endswith(PERCENT)]
    if signed and bare:
        raise InputError(f"{_both(table, signed[0], bare[0])}; write all with a percent sign, or none")
    if signed or not bare:
        return bool(signed)
    high = max(bare, key=lambda value: value.number)
    if high.number <= 1:
        return False
    if high.number <= MOST_SHARE:
        text = table.text(high.column, high.line)
        raise InputError(f"{high.column} must be in 0..1, or a percentage, got {text} in {table.place(high.line)}")
    low = next((value for value in bare if 0 < value.number < 1 or (value.number == 1 and not one_is_low)), None)
    if low is not None:
        raise InputError(f"{_both(table, low, high)}; write all as shares, or all with a percent sign")
    return True


def check_range(table: TextTable, numbers: Numbers, low: float, high: float, rule: str) -> None:
    """Refuse a number out of range, NaN aside.

    Raises:
        InputError: The rule, the first text that breaks it, and its place.
    """
    column = str(numbers.name)
    _check(table, column, numbers.isna() | numbers.between(low, high), rule)


def check_complete(table: TextTable, column: str) -> None:
    """Refuse a column that is blank in some rows.

    Raises:
        InputError: The first such row.
    """
    blank = table.texts[column] == ""
    if blank.any():
        place = table.place(table.first(blank))
        raise InputError(
            f"{column} must be a number, got nothing in {place}; complete it, or drop the row or the column"
        )


def _is_number(text: str) -> bool:
    return text == "" or NUMBER.fullmatch(text) is not None


def _is_grouped(text: str) -> bool:
    return GROUPED.fullmatch(text) is not None


def _numbers(texts: Texts) -> Numbers:
    return pd.to_numeric(texts.str.replace(",", ".").replace("", None), errors="coerce").astype(float)


def _check(table: TextTable, column: str, right: pd.Series[bool], rule: str) -> None:
    """Refuse the first text of a column that is not right."""
    wrong = ~right.astype(bool)
    if wrong.any():
        line = table.first(wrong)
        text = table.text(column, line)
        hint = "; write it without separators of thousands" if SEPARATED.fullmatch(text) else ""
        raise InputError(f"{column} must be {rule}, got {text!r} in {table.place(line)}{hint}")


def _check_marks(table: TextTable, columns: dict[str, Texts], shares: Sequence[str]) -> None:
    """Refuse a table with two decimal marks, and a comma that may part thousands."""
    cells = [
        (column, line, text)
        for column, texts in columns.items()
        for line, text in zip(table.lines, texts.tolist(), strict=True)
    ]
    point = next(((line, text) for _, line, text in cells if "." in text), None)
    commas = [cell for cell in cells if "," in cell[2]]
    if not commas:
        return
    column, line, text = commas[0]
    if point is not None:
        raise InputError(
            f"a table must have one decimal mark, got {text!r} in {table.place(line)} and {point[1]!r} in "
            f"{table.unit} {point[0]}; write all numbers alike, without separators of thousands"
        )
    if all(column not in shares and _is_grouped(text) for column, _, text in commas):
        raise InputError(
            f"{column} must be one number, got {text!r} in {table.place(line)}: {text.replace(',', '')} or "
            f"{text.replace(',', '.')}? write it with a decimal point, or without separators of thousands"
        )


def _both(table: TextTable, one: _Value, other: _Value) -> str:
    """That two values contradict each other, with their places."""
    return (
        f"{one.column} must be all shares or all percentages, got {table.text(one.column, one.line)} in "
        f"{table.place(one.line)} and {table.text(other.column, other.line)} in {table.unit} {other.line}"
    )
