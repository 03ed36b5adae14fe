"""Recorded surfaces: an answer is given some of the seeds that were trained, and judged by the others."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tests.benchmarks.coverage.scenes.simulated import TOLERANCE
from tests.benchmarks.coverage.scenes.study import Place, Run, Study
from tests.benchmarks.savings.answers import flag_of
from tests.helpers.paths import RECORDED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

OWN_SURFACE = "curves/kvasir64_surface.csv"  # under DICECURVE_TEST_DATA
KVASIR64, KVASIR128 = RECORDED / "kvasir64_10x4.csv", RECORDED / "kvasir128_3x2.csv"
PHANTOM = RECORDED / "phantom_3.csv"  # depth 3 under several seeds; it may not exist
UNNAMED_CASES = 1000  # at ratio 1, where a table has no numbers of cases


@dataclass(frozen=True, eq=False)
class RecordedScene:
    """A part of a recorded surface, and what is known of the rest.

    Attributes:
        name: Of the surface, and which runs are given.
        num_train: Training cases at hand, N.
        given: Runs that the answer sees.
        held_out: All others, flagged ones included.
    """

    name: str
    num_train: int
    given: tuple[Run, ...]
    held_out: tuple[Run, ...]

    @cached_property
    def study(self) -> Study:
        """Of the runs that are given; the configurations of the others are planned."""
        seen = {run.place for run in self.given}
        planned = {run.place for run in self.held_out if run.place.num_cases <= self.num_train} - seen
        return Study(self.num_train, self.given, tuple(sorted(planned)))

    def new_runs(self, depth: int, num_cases: int) -> list[float]:
        """Test DSC of the runs of a configuration that are held out and learned, on the same cases."""
        return [float(run.test.mean()) for run in self.held_out if run.place == (depth, num_cases) and run.flag is None]

    def dsc(self, depth: int, num_cases: float) -> float:
        """Mean of all runs of a configuration that learned."""
        runs = [run for run in (*self.given, *self.held_out) if run.place == (depth, num_cases) and run.flag is None]
        return float(np.mean([run.test.mean() for run in runs])) if runs else float("nan")

    def doubling_gain(self, depth: int) -> float:
        """Measured with twice the cases less measured with all that are given."""
        return self.dsc(depth, 2 * self.num_train) - self.dsc(depth, self.num_train)

    @property
    def floor(self) -> float:
        """The best of all given configurations, less the tolerance."""
        return max(self.dsc(*run.place) for run in self.given) - TOLERANCE

    def __repr__(self) -> str:
        """With the scores, which tell one version of a recording from another."""
        return f"{self.name}: {[(run.place, run.seed, run.test.mean(), run.flag) for run in self.given]}"


@dataclass(frozen=True)
class RecordedPart:
    """Runs of a recorded surface that are given, several times in different ways.

    Attributes:
        path: Of the surface.
        choices: Of all runs, which ones are given.
        num_train: Training cases at hand; None: the largest number of cases.
    """

    path: Path
    choices: Callable[[Sequence[Run]], list[tuple[Run, ...]]]
    num_train: int | None = None

    def scenes(self) -> list[RecordedScene]:
        """One for each choice; none where the surface is not at hand."""
        runs = runs_of(self.path) if self.path.exists() else ()
        num_train = self.num_train or max((run.place.num_cases for run in runs), default=1)
        return [
            RecordedScene(f"{self.path.stem}, {number}", num_train, given, tuple(r for r in runs if r not in given))
            for number, given in enumerate(self.choices(runs) if runs else [])
        ]


@cache
def runs_of(path: Path) -> tuple[Run, ...]:
    """Every run at its best validation evaluation; its scores are those of one case that stands for all."""
    rows = pd.read_csv(path)
    rows["seed"] = rows.get("seed", 0)
    rows["cases"] = rows.get("cases", (rows["ratio"] * UNNAMED_CASES).round().astype(int))
    rows["evaluation"] = rows.get("evaluation", rows["epoch"])
    return tuple(_run(own.sort_values("evaluation")) for _, own in rows.groupby(["depth", "cases", "seed"]))


def _run(rows: pd.DataFrame) -> Run:
    depth, cases, seed = (int(rows[name].iloc[0]) for name in ("depth", "cases", "seed"))
    validation, test = rows["val_dsc"].to_numpy(), rows["test_dsc"].to_numpy()
    best = int(validation.argmax())
    return Run(Place(depth, cases), seed, validation[best : best + 1], test[best : best + 1], flag=flag_of(validation))


def each_seed(runs: Sequence[Run]) -> list[tuple[Run, ...]]:
    """All runs of one seed."""
    return [tuple(run for run in runs if run.seed == seed) for seed in _seeds(runs)]


def one_repeat_a_depth(runs: Sequence[Run]) -> list[tuple[Run, ...]]:
    """All runs of one seed, and of each depth the run of another seed at one number of cases."""
    counts = sorted({run.place.num_cases for run in runs})
    return [
        tuple(r for r in runs if r.seed == seed or (r.seed == other and r.place.num_cases == count))
        for seed in _seeds(runs)
        for other in _seeds(runs)
        if other != seed
        for count in counts
    ]


def up_to(cases: int, depths: tuple[int, ...]) -> Callable[[Sequence[Run]], list[tuple[Run, ...]]]:
    """All runs of these depths with so many cases or fewer."""
    return lambda runs: [tuple(run for run in runs if run.place.num_cases <= cases and run.place.depth in depths)]


def every_other_ratio(runs: Sequence[Run]) -> list[tuple[Run, ...]]:
    """Of every depth the largest number of cases, and every second one below it."""
    counts = sorted({run.place.num_cases for run in runs})
    return [tuple(run for run in runs if run.place.num_cases in counts[::-1][::2])]


def _seeds(runs: Sequence[Run]) -> list[int]:
    return sorted({run.seed for run in runs})


def own_surface() -> Path:
    """A surface that is not part of the repository; it may not exist."""
    return Path(os.environ.get("DICECURVE_TEST_DATA", "")) / OWN_SURFACE
