"""The claims that this driver holds, and a thread that renews their leases."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from search.policy.stop_rule import StopDecision
    from storage.ledger.ledger import Ledger
    from storage.records import Claim, Evaluation

SILENT_EVALUATIONS = 10
SILENT_SECONDS_UNKNOWN = 24 * 3600.0  # for a trial whose first evaluation is still to come

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EndedTrial:
    """What was held of a Ray trial that has ended.

    Attributes:
        claim: Of its cell.
        unrecorded_seconds: Device seconds of work since the last record.
        decision: Why its training was stopped; None where it was not.
    """

    claim: Claim
    unrecorded_seconds: float
    decision: StopDecision | None


@dataclass
class _Held:
    claim: Claim
    working_since: float | None = None
    curve: Sequence[Evaluation] = field(default=())
    decision: StopDecision | None = None

    def silent_for(self, now: float) -> float:
        return 0.0 if self.working_since is None else now - self.working_since


class HeldClaims:
    """Claims by Ray trial, with the moment since which each works unrecorded; safe to use from several threads."""

    def __init__(self, device_share: float) -> None:
        """Hold nothing yet. ``device_share``: GPU fraction, or CPUs, of a trial."""
        self._device_share = device_share
        self._held: dict[str, _Held] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many claims are held."""
        return len(self._held)

    def add(self, ray_trial_id: str, claim: Claim, curve: Sequence[Evaluation] = ()) -> None:
        """Hold a claim, with the curve that the cell has already; its work has not begun."""
        with self._lock:
            self._held[ray_trial_id] = _Held(claim, curve=curve)

    def find(self, ray_trial_id: str) -> Claim | None:
        """The claim of a Ray trial, if it is still held."""
        held = self._held.get(ray_trial_id)
        return None if held is None else held.claim

    def mark_working(self, ray_trial_id: str, curve: Sequence[Evaluation] | None = None) -> None:
        """From now on its seconds are unrecorded: it has started, or its curve was just recorded."""
        with self._lock:
            if held := self._held.get(ray_trial_id):
                held.working_since = time.monotonic()
                held.curve = held.curve if curve is None else curve

    def note_decision(self, ray_trial_id: str, decision: StopDecision | None) -> None:
        """Note what the stop rule says of the trial's newest report: Tune itself passes on no more than a yes or no."""
        with self._lock:
            if held := self._held.get(ray_trial_id):
                held.decision = decision

    def remove(self, ray_trial_id: str) -> EndedTrial | None:
        """Hold it no longer; returns what was held, None where that was nothing."""
        with self._lock:
            held = self._held.pop(ray_trial_id, None)
        if held is None:
            return None
        return EndedTrial(held.claim, self._unrecorded(held, time.monotonic()), held.decision)

    def drop(self, claims: Sequence[Claim]) -> None:
        """Hold these no longer: they were given away."""
        with self._lock:
            self._held = {name: held for name, held in self._held.items() if held.claim not in claims}

    def remove_all(self) -> list[Claim]:
        """Hold nothing any longer."""
        with self._lock:
            claims = [held.claim for held in self._held.values()]
            self._held.clear()
        return claims

    def unrecorded_seconds(self) -> dict[Claim, float]:
        """Device seconds of work since the last record; 0 for a claim whose work has not begun."""
        now = time.monotonic()
        with self._lock:
            return {held.claim: self._unrecorded(held, now) for held in self._held.values()}

    def _unrecorded(self, held: _Held, now: float) -> float:
        return self._device_share * held.silent_for(now)

    def silent(self, least_seconds: float) -> list[str]:
        """Ray trials without a report for ten times their median evaluation, and for the least seconds."""
        now = time.monotonic()
        with self._lock:
            return [
                name
                for name, held in self._held.items()
                if held.silent_for(now) > silence_limit(held.curve, least_seconds)
            ]


def silence_limit(curve: Sequence[Evaluation], least_seconds: float) -> float:
    """After how many seconds without a report a trial with this curve is taken for hung."""
    if not curve:
        return max(SILENT_SECONDS_UNKNOWN, least_seconds)
    return max(SILENT_EVALUATIONS * median(point.train_seconds + point.val_seconds for point in curve), least_seconds)


class LeaseKeeper:
    """Renews all leases of a driver from a thread of its own, so that a long evaluation does not lose its cell."""

    def __init__(self, ledger: Ledger, held: HeldClaims, *, every_seconds: float) -> None:
        """Start with `with`."""
        self._ledger, self._held, self._every_seconds = ledger, held, every_seconds
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
        working = self._held.unrecorded_seconds()
        if not working:
            return
        try:
            self._held.drop(self._ledger.renew(working))
        except Exception as error:  # noqa: BLE001 - the database may come back before the lease ends
            log.warning("could not renew the leases: %s", error)
