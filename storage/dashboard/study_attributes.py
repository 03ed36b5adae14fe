"""What Optuna dashboard shows on a study's page: a note and figures, as attributes of its study, in one transaction."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import sqlalchemy as sa
from optuna.storages._rdb import models

from storage.database.engine import reading
from storage.database.retry import with_retries
from storage.ledger import study_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from storage.ledger.ledger import Ledger

LAST_LINE = "*dicecurve writes this note anew as the study goes; what stands below this line is kept.*"
FIGURES = "dashboard:plot_data:dicecurve-"

attributes = models.StudySystemAttributeModel.__table__
user_attributes = models.StudyUserAttributeModel.__table__


@with_retries
def show_on_study(
    ledger: Ledger, study_id: int, *, note: str, facts: Mapping[str, str], figures: Mapping[str, str]
) -> None:
    """Replace note, facts and figures on a study's page; what a person wrote below the note stays.

    Args:
        ledger: An open ledger.
        study_id: The study.
        note: Markdown.
        facts: User attributes of the study, by names that are the same each time.
        figures: JSON of plotly figures by name (letters, digits, hyphens), in the order of their names on the page.
    """
    from optuna_dashboard._custom_plot_data import split_plot_data
    from optuna_dashboard._note import get_note_from_system_attrs, note_str_key_prefix, note_ver_key, split_body

    with ledger.engine.begin() as connection:
        study_rows.lock(connection, study_id)
        _replace(connection, user_attributes, study_id, facts.keys(), facts)
        before = _read(connection, attributes, study_id)
        noted = get_note_from_system_attrs(before, None)
        body = f"{note.rstrip()}\n\n{LAST_LINE}\n{_own_words(noted['body'])}"
        after = {key: part for name, text in figures.items() for key, part in split_plot_data(text, _key(name)).items()}
        after |= split_body(body, None)
        old = {key for key in before if key.startswith((FIGURES, note_str_key_prefix(None)))}
        if {key: before[key] for key in old} == after:
            return  # a new version of the note would stop a person who is editing it
        after[note_ver_key(None)] = noted["version"] + 1
        _replace(connection, attributes, study_id, old | after.keys(), after)


@with_retries
def shown_facts(ledger: Ledger, study_id: int) -> dict[str, str]:
    """The user attributes on a study's page; none before it was first shown."""
    with reading(ledger.engine) as connection:
        return {key: str(value) for key, value in _read(connection, user_attributes, study_id).items()}


def _own_words(body: str) -> str:
    """What a person wrote: all that stands below our last line, or everything where we have not written yet."""
    _, line, below = body.partition(f"{LAST_LINE}\n")
    return below if line else body


def _key(name: str) -> str:
    return f"{FIGURES}{name}:"


def _read(connection: sa.Connection, table: sa.Table, study_id: int) -> dict[str, str | int]:
    query = sa.select(table.c.key, table.c.value_json).where(table.c.study_id == study_id)
    return {key: json.loads(value) for key, value in connection.execute(query)}


def _replace(
    connection: sa.Connection, table: sa.Table, study_id: int, old: Collection[str], new: Mapping[str, str | int]
) -> None:
    connection.execute(table.delete().where(table.c.study_id == study_id, table.c.key.in_(list(old))))
    rows = [{"study_id": study_id, "key": key, "value_json": json.dumps(value)} for key, value in new.items()]
    if rows:
        connection.execute(table.insert(), rows)
