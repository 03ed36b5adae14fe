"""A database of an earlier version still opens, is migrated, and is taken up where it was left."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from optuna.storages import RDBStorage

from storage.database.schema import OPTUNA_REVISION
from storage.database.tables import SCHEMA_VERSION, metadata
from storage.errors import StorageError
from storage.frames.study_frames import cells_frame, costs_frame, curves_frame
from storage.ledger.cell_records import cell_records, spent_seconds
from storage.ledger.ledger import Ledger
from storage.records import CellState, Scores
from tests.helpers.ledgers import claim_cell, record, study_of
from tests.helpers.paths import RECORDED, ROOT

if TYPE_CHECKING:
    from pathlib import Path

FROZEN = sorted(RECORDED.glob("frozen_v*.sql"))


@pytest.fixture(params=FROZEN, ids=lambda path: path.stem)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The database of each version, thawed."""
    with sqlite3.connect(tmp_path / "frozen.db") as connection:
        connection.executescript(request.param.read_text())
    connection.close()
    return f"sqlite:///{tmp_path}/frozen.db"


def test_every_version_is_frozen() -> None:
    """Each version of our tables up to the last but one has its database; the present one is made by a command."""
    assert [path.stem for path in FROZEN] == [f"frozen_v{number}" for number in range(1, SCHEMA_VERSION + 1)]


def test_it_opens_with_all_it_held(url: str) -> None:
    """Cells, curves, costs, scores and reasons are there; tables and study are of the present version."""
    with Ledger.open(url) as ledger:
        study = study_of(ledger, "frozen")
        records = cell_records(ledger, study.study_id)
        assert [cell.cell.state for cell in records] == ["done", "test", "waiting", "claimed", "failed", "waiting"]
        assert [len(cell.curve) for cell in records] == [3, 3, 2, 1, 1, 0]
        assert records[0].attempt.scores is not None
        assert records[4].attempt.failure == "the loss is nan at step 60"
        assert spent_seconds(ledger, study.study_id) == pytest.approx(10 * 1.5 + 0.75 + 0.25)
        for frame in (cells_frame, curves_frame, costs_frame):
            assert len(frame(ledger, study.study_id))
        inspector = sa.inspect(ledger.engine)
        for name, table in metadata.tables.items():
            assert {column["name"] for column in inspector.get_columns(name)} == {column.name for column in table.c}
    with Ledger.open(url) as ledger:  # once migrated, nothing is left to do
        assert ledger.find_study("frozen") == study


@pytest.mark.parametrize("path", FROZEN, ids=lambda path: path.stem)
def test_its_cells_are_of_the_protocol_s_own_variant_before_version_4(path: Path, tmp_path: Path) -> None:
    """Since then one waits that is of another."""
    with sqlite3.connect(tmp_path / "frozen.db") as connection:
        connection.executescript(path.read_text())
    connection.close()
    with Ledger.open(f"sqlite:///{tmp_path}/frozen.db") as ledger:
        study = study_of(ledger, "frozen")
        *others, last = (cell.plan.variant for cell in ledger.cells(study.study_id))
    assert set(others) == {""}
    assert last == ("" if path.stem in {"frozen_v1", "frozen_v2", "frozen_v3"} else "loss=dice_ce")


def test_it_is_taken_up(url: str) -> None:
    """The waiting cells are claimed and finished, the failed one is tried again, the dead owner's is taken back."""
    with Ledger.open(url, create=True) as ledger:
        study = study_of(ledger, "frozen")
        claimed = next(cell for cell in ledger.cells(study.study_id) if cell.owner is not None)
        assert ledger.take_back(study.study_id, claimed)
        for cell in ledger.cells(study.study_id):
            if cell.state == CellState.FAILED:
                assert ledger.retry(study.study_id, cell.plan.key)
        while open_cells := [cell for cell in ledger.cells(study.study_id) if cell.state.is_open]:
            claim = claim_cell(ledger, study, open_cells[0].plan.key)
            if claim.phase == "train":
                record(ledger, claim, 3)
                ledger.send_to_test(claim, stop_reason=None, forecast=None)
            else:
                ledger.finish(claim, CellState.DONE, value=0.53, scores=Scores(3, ((1, 1, 1),) * 2, (), 0.1), facts={})
        records = cell_records(ledger, study.study_id)
        assert {cell.cell.state for cell in records} == {CellState.DONE}
        assert [len(cell.curve) for cell in records] == [3] * 6


def test_the_command_line_reads_it(url: str) -> None:
    """`dicecurve status` and `export` work on it."""
    said = subprocess.run(
        [sys.executable, "-m", "studies", "status", "--json", "--storage", url],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(said.stdout)["cells"] == 6


def test_the_installed_optuna_makes_the_tables_that_we_write() -> None:
    """A new Optuna with other tables shows here, before any study meets it."""
    assert RDBStorage("sqlite:///:memory:").get_head_version() == OPTUNA_REVISION


def test_tables_of_another_optuna_are_refused(url: str) -> None:
    """We write Optuna's tables by ourselves: a revision that we do not know is not touched."""
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = 'v9.9.9'"))
    engine.dispose()
    with pytest.raises(StorageError, match=r"made by another version of Optuna: .* revision v9\.9\.9"):
        Ledger.open(url)
