"""Makes, finds and migrates our tables in a database, beside those that Optuna makes."""

from __future__ import annotations

import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import optuna
import sqlalchemy as sa
from optuna.exceptions import DuplicatedStudyError, StorageInternalError
from optuna.storages import RDBStorage
from sqlalchemy.exc import DBAPIError

from storage.database.engine import connect, reading
from storage.database.tables import SCHEMA_VERSION, metadata, studies
from storage.database.urls import hide_password
from storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator

TRIES_TO_CREATE = 8
LAST_TABLE = metadata.sorted_tables[-1].name  # made last: where it is, all are
OPTUNA_REVISION = "v3.2.0.a"  # of Optuna 5's tables, as `storage/ledger/optuna_rows.py` writes them
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
    """Make Optuna's tables and ours where they are missing."""
    if sa.inspect(engine).has_table(LAST_TABLE):
        return
    for attempt in range(1, TRIES_TO_CREATE + 1):
        try:
            with _as_database_errors():
                RDBStorage(url, skip_compatibility_check=True).engine.dispose()  # makes Optuna's tables
            metadata.create_all(engine)
        except (StorageInternalError, DBAPIError):  # another driver is making the same tables
            if attempt == TRIES_TO_CREATE:
                raise
            time.sleep(0.2 * attempt)
        else:
            return


def check_revision(engine: sa.Engine) -> None:
    """Refuse Optuna's tables in another revision than `OPTUNA_REVISION`, since we write them by ourselves.

    Raises:
        StorageError: Another version of Optuna made them.
    """
    with reading(engine) as connection:
        revision = connection.execute(
            sa.select(sa.column("version_num")).select_from(sa.table("alembic_version"))
        ).scalar()
    if revision != OPTUNA_REVISION:
        raise StorageError(
            f"the storage {hide_password(str(engine.url))} was made by another version of Optuna: its tables are of "
            f"revision {revision}, dicecurve writes {OPTUNA_REVISION} (optuna {optuna.__version__} is here); bring an "
            "older one up to date with `optuna storage upgrade`, for a newer one install the dicecurve that knows it"
        )


def make_optuna_study(url: str, name: str) -> int:
    """Make an Optuna study that maximises validation DSC, or find the one of that name; returns its number."""
    with _as_database_errors():
        storage = RDBStorage(url, skip_compatibility_check=True)  # `check_revision` did that
        try:
            study_id = storage.create_new_study([optuna.study.StudyDirection.MAXIMIZE], name)
            storage.set_study_system_attr(study_id, METRIC_NAMES, ["validation DSC"])
        except DuplicatedStudyError:
            study_id = storage.get_study_id_from_name(name)
        finally:
            storage.engine.dispose()
    return study_id


@contextmanager
def _as_database_errors() -> Iterator[None]:
    """Raise what the database said in place of what Optuna wraps it in: a retry policy must know when it is away."""
    try:
        yield
    except StorageInternalError as error:
        if isinstance(error.__cause__, DBAPIError):
            raise error.__cause__ from None
        raise


def migrate_tables(engine: sa.Engine) -> None:
    """Bring tables of an earlier version to the present one: new tables and columns, empty where nothing was known."""
    with reading(engine) as connection:
        if not _missing_tables(connection) and not _missing_columns(connection):
            return
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"LOCK TABLE {studies.name} IN ACCESS EXCLUSIVE MODE")
        metadata.create_all(connection)
        for column in _missing_columns(connection):
            kind = column.type.compile(engine.dialect)
            connection.exec_driver_sql(f"ALTER TABLE {column.table.name} ADD COLUMN {column.name} {kind}")
        earlier = studies.c.schema_version < SCHEMA_VERSION
        connection.execute(studies.update().where(earlier).values(schema_version=SCHEMA_VERSION))


def _missing_tables(connection: sa.Connection) -> set[str]:
    return metadata.tables.keys() - set(sa.inspect(connection).get_table_names())


def _missing_columns(connection: sa.Connection) -> list[sa.Column[Any]]:
    inspector = sa.inspect(connection)
    known = {name: {column["name"] for column in inspector.get_columns(name)} for name in metadata.tables}
    return [column for name, table in metadata.tables.items() for column in table.c if column.name not in known[name]]
