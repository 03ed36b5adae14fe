"""Every promise of the ledger is kept on every backend."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from storage.ledger.ledger import Ledger
from tests.helpers.backends import Backend, PostgresServer, SqliteFiles
from tests.helpers.ledgers import make_study, plans, study_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from storage.records import StudyRecord


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Backend:
    """SQLite and PostgreSQL."""
    if request.param == "sqlite":
        return SqliteFiles(tmp_path_factory.mktemp("sqlite"))
    return PostgresServer(request.getfixturevalue("postgres_url"))


@pytest.fixture(scope="module")
def templates(backend: Backend) -> tuple[str, str]:
    """Two databases, made once: one with all tables, one with a study of three cells besides."""
    empty, filled = backend.database(), backend.database()
    with Ledger.open(empty, create=True):
        pass
    with Ledger.open(filled, create=True) as ledger:
        ledger.layout(make_study(ledger).study_id, plans(3))
    return empty, filled


@pytest.fixture
def storage_url(backend: Backend) -> str:
    """A database without tables; on SQLite a file that does not exist yet."""
    return backend.database()


@pytest.fixture
def ledger(request: pytest.FixtureRequest, backend: Backend, templates: tuple[str, str]) -> Iterator[Ledger]:
    """An open ledger; without studies, unless the test asks for one."""
    empty, filled = templates
    with Ledger.open(backend.database(filled if "study" in request.fixturenames else empty), create=True) as opened:
        yield opened


@pytest.fixture
def study(ledger: Ledger) -> StudyRecord:
    """A study of three cells."""
    return study_of(ledger)
