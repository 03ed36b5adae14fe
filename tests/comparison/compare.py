"""Compares what two checkouts said and wrote: two folders that `render.py` made from the same frozen inputs.

`python tests/comparison/compare.py BEFORE AFTER [--only REGEX]`; with `--only`, for a folder that was rendered in part,
those files alone whose names the expression finds. Numbers of JSON and CSV files may differ by 1e-12 of their size, all
else is exact text, after the normalisations below. Each difference is printed (file, place, before, after); the exit
code is 1 if there is any, else 0 with how much was compared.
"""

from __future__ import annotations

import argparse
import base64
import csv
import difflib
import io
import json
import math
import re
import sys
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

TOLERANCE = 1e-12
MOST_SHOWN = 40  # differences of one file
MOST_CHARACTERS = 300  # of one value

# Every normalisation: what differs between two runs of the same code.
TEXTS = (  # expression, what stands in its place, why
    (r"(?:/[\w.+-]+)*/dicecurve-compare-\w{8}", "<scratch>", "each rendering has a folder of its own"),
    (
        r"named +dicecurve-files/cache/\.digests\.json\n",
        "",
        "written of files that lay still for a while",
    ),
    (r"CHECKOUT(?![\w.-])", "<checkout>", "the folder of the code, which about.json tells"),
)
MEASURED = (  # files, key or column whose value is not compared, why
    ("trained_*/*", r"(train|val|test|unrecorded|lost|cpu|gpu|spent|device)_seconds", "measured while it trained"),
    ("*/database.json", r"datetime_(start|complete)|changed_at|heartbeat", "the time of the run"),
    ("trained_*/database.json", r"counter", "the renewals of a lease, as long as the training took"),
    ("trained_*/database.json", r"study_(user|system)_attributes", "the answer and its price, from measured seconds"),
    ("complexity_*/*.json", r"inference_cases_per_second|training_seconds_per_case", "measured by the command"),
)
SHAPES = (  # files, why every number in them, with the blanks before it, counts as the same
    ("complexity_*/*.txt", "the table's speeds are measured by the command"),
    ("calibrated/*", "nearly all is measured by the command"),
)
NEVER = (  # files, why they are not compared
    ("about.json", "names the checkout"),
    ("trained_*/files/*", "the page tells hours and prices that were measured; files.txt names it"),
)

NUMBER = re.compile(r"[ ]*[-+]?\d[\d,]*\.?\d*(?:[eE][-+]?\d+)?")


