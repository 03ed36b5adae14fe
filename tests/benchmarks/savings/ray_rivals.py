"""Ray Tune's own schedulers and its plateau stopper, driven over a recorded surface in Tune's order of calls.

Read in Tune 2.60's controller: every trial is added at the start (up to 200 may be pending); what waits for a worker is
first come, first served; a result goes to the stopper, then to the scheduler; a trial that was paused takes a worker
again only when the scheduler chooses it. Pausing and resuming cost nothing here.
"""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from ray.tune.experiment import Trial
from ray.tune.schedulers import ASHAScheduler, FIFOScheduler, HyperBandScheduler, MedianStoppingRule, TrialScheduler
from ray.tune.stopper import NoopStopper, TrialPlateauStopper

from search.policy.stop_rule import TAKE_OFF_ABOVE_D0
from tests.benchmarks.savings.answers import D0, answered, ended_runs
from tests.benchmarks.savings.surface import Run

if TYPE_CHECKING:
    from ray.tune.stopper import Stopper

    from tests.benchmarks.savings.surface import Integers, Outcome, Surface

TIME, METRIC = "training_iteration", "val_dsc"
WORKERS = 4
MEDIAN_GRACE = 5  # evaluations; its default of 60 is meant in seconds


@dataclass(eq=False)
class RecordedTrial:
    """What schedulers ask of a trial, over one cell's recorded curve."""

    trial_id: str
    cell: int
    status: str = Trial.PENDING
    is_saving: bool = False
    last_result: dict[str, Any] = field(default_factory=dict)


class RecordedTune:
    """A controller over recorded trials: what schedulers ask of Tune's, and its order of calls."""

    def __init__(
        self,
        surface: Surface,
        cells: Integers,
        scheduler: TrialScheduler,
        stopper: Stopper | None = None,
        workers: int = WORKERS,
    ) -> None:
        """Add a trial for every cell, in the given order."""
        self._surface = surface
        self._scheduler = scheduler
        self._stopper = stopper or NoopStopper()
        self._workers = workers
        self._trials = [RecordedTrial(f"{place:05d}", int(cell)) for place, cell in enumerate(cells)]
        for trial in self._trials:
            scheduler.on_trial_add(self, trial)
        self._staged = deque(self._trials)
        self._running: list[tuple[float, int, RecordedTrial]] = []  # by the time of the next result
        self._clock = 0.0
        self._events = 0
        self.trained = np.zeros(surface.num_cells, dtype=np.int64)
        self.stopped_at: dict[int, int] = {}  # by the stopper

    def get_trials(self) -> list[RecordedTrial]:
        """All trials."""
        return self._trials

    def get_live_trials(self) -> list[RecordedTrial]:
        """Those that have not ended."""
        return [trial for trial in self._trials if trial.status != Trial.TERMINATED]

    def stop_trial(self, trial: RecordedTrial) -> None:
        """End a trial: the scheduler hears of a running one that it completed, of any other that it was removed."""
        if trial.status == Trial.TERMINATED:
            return
        if trial.status == Trial.RUNNING:
            self._scheduler.on_trial_complete(self, trial, trial.last_result)
        else:
            self._scheduler.on_trial_remove(self, trial)
        trial.status = Trial.TERMINATED

    def run(self) -> None:
        """Until nothing runs and the scheduler wants nothing more."""
        self._fill_workers()
        while self._running:
            self._clock, _, trial = heapq.heappop(self._running)
            self._handle(trial)
            self._fill_workers()

    def _fill_workers(self) -> None:
        while len(self._running) < self._workers:
            chosen = self._scheduler.choose_trial_to_run(self)
            if chosen is not None and chosen not in self._staged:
                chosen.status = Trial.PENDING
                self._staged.append(chosen)
            while self._staged and self._staged[0].status != Trial.PENDING:
                self._staged.popleft()
            if not self._staged:
                return
            self._train(self._staged.popleft())

    def _train(self, trial: RecordedTrial) -> None:
        """One more evaluation of a trial that holds a worker."""
        trial.status = Trial.RUNNING
        seconds = self._surface.seconds[trial.cell, self.trained[trial.cell]]
        self._events += 1
        heapq.heappush(self._running, (self._clock + seconds, self._events, trial))

    def _handle(self, trial: RecordedTrial) -> None:
        decision = self._decide(trial)
        if decision == TrialScheduler.CONTINUE:
            self._train(trial)
        elif decision == TrialScheduler.PAUSE:
            trial.status = Trial.PAUSED
        else:
            self.stop_trial(trial)

    def _decide(self, trial: RecordedTrial) -> str:
        self.trained[trial.cell] += 1
        evaluation = int(self.trained[trial.cell])
        dsc = float(self._surface.validation[trial.cell, evaluation - 1])
        result = {TIME: evaluation, METRIC: dsc}
        ends_by_itself = evaluation == self._surface.evaluations
        stops = self._stopper(trial.trial_id, result)
        if stops and not ends_by_itself:
            self.stopped_at[trial.cell] = evaluation
        if stops or ends_by_itself:
            decision = TrialScheduler.STOP
        else:
            decision = self._scheduler.on_trial_result(self, trial, result)
        trial.last_result = result
        return decision


def asha(surface: Surface, order: int) -> Outcome:
    """ASHA as it comes: grace period 1, reduction factor 4, one bracket."""
    scheduler = ASHAScheduler(time_attr=TIME, metric=METRIC, mode="max", max_t=surface.evaluations)
    return _scheduled(surface, order, scheduler)


def hyperband(surface: Surface, order: int) -> Outcome:
    """HyperBand as it comes: reduction factor 3."""
    scheduler = HyperBandScheduler(time_attr=TIME, metric=METRIC, mode="max", max_t=surface.evaluations)
    return _scheduled(surface, order, scheduler)


def median_stopping(surface: Surface, order: int) -> Outcome:
    """The median stopping rule as it comes, but for a grace period in evaluations."""
    scheduler = MedianStoppingRule(time_attr=TIME, metric=METRIC, mode="max", grace_period=MEDIAN_GRACE)
    return _scheduled(surface, order, scheduler)


def trial_plateau(surface: Surface, order: int) -> Outcome:
    """The plateau stopper as it comes, but that a curve must have taken off.

    It ends what has levelled off, and not what is bad: every cell enters the answer with what it has reached.
    """
    stopper = TrialPlateauStopper(METRIC, metric_threshold=D0 + TAKE_OFF_ABOVE_D0, mode="max")
    tune = RecordedTune(surface, _ordered(surface, order), FIFOScheduler(), stopper)
    tune.run()
    return answered(surface, Run(tune.trained, tune.trained > 0, tune.stopped_at))


def _scheduled(surface: Surface, order: int, scheduler: TrialScheduler) -> Outcome:
    tune = RecordedTune(surface, _ordered(surface, order), scheduler)
    tune.run()
    return answered(surface, ended_runs(surface, tune.trained))


def _ordered(surface: Surface, order: int) -> Integers:
    return np.random.default_rng(order).permutation(surface.num_cells)
