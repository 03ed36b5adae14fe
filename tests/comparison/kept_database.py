"""A SQLite database as plain rows, for JSON: what Optuna's tables and ours hold, whatever order it was written in."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SURROGATES = ("study_user_attribute_id", "study_system_attribute_id", "trial_user_attribute_id")
SURROGATES = (*SURROGATES, "trial_system_attribute_id", "trial_value_id", "trial_intermediate_value_id", "param_id")
CHUNK = re.compile(r"(.+):(\d+)")

Row = dict[str, Any]


def database_rows(file: Path, before: Sequence[str] = ()) -> dict[str, list[Row]]:
    """Every row of every table, after some statements; JSON in columns is read, and what Optuna cuts is joined."""
    with closing(sqlite3.connect(file)) as connection:
        for statement in before:
            connection.execute(statement)
        connection.commit()
        query = "select name from sqlite_master where type = 'table' order by name"
        tables = [name for (name,) in connection.execute(query).fetchall()]
        return {table: _rows(connection, table) for table in tables}


def _rows(connection: sqlite3.Connection, table: str) -> list[Row]:
    found = connection.execute(f'select * from "{table}"')  # noqa: S608 - a name from the database itself
    names = [column[0] for column in found.description]
    rows = [dict(zip(names, map(_plain, row), strict=True)) for row in found.fetchall()]
    if not table.endswith("_attributes"):
        return [{name: value for name, value in row.items() if name not in SURROGATES} for row in rows]
    return _attributes(rows)


def _attributes(rows: Sequence[Row]) -> list[Row]:
    """By owner and key; values that were cut into numbered parts are one again."""
    joined: dict[tuple[int, str], Any] = {}
    for row in sorted(rows, key=lambda row: (_owner(row), _numbered(row["key"]))):
        name, number = _numbered(row["key"])
        key = (_owner(row), name)
        joined[key] = joined[key] + row["value_json"] if number > 0 else row["value_json"]
    return [{"of": owner, "key": name, "value": _plain(value)} for (owner, name), value in joined.items()]


def _owner(row: Row) -> int:
    number: int = row["trial_id"] if "trial_id" in row else row["study_id"]
    return number


def _numbered(key: str) -> tuple[str, int]:
    cut = CHUNK.fullmatch(key)
    return (cut[1], int(cut[2])) if cut else (key, -1)


def _plain(value: Any) -> Any:
    """A value for JSON; text that holds JSON is read."""
    if isinstance(value, bytes):
        return value.hex()
    if not isinstance(value, str) or value[:1] not in set('{["'):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value
