"""Our own strategies: the real policy, stop rule and ledger through replay."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pandas as pd

from models.forecaster.baselines.parametric import ParametricForecaster
from models.forecaster.lstm.forecaster import load
from search.policy.decision_spec import WORTH
from search.policy.stop_rule import StopSpec
from search.replay.recorded_surface import recorded_runs
from studies.interop.replay_csv import Replayed, ReplaySpec, replay_surface
from tests.benchmarks.savings.answers import (
    D0,
    NUM_TEST,
    NUM_VALIDATION,
    PARAMETERS,
    PRICES,
    TOLERANCE,
    sufficient_cases,
)
from tests.benchmarks.savings.surface import FilledCell, Outcome

if TYPE_CHECKING:
    from models.forecaster.interface import Forecaster
    from tests.benchmarks.savings.surface import Strategy, Surface

NEVER = 10**6
EVERY_CELL = -1.0  # the least worth at which nothing is skipped
PLATEAU = "plateau reached"


def whole(forecaster: Forecaster) -> Strategy:
    """Policy and stop rule."""
    return lambda surface, order: _played(surface, order, forecaster, StopSpec(), WORTH)


def policy_only(forecaster: Forecaster) -> Strategy:
    """Every training that is begun goes to its full budget."""
    return lambda surface, order: _played(surface, order, forecaster, StopSpec(first_evaluation=NEVER), WORTH)


def stopper_only(forecaster: Forecaster) -> Strategy:
    """Every cell is begun."""
    return lambda surface, order: _played(surface, order, forecaster, StopSpec(), EVERY_CELL)


@cache
def lstm() -> Forecaster:
    """The shipped forecaster."""
    return load()


@cache
def power_law() -> Forecaster:
    """The laws that stand in for the LSTM."""
    return ParametricForecaster()


def _played(surface: Surface, order: int, forecaster: Forecaster, stop: StopSpec, worth: float) -> Outcome:
    """An order is the seed of every draw that decisions are made from."""
    spec = ReplaySpec(
        policy="forecast",
        gpus=1 if worth >= 0 else surface.num_cells,
        tolerance=TOLERANCE,
        target=None,
        prices=PRICES,
        stop=stop,
        forecaster=forecaster,
        d0=D0,
        held_out_cases=NUM_VALIDATION + NUM_TEST,
        worth=worth,
        seed=order,
        clock=lambda: 0.0,  # what is spent must not depend on how busy the machine is
    )
    fresh = [surface.fresh.assign(seed=1 + surface.fresh["seed"].rank(method="dense").astype(int))]
    rows = pd.concat([surface.recorded.assign(seed=0), *(fresh if len(surface.fresh) else [])])
    return _outcome(surface, replay_surface(recorded_runs(rows, surface.name, PARAMETERS), spec))


def _outcome(surface: Surface, replayed: Replayed) -> Outcome:
    row = replayed.answer.recommended
    assert row is not None
    recommended = surface.nearest(row.depth, row.ratio)
    filled = [
        FilledCell(surface.nearest(ranked.depth, ranked.ratio), ranked.estimate.value, ranked.estimate.run_interval)
        for ranked in replayed.answer.ranking
        if ranked.is_forecast
    ]
    stopped_at = {
        surface.nearest(record.cell.plan.depth, record.cell.plan.ratio): len(record.curve)
        for record in replayed.records
        if (record.attempt.stop_reason or "").startswith(PLATEAU)
    }
    return Outcome(
        replayed.gpu_seconds, recommended, sufficient_cases(replayed.answer, surface, recommended), filled, stopped_at
    )
