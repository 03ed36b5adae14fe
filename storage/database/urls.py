"""Database URLs: which form they take, what they name, and how they are shown without a password."""

from __future__ import annotations

import os
import re
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from storage.errors import StorageError


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


def hide_password(url: str) -> str:
    """The URL as it may be printed."""
    parsed = sa.make_url(url)
    if "password" in parsed.query:
        parsed = parsed.update_query_dict({"password": "***"})
    return parsed.render_as_string(hide_password=True)
