"""Hands the stop rule to Ray Tune: it runs in the driver, before the searcher sees a result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ray import tune

from search.trainable import TrainReport

if TYPE_CHECKING:
    from search.decisions import Decisions
    from search.live_claims import LiveClaims
    from search.stop_signal import StopSignal


class ForecastStopper(tune.Stopper):
    """Stops a trial with a written reason, and everything when the stop event is set."""

    def __init__(self, decisions: Decisions, live: LiveClaims, stop: StopSignal) -> None:
        """Keep nothing that the ledger could not rebuild."""
        self._decisions = decisions
        self._live = live
        self._stop = stop

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        """Whether to stop; the decision travels to the searcher inside the result."""
        claim = self._live.find(trial_id)
        if claim is None:
            return True  # the cell was given to another driver: what this worker does no longer counts
        report = result["report"]
        trains = isinstance(report, TrainReport) and not report.finished
        decision = self._decisions.stop(claim.plan, report.curve) if trains else None
        result["stop_decision"] = decision
        return decision is not None

    def stop_all(self) -> bool:
        """Whether the whole run is to end."""
        return self._stop.is_set()

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Tune pickles its parts, but we never restore from that."""
        return {}
