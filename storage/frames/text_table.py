"""Tables as people's programs write them, as texts whose lines are known: CSV of any locale, or Parquet.

Columns of CSV may be parted by commas, semicolons (Excel where the comma is decimal), tabs or bars; the file may begin
with a byte order mark or with Excel's "sep=;", may end its lines as Windows does, and may hold blank lines.
"""

from __future__ import annotations

import codecs
import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from storage.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

DELIMITERS = (",", ";", "\t", "|")
DELIMITER_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
WORKBOOKS = (".xlsx", ".xls", ".ods", ".numbers")
BLANKS = {"", "nan", "na", "n/a", "none", "null", "-", "\N{EN DASH}"}  # what stands where a value is not known
SPACES = str.maketrans({"\N{NO-BREAK SPACE}": " ", "\N{NARROW NO-BREAK SPACE}": " ", "\N{MINUS SIGN}": "-"})
LATIN = "cp1252"  # Excel's, where it does not write UTF-8

Rows = list[tuple[int, list[str]]]  # each with the number of its line


@dataclass(frozen=True, eq=False)
class TextTable:
    """A table of texts.

    Attributes:
        name: Of its file, for messages.
        texts: A column each, under its name in small letters, without surrounding blanks; "" where nothing is known.
            Its index holds the number of each line, or row.
        unit: What these number.
    """

    name: str
    texts: pd.DataFrame
    unit: Literal["line", "row"]

    def place(self, number: int) -> str:
        """Where a row stands, for a message."""
        return f"{self.unit} {number} of {self.name}"

    def places(self, numbers: Iterable[int]) -> str:
        """Where several stand: "lines 2 and 7 of a.csv"."""
        return f"{self.unit}s {' and '.join(map(str, numbers))} of {self.name}"

    @property
    def columns(self) -> list[str]:
        """Their names."""
        return [str(column) for column in self.texts]

    @property
    def lines(self) -> list[int]:
        """Numbers of its rows."""
        return [int(line) for line in self.texts.index.to_numpy()]

    def first(self, rows: pd.Series[bool]) -> int:
        """The number of the first row of a mask that holds one."""
        return int(self.texts.index[int(rows.to_numpy().argmax())])

    def text(self, column: str, number: int) -> str:
        """What stands in a column of a row."""
        return str(self.texts[column][number])

    def has(self, column: str) -> bool:
        """Whether it has a column, and anything in it."""
        return column in self.texts and bool((self.texts[column] != "").any())


def read_text_table(path: Path) -> TextTable:
    """Read a table.

    Raises:
        InputError: It cannot be read, is no table, or its columns cannot be told apart.
    """
    if path.suffix.lower() in WORKBOOKS:
        raise InputError(f"cannot read the table {path}: it is a workbook; save it as CSV")
    try:
        if path.suffix.lower() == ".parquet":
            return _of_parquet(pd.read_parquet(path), path.name)
        return _of_csv(_decoded(path.read_bytes()), path.name)
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(f"cannot read the table {path}: {error}") from None


def _decoded(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode(LATIN)


def _of_parquet(frame: pd.DataFrame, name: str) -> TextTable:
    heads = [_head(str(column)) for column in frame]
    _check_heads(heads, name)
    columns = {head: [_text(value) for value in frame.iloc[:, place]] for place, head in enumerate(heads)}
    return TextTable(name, pd.DataFrame(columns, index=range(1, len(frame) + 1), dtype=object), "row")


def _of_csv(content: str, name: str) -> TextTable:
    given, content, skipped = _excel_separator(content)
    first = next((line for line in content.splitlines() if line.strip()), "")
    delimiter = given or max(DELIMITERS, key=lambda mark: len(next(csv.reader([first], delimiter=mark), [])))
    rows = _rows(content, delimiter, skipped)
    heads = [_head(text) for text in rows[0][1]] if rows else []
    _check_heads(heads, name)
    for line, texts in rows[1:]:
        _check_width(texts, heads, delimiter, f"line {line} of {name}")
    lines = [line for line, _ in rows[1:]]
    columns = {
        head: [_text(texts[place]) if place < len(texts) else "" for _, texts in rows[1:]]
        for place, head in enumerate(heads)
        if head
    }
    return TextTable(name, pd.DataFrame(columns, index=lines, dtype=object), "line")


def _excel_separator(content: str) -> tuple[str | None, str, int]:
    """The separator that Excel's first line names, the rest, and how many lines were taken off."""
    first, _, rest = content.partition("\n")
    mark = first.strip().removeprefix("sep=")
    return (mark, rest, 1) if first.startswith("sep=") and mark in DELIMITERS else (None, content, 0)


def _rows(content: str, delimiter: str, skipped: int) -> Rows:
    """The rows that are not blank, the head first."""
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=delimiter, skipinitialspace=True)
    return [(reader.line_num + skipped, texts) for texts in reader if any(text.strip() for text in texts)]


def _check_heads(heads: Sequence[str], name: str) -> None:
    twice = next((head for place, head in enumerate(heads) if head and head in heads[:place]), None)
    if twice is not None:
        raise InputError(f"{name} has two columns {twice!r}; rename or drop one")


def _check_width(texts: Sequence[str], heads: Sequence[str], delimiter: str, place: str) -> None:
    if any(text.strip() for text in texts[len(heads) :]):
        commas = "; where the comma is decimal, part the columns by semicolons" if delimiter == "," else ""
        raise InputError(
            f"a row must have no more values than the head has columns, {len(heads)} parted by "
            f"{DELIMITER_NAMES[delimiter]}, got {len(texts)} in {place}{commas}"
        )


def _head(text: str) -> str:
    return text.strip().lower()


def _text(value: Any) -> str:
    text = "" if value is None else str(value).translate(SPACES).strip()
    return "" if text.lower() in BLANKS else text
