"""Which configurations `policy = "forecast"` trains: a simulated study played through the real policy and ledger."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import pandas as pd

from models.forecaster.baselines.parametric import ParametricForecaster
from search.policy.stop_rule import StopSpec
from search.prices import PriceSpec
from search.replay.recorded_surface import recorded_runs
from studies.interop.replay_csv import ReplaySpec, replay_surface
from tests.benchmarks.coverage.scenes.laws import DEPTHS
from tests.benchmarks.coverage.scenes.study import Place

if TYPE_CHECKING:
    from tests.benchmarks.coverage.scenes.simulated import Scene
    from tests.benchmarks.coverage.scenes.study import Run, Study

EVALUATIONS = 8
NEVER = 10**6  # evaluation at which a training may first be stopped: what is judged here are the cells
PARAMETERS = {depth: 1000 * 4**depth for depth in DEPTHS}


@lru_cache(maxsize=4)
def forecast_study(scene: Scene) -> Study:
    """What the policy leaves: the runs that it trained, its confirming run among them, and the rest planned.

    Args:
        scene: Of two seeds: the first is the grid's, the second takes the part of fresh seeds.
    """
    study = scene.study
    rows = pd.concat([_training(run, study) for run in study.runs], ignore_index=True)
    spec = ReplaySpec(
        policy="forecast",
        gpus=1,
        tolerance=study.tolerance,
        target=study.target,
        prices=PriceSpec(case=study.case_price, gpu_hour=study.hour_price),
        stop=StopSpec(first_evaluation=NEVER),
        forecaster=ParametricForecaster(),
        d0=0.0,
        held_out_cases=len(study.runs[0].validation) + len(study.runs[0].test),
        clock=lambda: 0.0,
    )
    replayed = replay_surface(recorded_runs(rows, "a simulated study", PARAMETERS), spec)
    trained = {
        (Place(record.cell.plan.depth, record.cell.plan.num_cases), int(record.cell.plan.seed != 0))
        for record in replayed.records
        if record.attempt.scores is not None
    }
    runs = tuple(replace(run, confirms=run.seed > 0) for run in study.runs if (run.place, run.seed) in trained)
    planned = {run.place for run in study.runs} - {run.place for run in runs}
    return replace(study, runs=runs, planned=tuple(sorted(planned)))


def _training(run: Run, study: Study) -> pd.DataFrame:
    """Evaluations of a run: halfway to its end each, and the last is the end."""
    progress = [1.0 if at == EVALUATIONS else 1 - 0.5**at for at in range(1, EVALUATIONS + 1)]
    return pd.DataFrame(
        {
            "depth": run.place.depth,
            "cases": run.place.num_cases,
            "ratio": run.place.num_cases / study.num_train,
            "seed": run.seed,
            "evaluation": range(1, EVALUATIONS + 1),
            "val_dsc": [run.validation.mean() * share for share in progress],
            "test_dsc": [run.test.mean() * share for share in progress],
            "train_seconds": study.seconds(run.place) / EVALUATIONS,
            "val_seconds": 0.0,
        }
    )
