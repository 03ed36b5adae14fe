"""Database engines with the settings that keep claims atomic: one writer at a time on SQLite, and it says so early."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import NoSuchModuleError, SQLAlchemyError

from storage.database.retry import reason_of
from storage.database.urls import hide_password
from storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator

BUSY_SECONDS = 60
POSTGRES_ARGUMENTS = {  # a server that vanished is noticed within a minute
    "connect_timeout": 10,
    "keepalives_idle": 20,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "application_name": "dicecurve",
}


def connect(url: str) -> sa.Engine:
    """Make an engine for a normalised URL.

    Raises:
        StorageError: The driver is missing, or the database cannot be opened.
    """
    try:
        engine = sa.create_engine(url, pool_pre_ping=True, connect_args=_connect_args(url))
        if engine.dialect.name == "sqlite":
            sa.event.listen(engine, "connect", _on_sqlite_connect)
            sa.event.listen(engine, "begin", _on_sqlite_begin)
        elif engine.dialect.name == "postgresql":
            sa.event.listen(engine, "connect", _on_postgres_connect)
        with reading(engine) as connection:
            connection.execute(sa.text("SELECT 1"))
    except (SQLAlchemyError, NoSuchModuleError, ImportError) as error:
        raise StorageError(f"cannot open the storage {hide_password(url)}: {reason_of(error)} (--storage)") from None
    return engine


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection for reads: it never takes SQLite's write lock, so a status does not hold up a study."""
    with engine.connect().execution_options(dicecurve_read=True) as connection:
        yield connection


def _connect_args(url: str) -> dict[str, Any]:
    arguments: dict[str, dict[str, Any]] = {"sqlite": {"timeout": BUSY_SECONDS}, "postgresql": POSTGRES_ARGUMENTS}
    return arguments.get(sa.make_url(url).get_backend_name(), {})


def _on_postgres_connect(connection: Any, _record: Any) -> None:
    # A driver that is paused in mid-transaction must not hold a cell's row for ever.
    cursor = connection.cursor()
    cursor.execute(f"SET idle_in_transaction_session_timeout = '{BUSY_SECONDS}s'")
    cursor.execute(f"SET lock_timeout = '{BUSY_SECONDS}s'")
    cursor.close()
    connection.commit()


def _on_sqlite_connect(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we begin transactions ourselves, below
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


def _on_sqlite_begin(connection: sa.Connection) -> None:
    # A transaction that reads and then writes must hold the lock from its start, else two drivers claim one cell.
    read = connection.get_execution_options().get("dicecurve_read", False)
    connection.exec_driver_sql("BEGIN" if read else "BEGIN IMMEDIATE")
