"""A recorded surface as arrays, and what a strategy does on it and says of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from search.policy.stop_rule import LEVEL_OVER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from search.curves.intervals import Interval
    from tests.benchmarks.savings.drawn_surfaces import DrawnSurface

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    Booleans = NDArray[np.bool_]


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
        level: What the validation curve lies around, shape (C, E): known of drawn curves, of others the median of the
            last five evaluations.
        seconds: Device seconds of each evaluation, training and validation, shape (C, E).
        fresh: Rows of further runs of the same cells, which a confirmation may train.
    """

    name: str
    recorded: pd.DataFrame
    depth: Integers
    ratio: Floats
    cases: Integers
    truth: Floats
    validation: Floats
    test: Floats
    level: Floats
    seconds: Floats
    fresh: pd.DataFrame = field(default_factory=pd.DataFrame)

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


def surface_of(
    name: str,
    recorded: pd.DataFrame,
    truth: Floats,
    level: Floats | None = None,
    fresh: pd.DataFrame | None = None,
) -> Surface:
    """Index a recorded surface of one seed.

    Args:
        name: What it is.
        recorded: A row an evaluation.
        truth: In rising order of depth and ratio, shape (C,).
        level: Of each row, where it is known.
        fresh: Rows of further runs, if there are any.

    Raises:
        ValueError: If cells differ in their numbers of evaluations.
    """
    rows = recorded.assign(level=np.nan if level is None else level)
    rows = rows.sort_values(["depth", "ratio", "evaluation"], ignore_index=True)
    cells = rows.drop_duplicates(["depth", "ratio"])
    if len(rows) % len(cells) or not (rows.groupby(["depth", "ratio"]).size() == len(rows) // len(cells)).all():
        raise ValueError(f"every cell of {name} must have the same number of evaluations, and one seed")
    shape = (len(cells), -1)
    validation = rows["val_dsc"].to_numpy().reshape(shape)
    return Surface(
        name=name,
        recorded=recorded,
        depth=cells["depth"].to_numpy(),
        ratio=cells["ratio"].to_numpy(),
        cases=cells["cases"].to_numpy(),
        truth=np.asarray(truth, dtype=np.float64),
        validation=validation,
        test=rows["test_dsc"].to_numpy().reshape(shape),
        level=_levels(validation) if level is None else rows["level"].to_numpy().reshape(shape),
        seconds=(rows["train_seconds"] + rows["val_seconds"]).to_numpy().reshape(shape),
        fresh=recorded.iloc[:0] if fresh is None else fresh,
    )


def drawn(surface: DrawnSurface) -> Surface:
    """Index a drawn surface."""
    truth = surface.truth.sort_values(["depth", "ratio"])["test_dsc"].to_numpy()
    first = (surface.recorded["seed"] == 0).to_numpy()
    return surface_of(
        surface.name, surface.recorded[first], truth, surface.level[first], fresh=surface.recorded[~first]
    )


def _levels(validation: Floats) -> Floats:
    ends = range(1, validation.shape[1] + 1)
    return np.stack([np.median(validation[:, max(0, end - LEVEL_OVER) : end], axis=1) for end in ends], axis=1)
