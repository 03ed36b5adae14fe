"""A study as Optuna's own API reads it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import optuna
from optuna.storages import RDBStorage

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def optuna_study(url: str, name: str) -> Iterator[optuna.Study]:
    """The study, until its connections are closed."""
    storage = RDBStorage(url)
    try:
        yield optuna.load_study(study_name=name, storage=storage)
    finally:
        storage.remove_session()
        storage.engine.dispose()


def system_attributes(study: optuna.Study) -> dict[str, object]:
    """What Optuna and its dashboard note of a study."""
    return study._storage.get_study_system_attrs(study._study_id)
