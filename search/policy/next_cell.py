"""Which cell next, which not at all, and when the recommendation is confirmed: pure, on validation scores alone.

`grid` trains every cell, from cheap to dear. `forecast` takes the cell whose measurement is expected to improve the
recommendation most per device second; what is not worth its cost is left out, with its forecast in its place; then a
fresh seed of the recommended configuration is trained to the full budget, which is counted on from the start.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from search.analysis.good_enough import EnoughRule
from search.grid import cell_key
from search.policy.surrogate import ENDED, FLAGGED, SeenCell, fit_surrogate
from search.prices import case_price, training_price
from search.training_time import cost_model
from storage.records import CellState, SkipForecast
from storage.variants import configuration_of, recipe_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from search.policy.decision_spec import DecisionSpec
    from search.policy.surrogate import Surrogate
    from search.training_time import CostModel
    from storage.records import Cell, CellPlan, Role
    from storage.variants import ConfigurationKey

    Floats = NDArray[np.float64]

LEARNED_BEFORE = 2.0  # runs near any configuration that are taken to have learned, before any of them has ended
FLAGGED_REACH = 0.7  # in units of log n
MOST_CONFIRMATIONS = 2  # that learned: one that was flagged confirms nothing
MOST_TRIES = 5  # at a confirmation, flagged ones among them


@dataclass(frozen=True, eq=False)
class Agenda:
    """What is to be done next.

    Attributes:
        order: Keys of free cells worth training, and of the added one: tests first, then the best.
        skips: Forecasts that stand in for the cells that are not.
        added: A cell to add: a fresh seed that confirms the recommendation, or repeats a flagged run.
        surrogate: What is known.
        ahead: The same, had what is being trained, and the confirmation to come, ended as expected: what a cell is
            worth is told by it.
        costs: What trainings take.
    """

    order: tuple[str, ...]
    skips: Mapping[str, SkipForecast]
    added: CellPlan | None
    surrogate: Surrogate
    ahead: Surrogate
    costs: CostModel


def free_cells(cells: Iterable[Cell]) -> list[Cell]:
    """The cells that nobody holds, in the order of `grid`.

    A trained cell that waits for its test goes first: it is short, and tells the next decision more. Then from cheap
    to dear, so that an interrupted study holds whole data curves up to some number of cases.
    """
    free = [c for c in cells if c.owner is None and c.state in {CellState.WAITING, CellState.TEST}]
    return sorted(free, key=_rank)


def agenda(cells: Sequence[SeenCell], spec: DecisionSpec, device_seconds_left: float | None = None) -> Agenda:
    """The policy `forecast`: what is worth doing, given every cell of the study.

    Args:
        cells: All of them.
        spec: What decisions follow.
        device_seconds_left: What the study may still spend, or None.
    """
    costs = cost_model(
        ((cell.plan, cell.curve) for cell in cells),
        device_share=spec.device_share,
        evaluations=spec.evaluations,
        total_steps=spec.total_steps,
    )
    plans = _configurations(cells)
    seconds = np.array([costs.seconds(plan) for plan in plans])
    look = partial(
        fit_surrogate,
        plans=plans,
        prices=np.array([_price(plan, duration, spec) for plan, duration in zip(plans, seconds, strict=True)]),
        num_train=spec.num_train,
        rule=EnoughRule(spec.tolerance, spec.target, spec.assurance),
        seed=spec.seed,
    )
    surrogate = look(cells)
    grid = [cell.plan for cell in cells if cell.plan.role == "grid"]
    grid_seconds = sum(costs.seconds(plan) for plan in grid)
    least_rate = spec.worth * len(grid) ** 0.5
    tests = tuple(cell.plan.key for cell in cells if cell.state is CellState.TEST and not cell.held)
    confirming = [cell for cell in cells if cell.plan.role == "confirm" and cell.state.is_open]
    if confirming:
        waiting = tuple(cell.plan.key for cell in confirming if _is_free(cell))
        skips = _skips([cell for cell in cells if cell.plan.role != "confirm"], set(), surrogate)
        return Agenda((*tests, *waiting), skips, None, surrogate, surrogate, costs)
    left = _left(cells, costs, spec.evaluations, device_seconds_left)
    reserve = float(seconds[surrogate.recommended()])
    cost = seconds / grid_seconds / _chance_of_learning(cells, plans)
    confirmation = _confirmation(cells, plans[surrogate.recommended()])
    options = _options(cells, plans, surrogate)
    # What they are going to tell need not be bought.
    coming = [cell.plan for cell in cells if cell.held and cell.state is CellState.CLAIMED]
    coming += [] if confirmation is None else [confirmation]
    ahead = look(cells, coming=coming) if options and coming else surrogate
    worthy = _by_worth(options, ahead, cost, least_rate)
    wanted = worthy if left is None else _affordable(worthy, seconds, left - reserve)
    added = wanted[0].plan if wanted and wanted[0].is_new else None
    if not wanted and not tests and not any(cell.held for cell in cells):
        added = confirmation if left is None or reserve <= left else None
    first = () if added is None else (added.key,)
    order = (*tests, *first, *(option.plan.key for option in wanted if not option.is_new))
    skips = _skips(cells, set(order), surrogate)
    return Agenda(order, skips, added, surrogate, ahead, costs)


@dataclass(frozen=True)
class _Option:
    """A cell that may be trained: of the grid, or a repeat of a flagged one that has yet to be added."""

    configuration: int
    plan: CellPlan
    is_new: bool


def _rank(cell: Cell) -> tuple[bool, int, int, int, str]:
    plan = cell.plan
    return cell.state != CellState.TEST, plan.num_cases, plan.depth, plan.seed, plan.variant


def _configurations(cells: Sequence[SeenCell]) -> list[CellPlan]:
    """One plan for each configuration, by recipe and number of cases."""
    plans: dict[ConfigurationKey, CellPlan] = {}
    for cell in cells:
        plans.setdefault(configuration_of(cell.plan), cell.plan)
    return [plans[key] for key in sorted(plans)]


def _price(plan: CellPlan, seconds: float, spec: DecisionSpec) -> float:
    cases = case_price(spec.prices, plan.num_cases + spec.held_out_cases)
    name = spec.device_name
    return training_price(spec.prices, device=spec.device, seconds=seconds, device_name=name) + cases


def _is_free(cell: SeenCell) -> bool:
    return cell.state is CellState.WAITING and not cell.held


def _options(cells: Sequence[SeenCell], plans: Sequence[CellPlan], surrogate: Surrogate) -> list[_Option]:
    """At most one a configuration: the first seed that waits, else one repeat of a run that was flagged."""
    by_configuration: dict[int, list[SeenCell]] = {index: [] for index in range(len(plans))}
    for cell in cells:
        by_configuration[surrogate.find(cell.plan)].append(cell)
    options = []
    for index, own in by_configuration.items():
        free = min((c.plan for c in own if _is_free(c)), key=lambda plan: plan.seed, default=None)
        if free is not None:
            options.append(_Option(index, free, is_new=False))
        elif _wants_repeat(own):
            options.append(_Option(index, _fresh(cells, plans[index], "repeat"), is_new=True))
    return options


def _wants_repeat(own: Sequence[SeenCell]) -> bool:
    """Whether every run of a configuration has ended, none of them learned, and none repeats another yet."""
    return any(c.state in FLAGGED for c in own) and all(c.state in FLAGGED and c.plan.role == "grid" for c in own)


def _chance_of_learning(cells: Sequence[SeenCell], plans: Sequence[CellPlan]) -> Floats:
    """How likely a run of each configuration is not to be flagged, by the runs of its recipe near it, shape (J,).

    A flagged run costs as much as any and tells nothing of the DSC: where all have collapsed the next one is dear.
    """
    chance = np.ones(len(plans))
    ended = [cell for cell in cells if cell.state in ENDED | FLAGGED]
    for recipe in {recipe_of(cell.plan) for cell in ended if cell.state in FLAGGED}:
        own = [i for i, plan in enumerate(plans) if recipe_of(plan) == recipe]
        runs = [cell for cell in ended if recipe_of(cell.plan) == recipe]
        flagged = np.array([cell.state in FLAGGED for cell in runs], dtype=np.float64)
        apart = np.log([plans[i].num_cases for i in own])[:, None] - np.log([cell.plan.num_cases for cell in runs])
        near = np.exp(-((apart / FLAGGED_REACH) ** 2) / 2)
        chance[own] = 1 - near @ flagged / (near.sum(axis=1) + LEARNED_BEFORE)
    return chance


def _by_worth(options: Sequence[_Option], surrogate: Surrogate, cost: Floats, least: float) -> list[_Option]:
    """Those worth their cost, the best first; `cost` is of each configuration, as a share of the grid's, shape (J,)."""
    if not options:
        return []
    at = np.array([option.configuration for option in options], dtype=np.int64)
    rate = surrogate.worth(at) / cost[at]
    return [options[i] for i in np.argsort(-rate, kind="stable") if rate[i] >= least]


