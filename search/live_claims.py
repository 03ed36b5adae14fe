"""The claims that this driver holds, and a thread that renews their leases."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

    from storage.ledger import Ledger
    from storage.records import Claim

log = logging.getLogger(__name__)


@dataclass
class _Held:
    claim: Claim
    working_since: float | None = None


class LiveClaims:
    """Claims by Ray trial, with the moment since which each works unrecorded; safe to use from several threads."""

    def __init__(self) -> None:
        """Hold nothing yet."""
        self._held: dict[str, _Held] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many claims are held."""
        return len(self._held)

    def add(self, ray_trial_id: str, claim: Claim) -> None:
        """Hold a claim; its work has not begun."""
        with self._lock:
            self._held[ray_trial_id] = _Held(claim)

    def find(self, ray_trial_id: str) -> Claim | None:
        """The claim of a Ray trial, if it is still held."""
        held = self._held.get(ray_trial_id)
        return None if held is None else held.claim

    def mark_working(self, ray_trial_id: str) -> None:
        """From now on its seconds are unrecorded: it has started, or was just recorded."""
        with self._lock:
            if ray_trial_id in self._held:
                self._held[ray_trial_id].working_since = time.monotonic()

    def remove(self, ray_trial_id: str) -> Claim | None:
        """Hold it no longer."""
        with self._lock:
            held = self._held.pop(ray_trial_id, None)
        return None if held is None else held.claim

    def remove_all(self) -> list[Claim]:
        """Hold nothing any longer."""
        with self._lock:
            claims = [held.claim for held in self._held.values()]
            self._held.clear()
        return claims

    def unrecorded_seconds(self) -> dict[str, float]:
        """Wall seconds of work since the last record, by cell key."""
        now = time.monotonic()
        with self._lock:
            return {
                held.claim.plan.key: now - held.working_since
                for held in self._held.values()
                if held.working_since is not None
            }


class LeaseKeeper:
    """Renews all leases of an owner from a thread of its own, so that a long evaluation does not lose its cell."""

    def __init__(
        self, ledger: Ledger, study_id: int, owner: str, live: LiveClaims, *, every_seconds: float, device_share: float
    ) -> None:
        """Start with `with`."""
        self._ledger, self._study_id, self._owner, self._live = ledger, study_id, owner, live
        self._every_seconds, self._device_share = every_seconds, device_share
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease-keeper", daemon=True)

    def __enter__(self) -> Self:
        """Start the thread."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the thread, with a last renewal that notes what was worked."""
        self._end.set()
        self._thread.join()
        self._renew()

    def _run(self) -> None:
        while not self._end.wait(self._every_seconds):
            self._renew()

    def _renew(self) -> None:
        seconds = {key: s * self._device_share for key, s in self._live.unrecorded_seconds().items()}
        try:
            self._ledger.renew(self._study_id, self._owner, seconds)
        except Exception:  # the database may come back before the lease ends; a missed renewal is no reason to die
            log.exception("could not renew the leases")
