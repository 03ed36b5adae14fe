"""Database engines with the settings that keep claims atomic: one writer at a time on SQLite, and it says so early."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

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


def normalise_url(url: str) -> str:
    """Give a SQLite URL an absolute path, since Ray workers and Tune change the current folder.

    Raises:
        StorageError: The text is no database URL, or its folder does not exist.
    """
    try:
        parsed = sa.make_url(url)
    except (ArgumentError, ValueError):
        shown = re.sub(r"//[^/]*@", "//***@", url)
        raise StorageError(
            f"storage must be a database URL such as sqlite:///dicecurve.db, got {shown!r} "
            "(--storage, DICECURVE_STORAGE)"
        ) from None
    if parsed.get_backend_name() != "sqlite":
        return url
    if not parsed.database or parsed.database == ":memory:":
        raise StorageError(f"storage must be a file, since several processes share it, got {url!r} (--storage)")
    path = Path(parsed.database).expanduser().absolute()
    if not path.parent.is_dir():
        raise StorageError(f"the folder of the storage does not exist: {path.parent}; make it first (--storage)")
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise StorageError(f"cannot write to the storage {path}; choose another file (--storage)")
    return parsed.set(database=str(path)).render_as_string(hide_password=False)


def sqlite_file(url: str) -> Path | None:
    """The file of a normalised SQLite URL; None for other databases."""
    parsed = sa.make_url(url)
    return Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None


def has_password(url: str) -> bool:
    """Whether a database URL carries a password."""
    try:
        parsed = sa.make_url(url)
    except (ArgumentError, ValueError):
        return False
    return parsed.password is not None or "password" in parsed.query


def without_password(url: str) -> tuple[str, dict[str, str]]:
    """The URL for another program's command line, and the environment that carries its password."""
    parsed = sa.make_url(url)
    password = parsed.password or parsed.query.get("password")
    bare = parsed._replace(password=None).difference_update_query(["password"])
    return bare.render_as_string(hide_password=False), {"PGPASSWORD": str(password)} if password else {}


def hide_password(url: str) -> str:
    """The URL as it may be printed."""
    parsed = sa.make_url(url)
    if "password" in parsed.query:
        parsed = parsed.update_query_dict({"password": "***"})
    return parsed.render_as_string(hide_password=True)


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
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise StorageError(f"cannot open the storage {hide_password(url)}: {reason} (--storage)") from None
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