def _left(
    cells: Sequence[SeenCell], costs: CostModel, evaluations: int, device_seconds_left: float | None
) -> float | None:
    """Device seconds that may still be spent, once the running trainings have had theirs.

    None without a limit, and before any evaluation has told how long a step takes.
    """
    if device_seconds_left is None or not costs.step_seconds:
        return None
    running = [cell for cell in cells if cell.held and cell.state is CellState.CLAIMED]
    rest = sum(costs.seconds(cell.plan) * (1 - len(cell.curve) / evaluations) for cell in running)
    return device_seconds_left - rest


def _affordable(options: Sequence[_Option], seconds: Floats, left: float) -> list[_Option]:
    """The options, the best first, that can all be trained to their end."""
    chosen = []
    for option in options:
        cost = float(seconds[option.configuration])
        if cost <= left:
            chosen.append(option)
            left -= cost
    return chosen


def _confirmation(cells: Sequence[SeenCell], recommended: CellPlan) -> CellPlan | None:
    """A fresh seed of the recommended configuration; None where it was confirmed, or that was tried often enough."""
    tried = [cell for cell in cells if cell.plan.role == "confirm"]
    same = [cell for cell in tried if configuration_of(cell.plan) == configuration_of(recommended)]
    learned = sum(cell.state not in FLAGGED for cell in tried)
    if any(cell.state is CellState.DONE for cell in same) or learned >= MOST_CONFIRMATIONS or len(tried) >= MOST_TRIES:
        return None
    return _fresh(cells, recommended, "confirm")


