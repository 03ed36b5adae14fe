"""A new study from files: one that was exported, or a table of numbers alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from search.prices import PriceSpec
from storage.database.urls import normalise_url
from storage.errors import InputError
from storage.frames.exchange import import_study
from storage.frames.published_table import import_published, read_published
from storage.ledger.ledger import Ledger
from studies.spec import StudySpec

if TYPE_CHECKING:
    from pathlib import Path

    from storage.records import StudyRecord


def import_from(source: Path, storage: str, name: str | None, num_train: int | None) -> StudyRecord:
    """Make the study.

    Args:
        source: Folder of an exported study, or a table.
        storage: Database URL; its tables are made where they are missing.
        name: Of the new study; an exported one has a name already.
        num_train: Training cases at ratio 1, of a table.

    Raises:
        InputError: The source cannot be read, or the study is there already; nothing was written.
    """
    url = normalise_url(storage)
    if source.is_dir():
        with Ledger.open(url, create=True) as ledger:
            return import_study(ledger, source, name)
    if name is None:
        raise InputError("say how the study is to be called with --name")
    runs, whole = read_published(source, num_train)
    with Ledger.open(url, create=True) as ledger:
        return import_published(ledger, name, runs, whole, _running())


def _running() -> dict[str, object]:
    """Prices, tolerance and target as a spec without them has them."""
    fields = StudySpec.model_fields
    return {name: fields[name].default for name in ("policy", "tolerance", "target_dsc")} | {
        "prices": PriceSpec().model_dump(mode="json")
    }
