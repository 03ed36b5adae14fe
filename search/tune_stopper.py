"""Hands the stop rule to Ray Tune: it runs in the driver, before the searcher sees a result."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ray import tune

from search.stop_rule import StopDecision, StopSpec, decide
from search.trainable import TrainReport

if TYPE_CHECKING:
    from models.forecaster.forecast import Forecaster
    from search.live_claims import LiveClaims
    from search.policy import PolicyName
    from search.stop_signal import StopSignal

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StopContext:
    """What the stop rule must know besides the curve."""

    policy: PolicyName
    evaluations: int
    d0: float
    tolerance: float
    spec: StopSpec
    forecaster: Forecaster


class ForecastStopper(tune.Stopper):
    """Stops a trial with a written reason, and everything when the stop event is set."""

    def __init__(self, context: StopContext, live: LiveClaims, stop: StopSignal) -> None:
        """Keep nothing that the ledger could not rebuild."""
        self._context = context
        self._live = live
        self._stop = stop

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        """Whether to stop; the decision travels to the searcher inside the result."""
        if self._live.find(trial_id) is None:
            return True  # the cell was given to another driver: what this worker does no longer counts
        report = result["report"]
        if self._context.policy == "grid" or not isinstance(report, TrainReport):
            return False
        decision = self._decide(report)
        result["stop_decision"] = decision
        return decision is not None

    def stop_all(self) -> bool:
        """Whether the whole run is to end."""
        return self._stop.is_set()

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Tune pickles its parts, but we never restore from that."""
        return {}

    def _decide(self, report: TrainReport) -> StopDecision | None:
        c = self._context
        try:
            return decide(
                report.curve,
                evaluations=c.evaluations,
                d0=c.d0,
                tolerance=c.tolerance,
                spec=c.spec,
                forecaster=c.forecaster,
            )
        except Exception:  # an exception here would end the whole study; without a decision the cell trains on
            log.exception("the stop rule failed; the cell trains on")
            return None