def _fresh(cells: Sequence[SeenCell], plan: CellPlan, role: Role) -> CellPlan:
    """The same configuration under a seed that no cell of the study has had."""
    seed = 1 + max(cell.plan.seed for cell in cells)
    return replace(plan, key=cell_key(plan.ratio, plan.depth, seed, plan.variant), seed=seed, role=role)


def _skips(cells: Sequence[SeenCell], wanted: set[str], surrogate: Surrogate) -> dict[str, SkipForecast]:
    """What stands in for the cells that wait and are not wanted."""
    intervals: dict[int, tuple[float, float]] = {}
    skips = {}
    for cell in cells:
        if _is_free(cell) and cell.plan.key not in wanted:
            index = surrogate.find(cell.plan)
            lower, upper = intervals.setdefault(index, surrogate.interval(index))
            skips[cell.plan.key] = SkipForecast(
                _reason(lower, upper, surrogate), float(surrogate.mean[index]), lower, upper
            )
    return skips


def _reason(lower: float, upper: float, surrogate: Surrogate) -> str:
    known = (upper - lower) / 2 <= surrogate.rule.tolerance
    why = (
        f"its DSC is known within {surrogate.rule.tolerance:g}"
        if known
        else "measuring it would hardly change the answer"
    )
    return f"skipped: {why}; forecast for one run [{lower:.3f}, {upper:.3f}]"
