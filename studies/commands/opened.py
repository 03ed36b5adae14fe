"""What commands on a study begin with: the ledger, a study of it and its cells."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from storage.ledger.ledger import Ledger
    from storage.records import CellRecord, StudyRecord


def open_ledger(storage: str) -> Ledger:
    """The ledger of a database that is there.

    Raises:
        StorageError: It cannot be opened, or holds no study.
    """
    from storage.ledger.ledger import Ledger

    return Ledger.open(storage)


def find_study(ledger: Ledger, name: str | None) -> StudyRecord:
    """The study of that name, or the only one.

    Raises:
        StorageError: It is not there, or has to be named.
    """
    from storage.errors import StorageError

    names = ledger.study_names()
    if name is None and len(names) != 1:
        raise StorageError(f"say which study with --name: {', '.join(names) or 'there is none'}")
    study = ledger.find_study(name or names[0])
    if study is None:
        raise StorageError(f"no study {name!r} in this storage; there are: {', '.join(names)} (--name)")
    return study


def read_study(ledger: Ledger, name: str | None) -> tuple[StudyRecord, list[CellRecord]]:
    """A study, and all that was recorded of its cells."""
    from storage.ledger.cell_records import cell_records

    study = find_study(ledger, name)
    return study, cell_records(ledger, study.study_id)


@contextmanager
def without_collecting() -> Iterator[None]:
    """No garbage is looked for: a large study makes millions of objects, all of which the process needs to its end."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
