"""Why a run ends before its last cell, told once and heard by searcher, stopper and driver."""

from __future__ import annotations

import threading
from enum import StrEnum


class RunEnd(StrEnum):
    """How a run ended."""

    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    LIMIT = "limit"


class StopSignal:
    """Set from a signal handler or the searcher; the first reason stands."""

    def __init__(self) -> None:
        """Nothing has ended yet."""
        self._event = threading.Event()
        self.end = RunEnd.FINISHED

    def set(self, end: RunEnd) -> None:
        """End the run for this reason."""
        if not self._event.is_set():
            self.end = end
        self._event.set()

    def is_set(self) -> bool:
        """Whether the run is to end."""
        return self._event.is_set()
