"""A recorded surface as arrays, what a strategy spent on it, and the answer that its measurements give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from search.answer import answer
from search.measurements import Measurement
from search.prices import PriceSpec
from search.stop_rule import outcome
from storage.records import CellState, Evaluation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray
    from surfaces import DrawnSurface

    from search.answer import Answer
    from search.intervals import Interval
    from search.measurements import Flag

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    Booleans = NDArray[np.bool_]

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


@dataclass(frozen=True, eq=False)
class Surface:
    """C cells of a grid of depths and ratios, each recorded once to its full budget of E evaluations.

    Attributes:
        name: What it is.
        recorded: Its rows as `dicecurve export` writes them, a row an evaluation.
        depth: Of each cell, shape (C,), rising.
        ratio: Share of the training cases, shape (C,), rising within a depth.
        cases: Training cases, shape (C,).
        truth: DSC on its test cases without noise between runs, shape (C,).
        validation: Recorded validation DSC, shape (C, E).
        test: Recorded test DSC, shape (C, E).
        seconds: Device seconds of each evaluation, training and validation, shape (C, E).
    """

    name: str
    recorded: pd.DataFrame
    depth: Integers
    ratio: Floats
    cases: Integers
    truth: Floats
    validation: Floats
    test: Floats
    seconds: Floats

    @property
    def num_cells(self) -> int:
        """C."""
        return len(self.depth)

    @property
    def evaluations(self) -> int:
        """E."""
        return self.validation.shape[1]

    @property
    def num_train(self) -> int:
        """All training cases at hand, N."""
        return int(self.cases.max())

    @property
    def grid_seconds(self) -> float:
        """Device seconds of all cells under their full budgets."""
        return float(self.seconds.sum())

    def best_evaluation(self, cell: int, trained: int) -> int:
        """Index of the best validation DSC among the first ``trained`` evaluations."""
        return int(self.validation[cell, :trained].argmax())

    def nearest(self, depth: int, ratio: float) -> int:
        """The cell of this depth whose ratio is the nearest."""
        return int(np.where(self.depth == depth, np.abs(self.ratio - ratio), np.inf).argmin())


@dataclass(frozen=True, eq=False)
class Run:
    """What a strategy did on a surface.

    Attributes:
        trained: Evaluations of each cell that were trained, shape (C,).
        measured: Whether the cell enters the answer, shape (C,).
        stopped_at: Evaluation at which a cell was ended because its curve was held to have ended: by cell.
    """

    trained: Integers
    measured: Booleans
    stopped_at: Mapping[int, int] = field(default_factory=dict)

    def seconds(self, surface: Surface) -> float:
        """Device seconds spent."""
        return float(surface.seconds[np.arange(surface.evaluations) < self.trained[:, None]].sum())


@dataclass(frozen=True)
class FilledCell:
    """A cell that was not measured: its forecast test DSC, and the interval for one new run if there is one."""

    cell: int
    dsc: float
    run_interval: Interval | None


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a strategy spent, and what it says.

    Attributes:
        seconds: Device seconds, repeated and confirming runs included.
        recommended: Cell.
        sufficient_cases: What it takes to be enough within the data at the recommended depth; None if it cannot say.
        filled: Cells that it forecast instead of training them.
        stopped_at: Evaluation at which a cell was ended because its curve was held to have ended: by cell.
    """

    seconds: float
    recommended: int
    sufficient_cases: int | None
    filled: Sequence[FilledCell] = ()
    stopped_at: Mapping[int, int] = field(default_factory=dict)


Strategy = Callable[[Surface, int], Outcome]
"""Gets a surface and the seed of its order; reads no test DSC in any decision."""


def surface_of(name: str, recorded: pd.DataFrame, truth: Floats) -> Surface:
    """Index a recorded surface of one seed; truth of shape (C,), in rising order of depth and ratio.

    Raises:
        ValueError: If cells differ in their numbers of evaluations.
    """
    rows = recorded.sort_values(["depth", "ratio", "evaluation"], ignore_index=True)
    cells = rows.drop_duplicates(["depth", "ratio"])
    if len(rows) % len(cells) or not (rows.groupby(["depth", "ratio"]).size() == len(rows) // len(cells)).all():
        raise ValueError(f"every cell of {name} must have the same number of evaluations, and one seed")
    shape = (len(cells), -1)
    return Surface(
        name=name,
        recorded=recorded,
        depth=cells["depth"].to_numpy(),
        ratio=cells["ratio"].to_numpy(),
        cases=cells["cases"].to_numpy(),
        truth=np.asarray(truth, dtype=np.float64),
        validation=rows["val_dsc"].to_numpy().reshape(shape),
        test=rows["test_dsc"].to_numpy().reshape(shape),
        seconds=(rows["train_seconds"] + rows["val_seconds"]).to_numpy().reshape(shape),
    )


def drawn(surface: DrawnSurface) -> Surface:
    """Index a drawn surface."""
    truth = surface.truth.sort_values(["depth", "ratio"])["test_dsc"].to_numpy()
    return surface_of(surface.name, surface.recorded, truth)


def ended_runs(surface: Surface, trained: Integers) -> Run:
    """The best case for a rival that stops what is bad: only cells that came to their end enter the answer."""
    return Run(trained, trained >= ENDED * surface.evaluations)


def answered(surface: Surface, run: Run) -> Outcome:
    """The outcome of a run: `search.answer` of its measured cells, else the best validation DSC that was seen."""
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
        flag=_flag(surface.validation[cell, :trained]),
    )


def best_seen(surface: Surface, trained: Integers) -> int:
    """The cell with the best validation DSC among all evaluations that were trained."""
    seen = np.where(np.arange(surface.evaluations) < trained[:, None], surface.validation, -np.inf)
    return int(seen.max(axis=1).argmax())


def sufficient_cases(given: Answer, surface: Surface, recommended: int) -> int | None:
    """Fewest cases within the tolerance of all, on the test curve of the recommended depth; None without a curve."""
    curves = [each.on_test for each in given.depths if each.depth == surface.depth[recommended]]
    return curves[0].sufficient.cases if curves and curves[0] else None


def _flag(curve: Floats) -> Flag | None:
    points = [Evaluation(i, 0.0, 0, float(dsc), 0.0, 0.0) for i, dsc in enumerate(curve, start=1)]
    return FLAGS.get(outcome(points, D0))
