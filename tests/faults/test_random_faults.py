"""Faults drawn from seeds, over real processes, a real database and real checkpoints; `make faults` draws many more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults.random_faults import PostgresDatabase, SqliteDatabase, run_draw

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.faults.random_faults import Database

DRAWS = 8


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, server_root: Path
) -> Iterator[Database]:
    """One database for all draws; each draw is a study."""
    if request.param == "sqlite":
        yield SqliteDatabase(tmp_path_factory.mktemp("faults") / "study.db")
        return
    made = PostgresDatabase(server_root / "faults")
    yield made
    made.server.stop()


@pytest.mark.parametrize("seed", range(DRAWS))
def test_nothing_is_lost_and_nothing_counts_twice(database: Database, tmp_path: Path, seed: int) -> None:
    """Whatever a draw injects: every cell is done once, with every evaluation that was ever recorded, and its cost."""
    outcome = run_draw(seed, database, tmp_path / "draw")
    assert outcome.is_clean, outcome
