"""Database URLs and engines: what is refused, what is hidden, and that no write is lost."""

from __future__ import annotations

import multiprocessing
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from storage.database.engine import connect, reading
from storage.database.urls import hide_password, normalise_url
from storage.errors import StorageError

if TYPE_CHECKING:
    from multiprocessing.synchronize import Barrier
    from pathlib import Path

PROCESSES = 8
INCREMENTS = 50


def test_a_relative_path_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker in another folder opens the same file; an absolute path stays as it is."""
    monkeypatch.chdir(tmp_path)
    absolute = f"sqlite:///{tmp_path / 'study.db'}"
    assert normalise_url("sqlite:///study.db") == absolute
    assert normalise_url(absolute) == absolute


def test_another_database_keeps_its_url() -> None:
    """The password of a server stays in the URL that is used to connect."""
    url = "postgresql://ana:geheim@db.example/dice"
    assert normalise_url(url) == url


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite://", "storage must be a file, since several processes share it"),
        ("sqlite:///:memory:", "storage must be a file, since several processes share it"),
        ("sqlite:///missing/study.db", "the folder of the storage does not exist: .*missing; make it first"),
        ("sqlite:///folder", "cannot write to the storage .*folder; choose another file"),
        ("study.db", "storage must be a database URL such as sqlite:///dicecurve.db, got 'study.db'"),
        ("", "storage must be a database URL"),
        ("postgresql://ana:geheim@db.example:port/dice", "storage must be a database URL"),
    ],
)
def test_a_url_that_cannot_be_is_refused(
    url: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rule, the value and the option are named, and nothing is made."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    with pytest.raises(StorageError, match=f"{message}.*--storage"):
        normalise_url(url)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize("url", ["postgresql://ana:geheim@db.example:5432/dice", "mysql://ana:geheim@h/d?charset=utf8"])
def test_a_password_is_hidden(url: str) -> None:
    """What is printed holds user and host, not the password."""
    printed = hide_password(url)
    assert "geheim" not in printed
    assert printed == url.replace("geheim", "***")


def test_a_password_in_the_query_is_hidden_too() -> None:
    """As libpq takes it."""
    assert "geheim" not in hide_password("postgresql://db.example/dice?user=ana&password=geheim")


def test_a_url_without_password_is_printed_as_it_is(storage_url: str) -> None:
    """A SQLite path can be copied from a message."""
    assert hide_password(storage_url) == storage_url


def test_a_file_that_is_no_database_is_refused(tmp_path: Path, storage_url: str) -> None:
    """The message says what the file is not, and the file stays as it was."""
    file = tmp_path / "study.db"
    file.write_text("depth,cases\n3,70\n" * 100)
    before = file.read_bytes()
    with pytest.raises(
        StorageError, match=r"cannot open the storage .*study\.db: file is not a database \(--storage\)"
    ):
        connect(storage_url)
    assert file.read_bytes() == before


def test_an_unknown_kind_of_database_is_refused() -> None:
    """A scheme without driver is a message, not a traceback."""
    with pytest.raises(StorageError, match="cannot open the storage oracel://h/d"):
        connect("oracel://h/d")


def test_a_failed_connection_does_not_tell_the_password() -> None:
    """Neither a missing driver nor a server that is down prints it."""
    with pytest.raises(StorageError) as caught:
        connect("postgresql://ana:geheim@127.0.0.1:1/dice")
    assert "geheim" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_read_does_not_wait_for_a_writer(storage_url: str) -> None:
    """A status is shown while a driver holds the write lock, and sees what was committed."""
    engine = connect(storage_url)
    _make_counter(engine)
    try:
        with engine.begin() as writer:
            writer.execute(sa.text("UPDATE counter SET n = 7"))
            with reading(engine) as reader:
                assert reader.execute(sa.text("SELECT n FROM counter")).scalar() == 0
        with reading(engine) as reader:
            assert reader.execute(sa.text("SELECT n FROM counter")).scalar() == 7
    finally:
        engine.dispose()


def test_no_increment_of_many_processes_is_lost(storage_url: str) -> None:
    """Reading a row and then writing it is one step, however many processes do so."""
    engine = connect(storage_url)
    _make_counter(engine)
    spawn = multiprocessing.get_context("spawn")
    barrier = spawn.Barrier(PROCESSES)
    workers = [spawn.Process(target=_increment, args=(storage_url, barrier)) for _ in range(PROCESSES)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    with reading(engine) as connection:
        total = connection.execute(sa.text("SELECT n FROM counter")).scalar()
    engine.dispose()
    assert [worker.exitcode for worker in workers] == [0] * PROCESSES
    assert total == PROCESSES * INCREMENTS


def _make_counter(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE counter (n INTEGER)"))
        connection.execute(sa.text("INSERT INTO counter VALUES (0)"))


def _increment(url: str, barrier: Barrier) -> None:
    engine = connect(url)
    barrier.wait(60)
    for _ in range(INCREMENTS):
        with engine.begin() as connection:
            n = connection.execute(sa.text("SELECT n FROM counter")).scalar_one()
            connection.execute(sa.text("UPDATE counter SET n = :n"), {"n": n + 1})
    engine.dispose()
