"""Rivals that choose cells and train each to its full budget: the grid, rules of thumb, a ladder, and TPE."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import optuna

from models.forecaster.baselines.power_law import fit_power_laws
from tests.benchmarks.savings.answers import answer_of, answered, best_seen, ended_runs, measurement, sufficient_cases
from tests.benchmarks.savings.surface import FilledCell, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from search.curves.measurements import CaseSet, Measurement
    from tests.benchmarks.savings.surface import Floats, Integers, Strategy, Surface

CONSTANT_RATIO = 0.8
HALF_LADDER = (1 / 16, 1 / 8, 1 / 4, 1 / 2)
WHOLE_LADDER = (1 / 8, 1 / 4, 1 / 2, 1.0)
TPE_ASKS_PER_CELL = 3  # a sampler that asks for known cells only would never spend its budget


def full_grid(surface: Surface, order: int) -> Outcome:  # noqa: ARG001 - its order changes nothing
    """Every cell to its full budget."""
    return answered(surface, ended_runs(surface, fully(surface, range(surface.num_cells))))


def corner(surface: Surface, order: int) -> Outcome:  # noqa: ARG001 - one cell has no order
    """The deepest network with all cases, whatever it scores."""
    last = surface.num_cells - 1
    outcome = answered(surface, ended_runs(surface, fully(surface, [last])))
    return replace(outcome, recommended=last)


def constant(surface: Surface, order: int) -> Outcome:  # noqa: ARG001 - its cells are fixed
    """Four fifths of the cases, as in the paper: every depth there, and the answer chooses among them."""
    cells = [surface.nearest(int(depth), CONSTANT_RATIO) for depth in np.unique(surface.depth)]
    return answered(surface, ended_runs(surface, fully(surface, cells)))


def ladder(rungs: Sequence[float]) -> Strategy:
    """The same few ratios at every depth, a pow3 law through them, and the cell confirmed that it recommends.

    Cells between and beyond the rungs enter the answer with their law's values. The recommended one is trained where it
    was not, and stays recommended.
    """

    def climb(surface: Surface, order: int) -> Outcome:  # noqa: ARG001 - its cells are fixed
        cells = sorted({surface.nearest(int(d), rung) for d in np.unique(surface.depth) for rung in rungs})
        trained = fully(surface, cells)
        measured = [measurement(surface, cell, surface.evaluations) for cell in cells]
        filled = _filled(surface, measured)
        given = answer_of(measured + list(filled.values()), surface)
        best = given.recommended
        recommended = best_seen(surface, trained)
        if best is not None:
            recommended = surface.nearest(best.depth, best.num_cases / surface.num_train)
        confirmed = fully(surface, [*cells, recommended])
        return Outcome(
            ended_runs(surface, confirmed).seconds(surface),
            recommended,
            sufficient_cases(given, surface, recommended),
            [FilledCell(cell, filled[cell].dsc("test"), None) for cell in filled if cell != recommended],
        )

    return climb


def tpe(share_of: Callable[[Surface, int], float]) -> Strategy:
    """Optuna's TPE over ratio and depth, full budgets, as long as a share of the grid's seconds lasts.

    A cell that it asks for again is told again and costs nothing; one that does not fit any more ends it, unless it is
    the first.
    """

    def sample(surface: Surface, order: int) -> Outcome:
        budget = share_of(surface, order) * surface.grid_seconds
        study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=order))
        depths, ratios = np.unique(surface.depth), np.unique(surface.ratio)
        cells: set[int] = set()
        for _ in range(TPE_ASKS_PER_CELL * surface.num_cells):
            trial = study.ask()
            depth = int(depths[trial.suggest_int("depth", 0, len(depths) - 1)])
            cell = surface.nearest(depth, float(ratios[trial.suggest_int("ratio", 0, len(ratios) - 1)]))
            if cells and surface.seconds[[*cells | {cell}]].sum() > budget:
                break
            cells.add(cell)
            study.tell(trial, float(surface.validation[cell].max()))
        return answered(surface, ended_runs(surface, fully(surface, cells)))

    return sample


def fully(surface: Surface, cells: Iterable[int]) -> Integers:
    """Evaluations of each cell when these are trained to the end, shape (C,)."""
    trained = np.zeros(surface.num_cells, dtype=np.int64)
    trained[list(cells)] = surface.evaluations
    return trained


def _filled(surface: Surface, measured: Sequence[Measurement]) -> dict[int, Measurement]:
    """The other cells of each depth that has learned runs, by the laws through its validation and test DSC."""
    known = {surface.nearest(each.depth, each.ratio) for each in measured}
    values = {}
    for depth in np.unique(surface.depth):
        runs = [each for each in measured if each.depth == depth and each.flag is None]
        others = [c for c in np.flatnonzero(surface.depth == depth) if int(c) not in known]
        if runs and others:
            validation, test = (_law_values(runs, surface.cases[others], kind) for kind in ("validation", "test"))
            for place, cell in enumerate(others):
                values[int(cell)] = _pretended(surface, int(cell), runs, validation[place], test[place])
    return values


def _law_values(runs: Sequence[Measurement], cases: Integers, case_set: CaseSet) -> Floats:
    measured = np.array([[run.dsc(case_set) for run in runs]])
    law = fit_power_laws(np.array([float(run.num_cases) for run in runs]), measured)
    return np.clip(law.at(cases.astype(float))[0], 0, 1)


def _pretended(surface: Surface, cell: int, runs: Sequence[Measurement], validation: float, test: float) -> Measurement:
    """A cell as if it had been measured, its seconds by a line through those of the runs."""
    ratios, seconds = np.array([run.ratio for run in runs]), np.array([run.budget_seconds for run in runs])
    line = np.polyfit(ratios, seconds, min(1, len(runs) - 1))
    return replace(
        runs[0],
        key=f"depth {surface.depth[cell]}, ratio {surface.ratio[cell]:g}",
        ratio=float(surface.ratio[cell]),
        num_cases=int(surface.cases[cell]),
        budget_seconds=max(0.0, float(np.polyval(line, surface.ratio[cell]))),
        seconds_estimated=True,
        validation=np.array([validation]),
        test=np.array([test]),
    )
