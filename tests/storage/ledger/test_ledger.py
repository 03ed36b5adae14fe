"""The ledger: opened, its studies, and how cells are laid out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import optuna
import pytest
import sqlalchemy as sa

from storage.database.schema import holds_studies
from storage.database.tables import SCHEMA_VERSION, orders, spec_changes, studies
from storage.errors import StorageError
from storage.ledger.ledger import Ledger
from storage.records import CellState
from tests.helpers.ledgers import US, claim_first, first, make_study, plans, study_of

if TYPE_CHECKING:
    from storage.records import StudyRecord


def test_a_ledger_is_made_where_none_is(storage_url: str) -> None:
    """Looking makes nothing; `create` makes the tables once, and again changes nothing."""
    assert not holds_studies(storage_url)
    with Ledger.open(storage_url, create=True) as ledger:
        make_study(ledger)
    with Ledger.open(storage_url, create=True) as ledger:
        assert ledger.study_names() == ["study"]
    assert holds_studies(storage_url)


def test_a_storage_without_study_is_refused_and_stays_as_it_was(storage_url: str) -> None:
    """Opening a database without studies says how one is started, and makes neither a file nor a table."""
    with pytest.raises(StorageError, match=r"no dicecurve study in .*; start one with `dicecurve run`"):
        Ledger.open(storage_url)
    database = sa.make_url(storage_url)
    if database.get_backend_name() == "sqlite":
        assert not Path(str(database.database)).exists()
    else:
        engine = sa.create_engine(database)
        assert sa.inspect(engine).get_table_names() == []
        engine.dispose()


def test_tables_of_another_version_are_refused(ledger: Ledger, study: StudyRecord) -> None:
    """A study that a later version wrote is not read wrongly."""
    with ledger.engine.begin() as connection:
        connection.execute(studies.update().values(schema_version=99))
    said = f"study 'study' has tables of version 99, this dicecurve reads {SCHEMA_VERSION}"
    with pytest.raises(StorageError, match=said):
        ledger.find_study(study.name)


def test_a_study_is_made_once(ledger: Ledger) -> None:
    """A second driver gets the study that is there, with what the first one wrote."""
    made = make_study(ledger)
    again = ledger.create_study(
        "study", identity={}, running={}, fingerprint="0" * 64, split={}, groups={}, facts={"d0": 0.9}
    )
    assert again == made == ledger.find_study("study")
    assert made.split == {"train": ["b", "a"], "validation": ["c"], "test": ["d"]}
    assert ledger.study_names() == ["study"]
    assert ledger.find_study("other") is None


def test_two_studies_share_a_database(ledger: Ledger, study: StudyRecord) -> None:
    """Cells of one name in two studies are two cells."""
    other = make_study(ledger, "other")
    ledger.layout(other.study_id, plans(2))
    assert ledger.study_names() == ["study", "other"]
    claim_first(ledger, other)
    assert first(ledger, study).state == CellState.WAITING
    assert [cell.trial_number for cell in ledger.cells(other.study_id)] == [0, 1]


def test_a_half_made_study_is_completed(ledger: Ledger) -> None:
    """A driver that died after Optuna's row and before ours is made up for."""
    storage = optuna.storages.RDBStorage(ledger.url)
    storage.create_new_study([optuna.study.StudyDirection.MAXIMIZE], "study")
    storage.engine.dispose()
    assert ledger.find_study("study") is None
    assert make_study(ledger).name == "study"


def test_a_layout_adds_what_is_missing(ledger: Ledger) -> None:
    """A repeated layout adds nothing; a larger grid adds its new cells and leaves the others alone."""
    study_id = make_study(ledger).study_id
    assert ledger.layout(study_id, plans(3)) == 3
    assert ledger.layout(study_id, plans(3)) == 0
    ledger.claim(study_id, [plans(3)[1].key], US)
    assert ledger.layout(study_id, plans(5)) == 2
    cells = ledger.cells(study_id)
    assert [cell.plan for cell in cells] == plans(5)
    assert [cell.trial_number for cell in cells] == [0, 1, 2, 3, 4]
    assert [cell.state for cell in cells] == ["waiting", "claimed", "waiting", "waiting", "waiting"]
    assert {(cell.attempt, cell.claims, cell.losses) for cell in cells[2:]} == {(1, 0, 0)}
    assert ledger.layout(study_id, []) == 0


def test_a_change_of_the_spec_is_recorded(ledger: Ledger, study: StudyRecord) -> None:
    """The new parts stand in the study, the change in a table of its own, in order."""
    for tolerance in (0.02, 0.03):
        ledger.change_spec(
            study,
            identity=study.identity,
            running={"tolerance": tolerance},
            changes={"tolerance": {"now": tolerance}},
            versions={"torch": "2"},
        )
    assert study_of(ledger).running == {"tolerance": 0.03}
    with ledger.engine.connect() as connection:
        rows = connection.execute(sa.select(spec_changes).order_by(spec_changes.c.id)).all()
    assert [row.changes for row in rows] == [{"tolerance": {"now": 0.02}}, {"tolerance": {"now": 0.03}}]
    assert rows[0].changed_at <= rows[1].changed_at


def test_other_subsets_are_refused(ledger: Ledger, study: StudyRecord) -> None:
    """Cells of a seed whose cases would join in another order are not laid out, and the noted order stays."""
    with ledger.engine.begin() as connection:
        connection.execute(orders.update().values(cases=["b", "a", "x"]))
    with pytest.raises(StorageError, match="subsets of seed 0 differs from that which the study began with"):
        ledger.layout(study.study_id, plans(5))
    assert len(ledger.cells(study.study_id)) == 3
