"""Waiting for a database that is away, with real servers and real locks."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError, ProgrammingError

from storage.database.postgres_server import PrivateServer
from storage.database.retry import RetryPolicy
from storage.errors import StorageError
from storage.ledger.ledger import Ledger
from storage.records import CellPlan
from tests.helpers.ledgers import NO_PARTS, US

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PLANS = [CellPlan(f"ratio0.{i}-depth3-seed0", i / 10, 3, 0, i, 1000) for i in (1, 2, 3)]


@pytest.fixture(scope="module")
def server(server_root: Path) -> Iterator[PrivateServer]:
    """A server that may be stopped."""
    made = PrivateServer(server_root / "retry")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def url(server: PrivateServer) -> str:
    """Its database, with the password file."""
    return f"{server.url}?passfile={server.password_file}"


def test_calls_wait_for_a_server_that_comes_back(server: PrivateServer, url: str) -> None:
    """The server dies and returns a second later: the call that met it gives its result, and nothing is there twice."""
    with Ledger.open(url, create=True, retry_policy=RetryPolicy(60)) as ledger:
        study = ledger.create_study("away", **NO_PARTS)
        server.stop("immediate")
        back = threading.Timer(1.0, server.start)
        back.start()
        started = time.monotonic()
        assert ledger.layout(study.study_id, PLANS) == 3
        assert time.monotonic() - started >= 0.9
        back.join()
        assert ledger.claim(study.study_id, [PLANS[0].key], US) is not None
        server.stop()
        server.start()
        assert [cell.owner for cell in ledger.cells(study.study_id)] == [US, None, None]


def test_without_a_retry_policy_the_first_failure_counts(server: PrivateServer, url: str) -> None:
    """A status says at once that the database is away, and what to do; it names no password."""
    with Ledger.open(url, create=True) as ledger:
        server.stop()
        try:
            with pytest.raises(StorageError, match=r"the database is away: .*the same command goes on") as caught:
                ledger.study_names()
        finally:
            server.start()
    assert server.password_file.read_text().rsplit(":", 1)[1].strip() not in str(caught.value)


def test_retries_that_ran_out_are_not_begun_again(server: PrivateServer, url: str) -> None:
    """After one call has waited in vain the next ones fail at once, until the database has answered."""
    with Ledger.open(url, create=True, retry_policy=RetryPolicy(0.5)) as ledger:
        server.stop()
        try:
            with pytest.raises(StorageError):
                ledger.study_names()
            started = time.monotonic()
            with pytest.raises(StorageError):
                ledger.study_names()
            assert time.monotonic() - started < 0.4
        finally:
            server.start()
        ledger.study_names()


def test_a_claim_whose_answer_was_lost_is_found_again(storage_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commit took place, the answer did not arrive: the cell is claimed under a number that is ours alone."""
    with Ledger.open(storage_url, create=True, retry_policy=RetryPolicy(5)) as ledger:
        study = ledger.create_study("lost answer", **NO_PARTS)
        ledger.layout(study.study_id, PLANS)
        whole = Ledger._claim

        def answer_is_lost(self: Ledger, *args: object, again: bool) -> object:
            claim = whole(self, *args, again=again)  # type: ignore[arg-type]
            if not again:
                raise OperationalError("COMMIT", {}, Exception("gone"), connection_invalidated=True)
            return claim

        monkeypatch.setattr(Ledger, "_claim", answer_is_lost)
        claim = ledger.claim(study.study_id, [PLANS[0].key], US)
        assert claim is not None
        assert (claim.number, claim.owner) == (2, US)
        assert ledger.renew({claim: 1.0}) == []


def test_a_lock_that_is_held_for_long_is_waited_for(tmp_path: Path) -> None:
    """On SQLite a backup holds the lock longer than a connection waits: the call is repeated."""
    url = f"sqlite:///{tmp_path}/study.db"
    with Ledger.open(url, create=True, retry_policy=RetryPolicy(30)) as ledger:
        study = ledger.create_study("locked", **NO_PARTS)
        sa.event.listen(ledger.engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout = 10"))
        ledger.engine.dispose()
        other = sa.create_engine(url, isolation_level="AUTOCOMMIT")
        with other.connect() as holder:
            holder.exec_driver_sql("BEGIN EXCLUSIVE")
            done = threading.Thread(target=lambda: ledger.layout(study.study_id, PLANS))
            done.start()
            time.sleep(0.4)
            holder.exec_driver_sql("ROLLBACK")
            done.join(30)
        other.dispose()
        assert len(ledger.cells(study.study_id)) == 3


def test_a_defect_is_no_reason_to_wait(storage_url: str) -> None:
    """A statement that is wrong fails at once, whatever the retry policy."""
    policy = RetryPolicy(60)
    error = ProgrammingError("SELEKT", {}, Exception("syntax"))

    def wrong(_attempt: int) -> None:
        raise error

    with pytest.raises(ProgrammingError):
        policy.call(wrong)
    engine = sa.create_engine(storage_url)
    with engine.connect() as connection, pytest.raises(OperationalError, match="no such table"):
        policy.call(lambda _: connection.exec_driver_sql("SELECT 1 FROM nowhere"))
    engine.dispose()
