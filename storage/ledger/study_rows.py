"""Rows of studies and their specs, inside a transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from storage.database.tables import SCHEMA_VERSION, spec_changes, studies
from storage.errors import StorageError
from storage.ledger import optuna_rows
from storage.records import StudyRecord

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime


def names(connection: sa.Connection) -> list[str]:
    """Names of all studies of ours, oldest first."""
    named = optuna_rows.studies
    query = sa.select(named.c.study_name).join(studies, studies.c.study_id == named.c.study_id)
    return list(connection.execute(query.order_by(named.c.study_id)).scalars())


def find(connection: sa.Connection, name: str) -> StudyRecord | None:
    """The study of that name, or None.

    Raises:
        StorageError: A later version wrote it.
    """
    named = optuna_rows.studies
    query = sa.select(studies).join(named, studies.c.study_id == named.c.study_id).where(named.c.study_name == name)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    values = row._asdict()
    version = values.pop("schema_version")
    if version != SCHEMA_VERSION:
        raise StorageError(f"study {name!r} has tables of version {version}, this dicecurve reads {SCHEMA_VERSION}")
    return StudyRecord(name=name, **values)


def insert(
    connection: sa.Connection,
    study_id: int,
    name: str,
    *,
    identity: Mapping[str, Any],
    running: Mapping[str, Any],
    fingerprint: str,
    split: Mapping[str, Sequence[str]],
    groups: Mapping[str, int],
    facts: Mapping[str, Any],
) -> None:
    """Make our row beside Optuna's, unless another driver was faster.

    Raises:
        StorageError: An Optuna study of that name has trials that are not ours.
    """
    _lock_optuna_study(connection, study_id)
    if connection.execute(sa.select(studies.c.study_id).where(studies.c.study_id == study_id)).first() is not None:
        return
    _refuse_foreign(connection, study_id, name)
    row = {
        "study_id": study_id,
        "schema_version": SCHEMA_VERSION,
        "identity": dict(identity),
        "running": dict(running),
        "fingerprint": fingerprint,
        "split": {part: list(cases) for part, cases in split.items()},
        "groups": dict(groups),
        "facts": dict(facts),
    }
    connection.execute(studies.insert().values(row))


def change_spec(
    connection: sa.Connection,
    study_id: int,
    *,
    identity: Mapping[str, Any],
    running: Mapping[str, Any],
    changes: Mapping[str, Any],
    versions: Mapping[str, str],
) -> None:
    """Replace the spec's parts, and note what changed, when, and under which versions; the same change counts once."""
    last = sa.select(spec_changes).where(spec_changes.c.study_id == study_id).order_by(spec_changes.c.id.desc())
    lock(connection, study_id)
    row = connection.execute(last.limit(1)).one_or_none()
    if row is not None and row.changes == dict(changes) and row.versions == dict(versions):
        return
    connection.execute(
        studies.update().where(studies.c.study_id == study_id).values(identity=dict(identity), running=dict(running))
    )
    insert_change(connection, study_id, optuna_rows.utc_now(), changes, versions)


def insert_change(
    connection: sa.Connection,
    study_id: int,
    changed_at: datetime,
    changes: Mapping[str, Any],
    versions: Mapping[str, str],
) -> None:
    """Note a change of the spec, under which versions, and when in naive UTC."""
    row = {"study_id": study_id, "changed_at": changed_at, "changes": dict(changes), "versions": dict(versions)}
    connection.execute(spec_changes.insert().values(row))


def lock(connection: sa.Connection, study_id: int) -> None:
    """Let no other driver lay out cells of the study, or change its spec, until the transaction ends."""
    connection.execute(sa.select(studies.c.study_id).where(studies.c.study_id == study_id).with_for_update())


def _lock_optuna_study(connection: sa.Connection, study_id: int) -> None:
    table = optuna_rows.studies
    connection.execute(sa.select(table.c.study_id).where(table.c.study_id == study_id).with_for_update())


def _refuse_foreign(connection: sa.Connection, study_id: int, name: str) -> None:
    trials = optuna_rows.trials
    if connection.execute(sa.select(trials.c.trial_id).where(trials.c.study_id == study_id)).first() is not None:
        raise StorageError(f"the storage holds an Optuna study {name!r} that is not dicecurve's; choose another --name")
