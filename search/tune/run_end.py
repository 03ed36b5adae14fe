"""Why a run ends before its last cell, told once and heard by searcher, stopper and driver."""

from __future__ import annotations

import threading
from enum import StrEnum


class RunEnd(StrEnum):
    """How a run ended."""

    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    LIMIT = "limit"
    DISK_FULL = "disk full"
    DATABASE_AWAY = "database away"
    NODE_UNFIT = "node unfit"


class StopSignal:
    """Set from a signal handler or the searcher; the first reason stands."""

    def __init__(self) -> None:
        """Nothing has ended yet."""
        self._event = threading.Event()
        self.end = RunEnd.FINISHED
        self.reason: str | None = None

    def set(self, end: RunEnd, reason: str | None = None) -> None:
        """End the run; the reason says what a person should put right."""
        if not self._event.is_set():
            self.end, self.reason = end, reason
        self._event.set()

    def is_set(self) -> bool:
        """Whether the run is to end."""
        return self._event.is_set()
