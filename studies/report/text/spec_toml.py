"""The spec of a recorded study as a TOML file that `dicecurve run` takes, without places."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from storage.records import StudyRecord

LOCATIONS = ("data_path", "files")  # running values that would name a place or a person


def spec_toml(study: StudyRecord) -> str:
    """TOML: single values, then a table for each section; what is not set is left out."""
    values = {"name": study.name, **study.running, **study.identity}
    kept = {key: value for key, value in values.items() if key not in LOCATIONS and value is not None}
    single = [f"{key} = {_value(value)}" for key, value in kept.items() if not isinstance(value, dict)]
    sections = ["\n".join(_section(key, value)) for key, value in kept.items() if isinstance(value, dict)]
    return "\n\n".join(["\n".join(single), *sections]) + "\n"


def _section(name: str, values: dict[str, Any]) -> Iterator[str]:
    yield f"[{name}]"
    yield from (f"{key} = {_value(value)}" for key, value in values.items() if value is not None)


def _value(value: Any) -> str:
    """A TOML value; JSON writes texts, numbers and lists alike, and TOML has inline tables of its own."""
    if isinstance(value, dict):
        inner = ", ".join(f"{json.dumps(key)} = {_value(item)}" for key, item in value.items() if item is not None)
        return f"{{ {inner} }}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_value, value))}]"
    return json.dumps(value)
