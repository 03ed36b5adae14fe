"""From what a strategy trained on a surface to its answer, by the same search/answer.py for all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from search.analysis.answer import answer
from search.curves.measurements import Measurement
from search.policy.stop_rule import outcome
from search.prices import PriceSpec
from storage.records import CellState, Evaluation
from tests.benchmarks.savings.surface import Outcome, Run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from search.analysis.answer import Answer
    from search.curves.measurements import Flag
    from tests.benchmarks.savings.surface import Floats, Integers, Surface

NUM_VALIDATION, NUM_TEST = 100, 200
TOLERANCE = 0.01
D0 = 0.25  # mean DSC of "everything is foreground", on every surface here
PRICES = PriceSpec()
REPLICATES = 200
# A run that came this far has ended by itself: the last rung of HyperBand is evaluation 27 of 30.
ENDED = 0.9
# Of MONAI's residual U-Net in two dimensions; they only break ties.
PARAMETERS = {3: 95_748, 4: 401_864, 5: 1_625_420, 6: 6_517_840}
FLAGS: dict[CellState, Flag] = {CellState.NOT_LEARNED: "not_learned", CellState.COLLAPSED: "collapsed"}


def ended_runs(surface: Surface, trained: Integers) -> Run:
    """The best case for a rival that stops what is bad: only cells that came to their end enter the answer."""
    return Run(trained, trained >= ENDED * surface.evaluations)


def answered(surface: Surface, run: Run) -> Outcome:
    """The outcome of a run: `search.analysis.answer` of its measured cells, else the best validation DSC seen."""
    given = answer_of([measurement(surface, c, int(run.trained[c])) for c in np.flatnonzero(run.measured)], surface)
    best = given.recommended
    recommended = (
        best_seen(surface, run.trained)
        if best is None
        else surface.nearest(best.depth, best.num_cases / surface.num_train)
    )
    return Outcome(
        run.seconds(surface), recommended, sufficient_cases(given, surface, recommended), stopped_at=run.stopped_at
    )


def answer_of(measurements: Sequence[Measurement], surface: Surface) -> Answer:
    """The answer that all strategies share."""
    return answer(
        measurements,
        num_train=surface.num_train,
        num_validation=NUM_VALIDATION,
        num_test=NUM_TEST,
        prices=PRICES,
        tolerance=TOLERANCE,
        replicates=REPLICATES,
    )


def measurement(surface: Surface, cell: int, trained: int) -> Measurement:
    """A cell after its first ``trained`` evaluations, measured at the best on validation cases."""
    best = surface.best_evaluation(cell, trained)
    depth, ratio = int(surface.depth[cell]), float(surface.ratio[cell])
    return Measurement(
        key=f"depth {depth}, ratio {ratio:g}",
        depth=depth,
        ratio=ratio,
        num_cases=int(surface.cases[cell]),
        seed=0,
        parameters=PARAMETERS[depth],
        device="gpu",
        budget_seconds=float(surface.seconds[cell, :trained].mean() * surface.evaluations),
        seconds_estimated=trained < surface.evaluations,
        validation=surface.validation[cell, best : best + 1],
        test=surface.test[cell, best : best + 1],
        flag=flag_of(surface.validation[cell, :trained]),
    )


def best_seen(surface: Surface, trained: Integers) -> int:
    """The cell with the best validation DSC among all evaluations that were trained."""
    seen = np.where(np.arange(surface.evaluations) < trained[:, None], surface.validation, -np.inf)
    return int(seen.max(axis=1).argmax())


def sufficient_cases(given: Answer, surface: Surface, recommended: int) -> int | None:
    """Fewest cases within the tolerance of all, on the test curve of the recommended depth; None without a curve."""
    curves = [each.on_test for each in given.depths if each.depth == surface.depth[recommended]]
    return curves[0].sufficient.cases if curves and curves[0] else None


def flag_of(curve: Floats) -> Flag | None:
    """Whether a training did not learn, or collapsed, by its validation DSC at each evaluation."""
    points = [Evaluation(i, 0.0, 0, float(dsc), 0.0, 0.0) for i, dsc in enumerate(curve, start=1)]
    return FLAGS.get(outcome(points, D0))
