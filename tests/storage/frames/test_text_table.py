"""Files of numbers are read as people's programs write them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from storage.errors import InputError
from storage.frames.text_table import read_text_table
from tests.helpers.number_tables import table_file

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = "cases,depth,dsc\n40,3,0.5\n80,3,0.6\n"


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.encode(),
        PLAIN.replace(",", ";").encode(),
        PLAIN.replace(",", "\t").encode(),
        PLAIN.replace(",", " | ").encode(),
        PLAIN.replace(",", ", ").encode(),
        PLAIN.replace("\n", "\r\n").encode(),
        b"\xef\xbb\xbf" + PLAIN.encode(),
        PLAIN.encode("utf-16"),
        b"\n" + PLAIN.encode() + b"\n\n,,\n",
        b"sep=;\n" + PLAIN.replace(",", ";").encode(),
        b"Cases, DEPTH ,Dsc\n40,3,0.5,\n80,3,0.6\n",
    ],
    ids=["comma", "semicolon", "tab", "bar", "blanks", "Windows", "mark", "UTF-16", "blank lines", "Excel", "heads"],
)
def test_every_way_to_write_a_table_is_the_same_table(tmp_path: Path, content: bytes) -> None:
    """Separators, line ends, marks, blank lines and the case of names change nothing."""
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    table = read_text_table(path)
    assert table.columns == ["cases", "depth", "dsc"]
    assert table.texts.to_numpy().tolist() == [["40", "3", "0.5"], ["80", "3", "0.6"]]


def test_rows_bear_the_numbers_of_their_lines(tmp_path: Path) -> None:
    """As an editor counts them, the head and blank lines too; of Parquet the numbers of rows."""
    assert read_text_table(table_file(tmp_path, "\ncases,dsc\n\n40,0.5\n80,0.6\n")).lines == [4, 5]
    assert read_text_table(table_file(tmp_path, "sep=;\ncases;dsc\n40;0,5\n")).place(3) == "line 3 of surface.csv"
    pd.DataFrame({"cases": [40, 80]}).to_parquet(tmp_path / "a.parquet")
    assert read_text_table(tmp_path / "a.parquet").place(2) == "row 2 of a.parquet"


def test_latin_letters_of_older_programs_are_read(tmp_path: Path) -> None:
    """A column with an umlaut in the encoding of an older Excel is a column like any."""
    (tmp_path / "a.csv").write_bytes("Größe;dsc\n1;0,5\n".encode("cp1252"))
    assert read_text_table(tmp_path / "a.csv").columns == ["größe", "dsc"]


def test_what_stands_for_nothing_is_nothing(tmp_path: Path) -> None:
    """NaN, n/a and dashes; a column that holds nothing else is as good as none, and so is one without a name."""
    table = read_text_table(table_file(tmp_path, ",dsc,test_dsc,seed\n0,0.5,NaN,n/a\n1,0.6,-,1\n"))
    assert (table.has("dsc"), table.has("test_dsc"), table.has("seed")) == (True, False, True)
    assert table.columns == ["dsc", "test_dsc", "seed"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cases,depth,dsc\n40,3,0,55\n", r"no more values than .* 3 parted by commas, got 4 in line 2 .*semicolons"),
        ("cases;Cases;dsc\n40;3;0,55\n", "two columns 'cases'; rename or drop one"),
    ],
)
def test_columns_that_cannot_be_told_apart_are_refused(tmp_path: Path, text: str, message: str) -> None:
    """One message; for a decimal comma between commas it says what to do."""
    with pytest.raises(InputError, match=message):
        read_text_table(table_file(tmp_path, text))


def test_a_workbook_is_refused(tmp_path: Path) -> None:
    """With what to do instead."""
    (tmp_path / "a.xlsx").write_bytes(b"PK")
    with pytest.raises(InputError, match=r"a\.xlsx: it is a workbook; save it as CSV"):
        read_text_table(tmp_path / "a.xlsx")
