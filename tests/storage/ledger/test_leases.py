"""Leases: who is gone, and whose cells are free."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from storage.ledger import leases
from storage.ledger.leases import LeaseWatch, is_gone, this_owner
from storage.records import Cell, CellState
from tests.helpers.ledgers import US, plans


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc to see a process end")
def test_a_process_that_ended_is_gone() -> None:
    """Its cells may be taken over at once; those of a process that runs may not."""
    ended = subprocess.run(
        [sys.executable, "-c", "from storage.ledger.leases import this_owner; print(this_owner())"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    assert is_gone(ended)
    assert not is_gone(this_owner())


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc to see a process end")
def test_a_process_id_that_is_used_again_is_another_owner() -> None:
    """The start time tells a former process of this number from us; so does a pid namespace."""
    machine, pid, started = this_owner().rsplit("/", 2)
    assert is_gone(f"{machine}/{pid}/{int(started) - 1}")
    assert not is_gone(f"{machine}-of-another/{pid}/{int(started) - 1}")


class Clock:
    """A monotonic clock that stands still until it is moved."""

    def __init__(self) -> None:
        """Start anywhere."""
        self.now = 1000.0

    def monotonic(self) -> float:
        """The time."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock that leases are watched by."""
    made = Clock()
    monkeypatch.setattr(leases.time, "monotonic", made.monotonic)
    return made


def held(owner: str | None, counter: int = 0, key: str = "a") -> Cell:
    """A cell under a lease."""
    return Cell(replace(plans(1)[0], key=key), CellState.CLAIMED, 1, 1, owner, counter, 0, 0)


def test_a_silent_owner_elsewhere_expires(clock: Clock) -> None:
    """Another machine's process is never seen to end; its cell is free when its counter stood still long enough."""
    watch, cell = LeaseWatch(lease_seconds=5.0), held("elsewhere/boot/ns/1/100")
    assert not is_gone("elsewhere/boot/ns/1/100")
    for _ in range(5):
        assert watch.expired([cell], US) == []
        clock.now += 1
    assert watch.expired([cell], US) == [cell]


def test_an_owner_who_renews_never_expires(clock: Clock) -> None:
    """Every step of the counter starts the wait anew, and so does a new owner."""
    watch = LeaseWatch(lease_seconds=5.0)
    for counter in range(10):
        for _ in range(2):
            assert watch.expired([held("elsewhere/boot/ns/1/100", counter)], US) == []
            clock.now += 2.45
    for _ in range(3):
        assert watch.expired([held("elsewhere/boot/ns/9/900", 9)], US) == []
        clock.now += 2.45
    assert len(watch.expired([held("elsewhere/boot/ns/9/900", 9)], US)) == 1


def test_time_in_which_nobody_looked_does_not_count(clock: Clock) -> None:
    """After an hour's sleep, or an hour without a database, a silent owner has its whole lease once more."""
    watch, cell = LeaseWatch(lease_seconds=5.0), held("elsewhere/boot/ns/1/100")
    watch.expired([cell], US)
    clock.now += 3600
    for _ in range(5):
        assert watch.expired([cell], US) == []
        clock.now += 1
    assert watch.expired([cell], US) == [cell]


def test_our_own_and_free_cells_do_not_expire(clock: Clock) -> None:
    """We do not take from ourselves, and nobody holds a waiting cell."""
    watch = LeaseWatch(lease_seconds=5.0)
    cells = [held("elsewhere/boot/ns/1/100"), held(None, key="b")]
    assert watch.expired(cells, "elsewhere/boot/ns/1/100") == []
    for _ in range(10):
        clock.now += 2
        assert watch.expired(cells, "elsewhere/boot/ns/1/100") == []


def test_cells_are_watched_apart(clock: Clock) -> None:
    """A cell that was seen later expires later."""
    watch = LeaseWatch(lease_seconds=5.0)
    one, two = held("elsewhere/boot/ns/1/100", key="a"), held("elsewhere/boot/ns/2/200", key="b")
    watch.expired([one], US)
    clock.now += 2.5
    watch.expired([one, two], US)
    clock.now += 2.5
    assert watch.expired([one, two], US) == [one]
