"""Who holds a cell, without clocks: an owner is one process, known by host, boot, pid namespace, pid and start time."""

from __future__ import annotations

import os
import socket
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from storage.records import Cell


def this_owner() -> str:
    """The name under which this process holds cells."""
    return f"{_machine()}/{os.getpid()}/{_start_time(os.getpid())}"


def is_gone(owner: str) -> bool:
    """Whether an owner on this very machine no longer runs; False for every other machine, which cannot be seen."""
    machine, pid, started = owner.rsplit("/", 2)
    return machine == _machine() and _start_time(int(pid)) != started


@dataclass
class LeaseWatch:
    """Watches the counters of other owners on our own monotonic clock; wall clocks are never compared.

    Only time in which we looked counts: while the database was away, or we slept, nobody could renew. So the wait
    begins anew when there was no look for half a lease.

    Attributes:
        lease_seconds: How long a counter must stand still before its cell may be taken back.
    """

    lease_seconds: float
    _seen: dict[str, tuple[tuple[str | None, int], float]] = field(default_factory=dict)
    _last_look: float = field(default_factory=time.monotonic)

    def expired(self, cells: Iterable[Cell], us: str) -> list[Cell]:
        """Those cells whose owner is gone, or whose counter stood still for long enough."""
        now = time.monotonic()
        if now - self._last_look > self.lease_seconds / 2:
            self._seen.clear()
        self._last_look = now
        others = [cell for cell in cells if cell.owner is not None and cell.owner != us]
        return [cell for cell in others if self._has_expired(cell, now)]

    def _has_expired(self, cell: Cell, now: float) -> bool:
        assert cell.owner is not None
        if is_gone(cell.owner):
            return True
        lease = (cell.owner, cell.counter)
        last, since = self._seen.get(cell.plan.key, (None, now))
        if last != lease:
            self._seen[cell.plan.key] = (lease, now)
            return False
        return now - since >= self.lease_seconds


def _machine() -> str:
    return f"{socket.gethostname()}/{_read('/proc/sys/kernel/random/boot_id')}/{_namespace()}"


def _namespace() -> str:
    return str(Path("/proc/self/ns/pid").readlink()) if sys.platform == "linux" else "-"


def _start_time(pid: int) -> str:
    """Clock ticks from boot to the start of a process (field 22 of stat); "" if there is no such process.

    Without /proc (macOS) a living process counts as the owner: the lease then ends by its counter alone.
    """
    if sys.platform == "linux":
        stat = _read(f"/proc/{pid}/stat")
        fields = stat.rpartition(")")[2].split()
        return "" if not fields or fields[0] in "ZX" else fields[19]
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    return "-"


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""
