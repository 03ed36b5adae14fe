"""Optuna's pruners, asked after every evaluation of cells that four workers take from one queue in random order."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

import numpy as np
import optuna

from tests.benchmarks.savings.answers import answered, ended_runs

if TYPE_CHECKING:
    from tests.benchmarks.savings.surface import Integers, Outcome, Surface

WORKERS = 4


def median_pruner(surface: Surface, order: int) -> Outcome:
    """Its MedianPruner as it comes: 5 trials to start with, no warm-up."""
    return _pruned(surface, order, optuna.pruners.MedianPruner())


def hyperband_pruner(surface: Surface, order: int) -> Outcome:
    """Its HyperbandPruner with the budget as largest resource: reduction factor 3."""
    return _pruned(surface, order, optuna.pruners.HyperbandPruner(max_resource=surface.evaluations))


def _pruned(surface: Surface, order: int, pruner: optuna.pruners.BasePruner) -> Outcome:
    # The pruner divides trials among its brackets by the study's name.
    study = optuna.create_study(study_name=f"order {order}", direction="maximize", pruner=pruner)
    return answered(surface, ended_runs(surface, _train(surface, order, study)))


def _train(surface: Surface, order: int, study: optuna.Study) -> Integers:
    """Evaluations of each cell, shape (C,)."""
    trained = np.zeros(surface.num_cells, dtype=np.int64)
    queue = [int(cell) for cell in np.random.default_rng(order).permutation(surface.num_cells)]
    running = [(0.0, worker, -1, None) for worker in range(WORKERS)]  # time of the next result, worker, cell, trial
    while running:
        clock, worker, cell, trial = heapq.heappop(running)
        if trial is not None:
            trained[cell] += 1
        if trial is None or _has_ended(surface, study, trial, cell, int(trained[cell])):
            if not queue:
                continue
            cell, trial = queue.pop(0), study.ask()
        heapq.heappush(running, (clock + float(surface.seconds[cell, trained[cell]]), worker, cell, trial))
    return trained


def _has_ended(surface: Surface, study: optuna.Study, trial: optuna.Trial, cell: int, evaluation: int) -> bool:
    """Report an evaluation, and tell the trial if it was the last or is pruned."""
    dsc = float(surface.validation[cell, evaluation - 1])
    trial.report(dsc, evaluation)
    if evaluation == surface.evaluations:
        study.tell(trial, dsc)
        return True
    if trial.should_prune():
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        return True
    return False
