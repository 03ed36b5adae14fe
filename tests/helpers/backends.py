"""The databases that the ledger promises to work on, behind one face: fresh ones are copies of a template."""

from __future__ import annotations

import secrets
import shutil
from abc import ABC, abstractmethod
from itertools import count
from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from pathlib import Path


class Backend(ABC):
    """Makes databases."""

    def __init__(self) -> None:
        """Number them from 1."""
        self._numbers = count(1)

    @abstractmethod
    def database(self, template: str | None = None) -> str:
        """URL of a new database: without tables, or a copy of the one at the template's URL, which nobody uses."""


class SqliteFiles(Backend):
    """Files in a folder."""

    def __init__(self, folder: Path) -> None:
        """Keep them in this folder."""
        super().__init__()
        self._folder = folder

    def database(self, template: str | None = None) -> str:
        """A file; without a template it does not exist yet."""
        url = f"sqlite:///{self._folder}/study{next(self._numbers)}.db"
        if template is not None:
            _fold_log(template)
            shutil.copy(str(sa.make_url(template).database), str(sa.make_url(url).database))
        return url


class PostgresServer(Backend):
    """Databases of one real server."""

    def __init__(self, url: str, prefix: str = "study") -> None:
        """Make them beside the database of this URL, under names of this prefix and never the same."""
        super().__init__()
        self._url = sa.make_url(url)
        self._prefix = f"{prefix}_{secrets.token_hex(4)}_"

    def database(self, template: str | None = None) -> str:
        """A database of its own."""
        name = f"{self._prefix}{next(self._numbers)}"
        source = sa.make_url(template).database if template else "template0"
        engine = sa.create_engine(self._url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE {source}"))
        engine.dispose()
        return self._url.set(database=name).render_as_string(hide_password=False)


def _fold_log(url: str) -> None:
    """Bring what stands in SQLite's write-ahead log into the file itself."""
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