@dataclass
class Comparison:
    """Two folders, and what was found.

    Attributes:
        before: The one.
        after: The other.
        only: Files whose names this expression finds; "": all.
        differences: A line each.
        files: How many were compared.
        values: How many numbers, texts and lines.
    """

    before: Path
    after: Path
    only: str = ""
    differences: list[str] = field(default_factory=list)
    files: int = 0
    values: int = 0

    def run(self) -> None:
        """Compare every file that either has."""
        self._checkouts = [json.loads((folder / "about.json").read_text())["checkout"] for folder in self._folders]
        names = [{str(path.relative_to(f)) for path in f.rglob("*") if path.is_file()} for f in self._folders]
        for name in sorted(names[0] | names[1]):
            if not re.search(self.only, name) or any(fnmatch(name, pattern) for pattern, _ in NEVER):
                continue
            if name not in names[0] or name not in names[1]:
                self.differences.append(f"{name}: only {'after' if name in names[1] else 'before'}")
                continue
            self._compare_file(name)

    @property
    def _folders(self) -> tuple[Path, Path]:
        return self.before, self.after

    def _compare_file(self, name: str) -> None:
        self.files += 1
        one, other = (
            normalised((folder / name).read_text(encoding="utf-8"), checkout)
            for folder, checkout in zip(self._folders, self._checkouts, strict=True)
        )
        found: list[str] = []
        shape = any(fnmatch(name, pattern) for pattern, _ in SHAPES)
        kind = "text" if shape else Path(name).suffix
        {".json": self._compare_json, ".csv": self._compare_csv}.get(kind, self._compare_lines)(
            name, *(map(shape_of, (one, other)) if shape else (one, other)), found.append
        )
        more = [f"{name}: and {len(found) - MOST_SHOWN} more"] if len(found) > MOST_SHOWN else []
        self.differences += found[:MOST_SHOWN] + more

    def _compare_json(self, name: str, one: str, other: str, tell: Callable[[str], None]) -> None:
        self._compare_values(name, "", json.loads(one), json.loads(other), tell)

    def _compare_values(self, name: str, place: str, one: Any, other: Any, tell: Callable[[str], None]) -> None:
        one, other = plain(one), plain(other)
        if isinstance(one, dict) and isinstance(other, dict) and list(one) != list(other):
            tell(told(name, place, f"keys {list(one)}", f"keys {list(other)}"))
        elif isinstance(one, dict) and isinstance(other, dict):
            for key in one:
                if not is_measured(name, str(one["key"]) if key == "value" and "key" in one else key):
                    self._compare_values(name, f"{place}.{key}", one[key], other[key], tell)
        elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
            for index, (mine, theirs) in enumerate(zip(one, other, strict=True)):
                self._compare_values(name, f"{place}[{index}]", mine, theirs, tell)
        else:
            self.values += 1
            if not are_same(one, other):
                tell(told(name, place, json.dumps(one), json.dumps(other)))

    def _compare_csv(self, name: str, one: str, other: str, tell: Callable[[str], None]) -> None:
        tables = [list(csv.reader(io.StringIO(text, newline=""))) for text in (one, other)]
        heads = [table[0] if table else [] for table in tables]
        if heads[0] != heads[1] or len(tables[0]) != len(tables[1]):
            sizes = [f"{len(table)} rows of {head}" for table, head in zip(tables, heads, strict=True)]
            tell(told(name, "", *sizes))
            return
        for number, (mine, theirs) in enumerate(zip(*tables, strict=True)):
            if not len(heads[0]) == len(mine) == len(theirs):
                if mine != theirs:
                    tell(told(name, f"row {number}", str(mine), str(theirs)))
                continue
            for column, first, second in zip(heads[0], mine, theirs, strict=True):
                if number and is_measured(name, column):
                    continue
                self.values += 1
                if not are_same(as_number(first), as_number(second)):
                    tell(told(name, f"row {number}, {column}", first, second))

    def _compare_lines(self, name: str, one: str, other: str, tell: Callable[[str], None]) -> None:
        lines = [text.splitlines() for text in (one, other)]
        self.values += max(map(len, lines))
        for kind, a, b, c, d in difflib.SequenceMatcher(None, *lines, autojunk=False).get_opcodes():
            if kind != "equal":
                tell(told(name, f"line {a + 1}", "\n".join(lines[0][a:b]), "\n".join(lines[1][c:d])))


def normalised(text: str, checkout: str) -> str:
    """A text without what differs by nature."""
    for expression, instead, _ in TEXTS:
        text = re.sub(expression.replace("CHECKOUT", re.escape(checkout)), instead, text)
    return text


def shape_of(text: str) -> str:
    """A text with every number the same."""
    return NUMBER.sub(" 0", text)


def is_measured(name: str, key: str) -> bool:
    """Whether the value under this key of this file is none of the code's doing."""
    return any(fnmatch(name, pattern) and re.fullmatch(keys, key) for pattern, keys, _ in MEASURED)


def plain(value: Any) -> Any:
    """Arrays that plotly packs into text as lists of numbers."""
    if isinstance(value, dict) and value.keys() >= {"bdata", "dtype"}:
        numbers = np.frombuffer(base64.b64decode(value["bdata"]), dtype=value["dtype"])
        return [value["dtype"], value.get("shape"), numbers.tolist()]
    return value


def as_number(text: str) -> float | str:
    """A CSV cell's number, or its text."""
    try:
        return float(text)
    except ValueError:
        return text


def are_same(one: Any, other: Any) -> bool:
    """Equal, or numbers that differ by next to nothing."""
    numbers = [isinstance(value, int | float) and not isinstance(value, bool) for value in (one, other)]
    if not all(numbers):
        return type(one) is type(other) and bool(one == other)
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=0.0)


def told(name: str, place: str, one: str, other: str) -> str:
    """One difference for a reader."""
    cut = [text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}..." for text in (one, other)]
    return f"{name}: {place}\n  before: {cut[0]}\n  after:  {cut[1]}"


def show(lines: Iterable[str]) -> None:
    """Print lines."""
    for line in lines:
        print(line)


def main() -> int:
    """Compare the two folders of the command line."""
    parser = argparse.ArgumentParser(description="What differs between two folders that render.py made.")
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--only", default="", metavar="REGEX", help="files whose names it finds (default: all)")
    options = parser.parse_args()
    found = Comparison(options.before, options.after, options.only)
    found.run()
    show(found.differences)
    show([f"{len(found.differences)} differences in {found.files} files with {found.values} values"])
    return 1 if found.differences else 0


if __name__ == "__main__":
    sys.exit(main())
