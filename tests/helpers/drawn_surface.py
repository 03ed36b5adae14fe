"""A small surface drawn from a law: recorded trainings for replays, and cells as a decision sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from models.forecaster.baselines.parametric import ParametricForecaster
from search.grid import cell_key
from search.policy.decision_spec import DecisionSpec
from search.policy.stop_rule import StopSpec
from search.policy.surrogate import SeenCell
from search.prices import PriceSpec
from search.replay.simulator import RecordedRun, steps_by_cases
from storage.records import CellPlan, CellState, Evaluation
from studies.interop.replay_csv import ReplaySpec

if TYPE_CHECKING:
    from collections.abc import Sequence

NUM_TRAIN = 400
EVALUATIONS = 12
RATIOS = (0.1, 0.25, 0.5, 1.0)
DEPTHS = {2: 0.70, 3: 0.80, 4: 0.82}  # and what they reach
D0 = 0.2


def plan(ratio: float, depth: int, seed: int = 0, **changes: Any) -> CellPlan:
    """A cell of the grid."""
    num_cases = round(NUM_TRAIN * ratio)
    values = {"ratio": ratio, "depth": depth, "seed": seed, "num_cases": num_cases, "parameters": 1000 * 4**depth}
    return CellPlan(**{"key": cell_key(ratio, depth, seed, changes.get("variant", ""))} | values | changes)


def drawn_run(cell: CellPlan, *, end: float | None = None, noise: float = 0.004) -> RecordedRun:
    """A training that rises to the law's value, or to another end."""
    rng = np.random.default_rng([cell.depth, cell.num_cases, cell.seed])
    level = DEPTHS[cell.depth] - 1.5 / cell.num_cases**0.6 + rng.normal(0, noise) if end is None else end
    number = np.arange(1, EVALUATIONS + 1)
    dsc = np.clip(level * (1 - np.exp(-number / 1.2)) + rng.normal(0, noise, EVALUATIONS), 0, 1)
    steps = cell.num_cases // 4
    curve = tuple(
        Evaluation(int(i), float(4 * i), int(steps * i), float(y), 0.01 * steps * 1.3**cell.depth, 0.1)
        for i, y in zip(number, dsc, strict=True)
    )
    return RecordedRun(cell, curve, tuple(float(y) - 0.01 for y in dsc))


def drawn_surface(seeds: Sequence[int] = (0, 1, 2), ratios: Sequence[float] = RATIOS) -> list[RecordedRun]:
    """Every depth at every ratio under every seed."""
    return [drawn_run(plan(ratio, depth, seed)) for seed in seeds for depth in DEPTHS for ratio in ratios]


def waiting(cell: CellPlan) -> SeenCell:
    """A cell that nobody has begun."""
    return SeenCell(cell, CellState.WAITING, held=False, curve=(), forecast=None)


def done(cell: CellPlan, **changes: Any) -> SeenCell:
    """A cell that was trained to its full budget."""
    return SeenCell(cell, CellState.DONE, held=False, curve=drawn_run(cell, **changes).curve, forecast=None)


def decision_spec(**changes: Any) -> DecisionSpec:
    """The policy `forecast` on the surface."""
    values: dict[str, Any] = {
        "policy": "forecast",
        "stop": StopSpec(first_evaluation=4),
        "forecaster": ParametricForecaster(),
        "d0": D0,
        "evaluations": EVALUATIONS,
        "total_steps": steps_by_cases(drawn_surface((0,))).__getitem__,
        "tolerance": 0.01,
        "target": None,
        "num_train": NUM_TRAIN,
        "held_out_cases": 100,
        "prices": PriceSpec(),
    }
    return DecisionSpec(**values | changes)


def replay_spec(**changes: Any) -> ReplaySpec:
    """The policy `forecast` on one simulated GPU."""
    values: dict[str, Any] = {
        "policy": "forecast",
        "gpus": 1,
        "tolerance": 0.01,
        "target": None,
        "prices": PriceSpec(),
        "stop": StopSpec(first_evaluation=4),
        "forecaster": ParametricForecaster(),
        "d0": D0,
        "held_out_cases": 100,
    }
    return ReplaySpec(**values | changes)
