"""Which database a command works on, and where its password may come from."""

from __future__ import annotations

import os
from pathlib import Path

from storage.database.urls import has_password
from storage.errors import InputError

DEFAULT_STORAGE = "sqlite:///dicecurve.db"
REMEDY = (
    "other users could read it there, and Ray writes it into its files; keep it in the file that PGPASSFILE names "
    "(by default ~/.pgpass), or write the whole URL into a file and name that in DICECURVE_STORAGE_FILE"
)


def chosen_storage(given: str | None) -> str:
    """The URL of --storage, else of DICECURVE_STORAGE, else in the file DICECURVE_STORAGE_FILE, else the default.

    Raises:
        InputError: A password stands in the open, or the file cannot be read.
    """
    named = {"--storage": given, "DICECURVE_STORAGE": os.environ.get("DICECURVE_STORAGE")}
    for place, url in named.items():
        if url and has_password(url):
            raise InputError(f"the URL in {place} holds a password: {REMEDY}")
        if url:
            return url
    file = os.environ.get("DICECURVE_STORAGE_FILE")
    return _url_in(Path(file)) if file else DEFAULT_STORAGE


def _url_in(file: Path) -> str:
    try:
        url = file.expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read the storage's URL from {file}: {error} (DICECURVE_STORAGE_FILE)") from None
    if not url:
        raise InputError(f"{file} is empty; it should hold the storage's URL (DICECURVE_STORAGE_FILE)")
    return url
