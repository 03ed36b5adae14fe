"""A new study from files: one that was exported, or a table of numbers alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from search.prices import PriceSpec
from storage.database.urls import normalise_url
from storage.errors import InputError
from storage.frames.exchange import import_study
from storage.frames.published_rows import import_published
from storage.frames.published_table import read_published
from storage.ledger.ledger import Ledger
from studies.spec import StudySpec

if TYPE_CHECKING:
    from pathlib import Path

    from storage.records import StudyRecord


@dataclass(frozen=True)
class Imported:
    """A study that was imported.

    Attributes:
        study: It.
        notes: How a table was read, where that may surprise; none of an exported study.
    """

    study: StudyRecord
    notes: tuple[str, ...] = ()


def import_from(source: Path, storage: str, name: str | None, num_train: int | None) -> Imported:
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
            return Imported(import_study(ledger, source, name))
    if name is None:
        raise InputError("say how the study is to be called with --name")
    table = read_published(source, num_train)
    with Ledger.open(url, create=True) as ledger:
        return Imported(import_published(ledger, name, table, _running()), table.notes)


def _running() -> dict[str, object]:
    """Prices, tolerance and target as a spec without them has them."""
    fields = StudySpec.model_fields
    return {name: fields[name].default for name in ("policy", "tolerance", "target_dsc")} | {
        "prices": PriceSpec().model_dump(mode="json")
    }
