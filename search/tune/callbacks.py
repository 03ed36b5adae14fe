"""What Ray Tune calls in the driver: the stop rule, before the searcher sees a result, and the watch on hung trials."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

import ray
from ray import tune

from search.worker.reports import TrainReport

if TYPE_CHECKING:
    from search.policy.decisions import Decisions
    from search.tune.held_claims import HeldClaims
    from search.tune.run_end import StopSignal

LOOKS_PER_SILENCE = 10

log = logging.getLogger(__name__)


class ForecastStopper(tune.Stopper):
    """Stops a trial with a written reason, and everything when the stop event is set."""

    def __init__(self, decisions: Decisions, held: HeldClaims, stop: StopSignal) -> None:
        """Keep nothing that the ledger could not rebuild."""
        self._decisions, self._held, self._stop = decisions, held, stop

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        """Whether to stop; the decision itself is noted with the held claim, where the searcher finds it."""
        claim = self._held.find(trial_id)
        if claim is None:
            return True  # the cell was given to another driver: what this worker does no longer counts
        report = result["report"]
        trains = isinstance(report, TrainReport) and not report.finished
        decision = self._decisions.stop(claim.plan, report.curve) if trains else None
        self._held.note_decision(trial_id, decision)
        return decision is not None

    def stop_all(self) -> bool:
        """Whether the whole run is to end."""
        return self._stop.is_set()

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Tune pickles its parts, but we never restore from that."""
        return {}


class TrialWatch(tune.Callback):
    """Marks the start of work, since the wait for a slot before it costs nothing, and ends silent workers.

    An ended worker is a lost one: the searcher hears so from Tune, and gives the cell back.
    """

    def __init__(self, held: HeldClaims, silent_seconds: float) -> None:
        """Share the searcher's claims."""
        self._held = held
        self._silent_seconds = silent_seconds
        self._next_look = time.monotonic()

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Mark the cell as working."""
        del iteration, trials, info
        self._held.mark_working(trial.trial_id)

    def on_step_begin(self, iteration: int, trials: list[Any], **info: Any) -> None:
        """End the workers that have been silent for too long."""
        del iteration, info
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + self._silent_seconds / LOOKS_PER_SILENCE
        silent = set(self._held.silent(self._silent_seconds))
        for trial in trials if silent else ():
            actor = trial.temporary_state.ray_actor
            if trial.trial_id in silent and actor is not None:
                log.warning("a trial has been silent for too long; its worker is ended, and the cell waits again")
                ray.kill(actor)

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Tune pickles its parts, but we never restore from that."""
        return {}
