"""Which cases belong together: by a pattern on their names, by a file beside the data, by `together` in the spec."""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from storage.data.splits import group_numbers
from storage.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from storage.data.spec import DataSpec

COLUMNS = ("case", "group")
MOST_NAMED = 10


def groups_of(spec: DataSpec, names: Sequence[str]) -> dict[str, int]:
    """Number the groups of a dataset's cases; near-duplicates named in ``together`` merge the groups they stand in.

    Raises:
        DataError: A case has no group, or a group has a case that does not exist.
    """
    labels = None
    if spec.group_pattern is not None:
        labels = labels_by_pattern(names, spec.group_pattern)
    elif spec.groups is not None:
        assert spec.path is not None
        labels = labels_from_file(names, Path(spec.path).expanduser() / spec.groups)
    return group_numbers(names, spec.together, labels)


def labels_by_pattern(names: Sequence[str], pattern: str) -> dict[str, str]:
    """The group of each case: what the pattern's first capture group finds in its name, else the whole match.

    Raises:
        DataError: The pattern finds nothing in a name.
    """
    expression = re.compile(pattern)
    matches = {name: expression.search(name) for name in names}
    labels = {name: match[1 if expression.groups else 0] for name, match in matches.items() if match}
    _raise(
        [f"{name}: no group found" for name in names if not labels.get(name)],
        f"group_pattern {pattern!r} must find a group in the name of every case ([data] group_pattern)",
    )
    return labels


def labels_from_file(names: Sequence[str], path: Path) -> dict[str, str]:
    """The group of each case, from a CSV file with the columns case and group; further columns are not read.

    Raises:
        DataError: The file cannot be read, or does not name every case exactly once.
    """
    rows = _rows(path)
    times = Counter(case for case, _ in rows)
    labels = dict(rows)
    known = set(names)
    _raise(
        [
            *(f"{name}: no line" for name in names if name not in times),
            *(f"{case}: no case of the dataset" for case in times if case not in known),
            *(f"{case}: {times[case]} lines" for case in times if case in known and times[case] > 1),
            *(f"{case}: no group" for case, label in labels.items() if case in known and not label),
        ],
        f"{path} must name the group of every case exactly once ([data] groups)",
    )
    return labels


def regrouped_case(old: Mapping[str, int], new: Mapping[str, int]) -> str | None:
    """The first case, by name, that has other companions in the new groups; None where only numbers differ."""
    before, now = _first_members(old), _first_members(new)
    return next((name for name in sorted(before | now) if before.get(name) != now.get(name)), None)


def companions(groups: Mapping[str, int], case: str) -> list[str]:
    """The other cases of a case's group."""
    return sorted(name for name, number in groups.items() if number == groups.get(case) and name != case)


def _rows(path: Path) -> list[tuple[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
            if missing:
                raise DataError(
                    f"{path} has no column {' and no column '.join(missing)}; its first line must be case,group "
                    "([data] groups)"
                )
            return [((row["case"] or "").strip(), (row["group"] or "").strip()) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"cannot read the groups of cases from {path}: {error} ([data] groups)") from None


def _first_members(groups: Mapping[str, int]) -> dict[str, str]:
    first: dict[int, str] = {}
    return {name: first.setdefault(groups[name], name) for name in sorted(groups)}


def _raise(problems: list[str], rule: str) -> None:
    if not problems:
        return
    more = [f"... and {len(problems) - MOST_NAMED} more"] if len(problems) > MOST_NAMED else []
    raise DataError("\n  ".join([f"{rule}:", *problems[:MOST_NAMED], *more]))
