"""Checks of the tables that people bring: columns that are there, rows, values within their rule, names of variants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from storage.errors import InputError
from storage.variants import OWN, is_variant

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

VARIANT = "variant"  # the column


def check_columns(table: pd.DataFrame, needed: Mapping[str, Collection[str]], message: Callable[[str], str]) -> None:
    """Refuse a table that lacks a column.

    Args:
        table: Any.
        needed: By its name in the message, the columns of which one must be there.
        message: Makes the whole message of the name.

    Raises:
        InputError: The first that is missing.
    """
    missing = next((name for name, columns in needed.items() if not any(column in table for column in columns)), None)
    if missing is not None:
        raise InputError(message(missing))


def check_rows(table: pd.DataFrame, message: str) -> None:
    """Refuse a table without rows.

    Raises:
        InputError: With this message.
    """
    if table.empty:
        raise InputError(message)


def check_values(
    values: pd.Series[Any], right: pd.Series[bool], rule: str, source: str, show: Callable[[Any], str] = str
) -> None:
    """Refuse a column with a value that breaks its rule.

    Args:
        values: Of the column.
        right: Whether each of them follows the rule.
        rule: For the message, such as "seed must be a number".
        source: Where the table comes from, likewise.
        show: Makes a text of a value, likewise.

    Raises:
        InputError: The rule, the first value that breaks it, and its row, from 1.
    """
    if not right.all():
        row = int(right.to_numpy().argmin())
        raise InputError(f"{rule}, got {show(values.iloc[row])} in row {row + 1} of {source}")


def variant_column(table: pd.DataFrame, source: str) -> pd.Series[str]:
    """The variant of each row of a table; the protocol's own where nothing is told.

    Raises:
        InputError: A text is none.
    """
    if VARIANT not in table:
        return pd.Series(OWN, index=table.index)
    variants = table[VARIANT].fillna(OWN).astype(str)
    rule = "variant must be like loss=dice_ce,optimiser=sgd, its axes in the order of the alphabet"
    check_values(variants, variants.map(is_variant).astype(bool), rule, source, repr)
    return variants
