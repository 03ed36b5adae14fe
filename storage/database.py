"""Makes and finds our tables in a database, beside those that Optuna makes."""

from __future__ import annotations

import time
from pathlib import Path

import optuna
import sqlalchemy as sa
from optuna.exceptions import DuplicatedStudyError, StorageInternalError
from optuna.storages import RDBStorage
from sqlalchemy.exc import DBAPIError

from storage import optuna_rows
from storage.engine import connect, hide_password
from storage.errors import StorageError
from storage.tables import metadata, studies

TRIES_TO_CREATE = 8
METRIC_NAMES = "study:metric_names"  # what `Study.set_metric_names` writes, without its warning

optuna.logging.set_verbosity(optuna.logging.WARNING)


def holds_studies(url: str) -> bool:
    """Whether the database at a normalised URL holds studies of ours; looking makes nothing.

    Raises:
        StorageError: It cannot be opened.
    """
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").exists():
        return False
    engine = connect(url)
    try:
        return sa.inspect(engine).has_table(studies.name)
    finally:
        engine.dispose()


def create_tables(url: str, engine: sa.Engine) -> None:
    """Make Optuna's tables and ours where they are missing.

    Raises:
        StorageError: They were made by another version of Optuna.
    """
    for attempt in range(1, TRIES_TO_CREATE + 1):
        try:
            RDBStorage(url).engine.dispose()  # makes Optuna's tables, and checks their revision
            metadata.create_all(engine)
        except RuntimeError as error:
            raise StorageError(
                f"the storage {hide_password(url)} was made by another version of Optuna: {error}"
            ) from None
        except (StorageInternalError, DBAPIError):  # another driver is making the same tables
            if attempt == TRIES_TO_CREATE:
                raise
            time.sleep(0.2 * attempt)
        else:
            return


def make_optuna_study(url: str, name: str) -> int:
    """Make an Optuna study that maximises validation DSC, or find the one of that name; returns its number."""
    storage = RDBStorage(url)
    try:
        study_id = storage.create_new_study([optuna.study.StudyDirection.MAXIMIZE], name)
        storage.set_study_system_attr(study_id, METRIC_NAMES, ["validation DSC"])
    except DuplicatedStudyError:
        study_id = storage.get_study_id_from_name(name)
    finally:
        storage.engine.dispose()
    return study_id


def lock_optuna_study(connection: sa.Connection, study_id: int) -> None:
    """Let no other driver make our study beside Optuna's until this transaction ends."""
    table = optuna_rows.studies
    connection.execute(sa.select(table.c.study_id).where(table.c.study_id == study_id).with_for_update())


def refuse_foreign_study(connection: sa.Connection, study_id: int, name: str) -> None:
    """Refuse an Optuna study with trials that are not ours.

    Raises:
        StorageError: It has some.
    """
    trials = optuna_rows.trials
    if connection.execute(sa.select(trials.c.trial_id).where(trials.c.study_id == study_id)).first() is not None:
        raise StorageError(f"the storage holds an Optuna study {name!r} that is not dicecurve's; choose another --name")
