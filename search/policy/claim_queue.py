"""The next cells in the order of the decisions, read together: one reading of a large study serves many free slots."""

from __future__ import annotations

import time
from collections import deque
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from search.policy.decisions import Decisions
    from storage.ledger.ledger import Ledger
    from storage.records import Cell, Claim

KEYS_PER_TRY = 100  # the first of so many cells that is free is claimed in one transaction
CELLS_PER_CLAIM = 500  # so many cells for each claim that a reading serves; fewer are read anew for every claim
OLDEST_SECONDS = 30.0  # by then other drivers, or the policy, may see the study differently


class ClaimQueue:
    """Claims one cell after the other. A list may be a little old: a cell that is taken by then is passed over.

    Attributes:
        others_work: Whether cells were open when they were last read: held by somebody, or taken before we could.
    """

    def __init__(self, ledger: Ledger, study_id: int, owner: str, decisions: Decisions) -> None:
        """Nothing is read yet."""
        self._ledger, self._study_id, self._owner, self._decisions = ledger, study_id, owner, decisions
        self._keys: deque[str] = deque()
        self._serves, self._read_at = 0, 0.0
        self.others_work = False

    def claim(self, read: Callable[[], Sequence[Cell]]) -> Claim | None:
        """The next cell that can be had; None where there is none now.

        Args:
            read: Gives all cells of the study as they stand.
        """
        if self._serves > 0 and time.monotonic() - self._read_at < OLDEST_SECONDS:
            self._serves -= 1
            claim = self._first()
            if claim is not None:
                return claim
        self._look(read)
        return self._first()

    def _look(self, read: Callable[[], Sequence[Cell]]) -> None:
        cells = read()
        self._keys = deque(self._decisions.next_cells(cells) if cells else [])
        self.others_work = bool(self._keys) or any(cell.owner is not None for cell in cells)
        self._serves, self._read_at = len(cells) // CELLS_PER_CLAIM, time.monotonic()

    def _first(self) -> Claim | None:
        while self._keys:
            keys = list(islice(self._keys, KEYS_PER_TRY))
            claim = self._ledger.claim(self._study_id, keys, self._owner)
            for _ in keys if claim is None else keys[: keys.index(claim.plan.key) + 1]:
                self._keys.popleft()
            if claim is not None:
                return claim
        return None
