"""Simulated studies: a drawn truth, runs around it, and the cases that happen to score them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from tests.benchmarks.coverage.scenes.cases import draw_cases, scored
from tests.benchmarks.coverage.scenes.laws import DEPTHS, HIGHEST, LOWEST, draw_law
from tests.benchmarks.coverage.scenes.study import Place, Run, Study

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tests.benchmarks.coverage.scenes.cases import CaseSet, Peaks
    from tests.benchmarks.coverage.scenes.laws import Law
    from tests.benchmarks.coverage.scenes.run_noise import RunNoise

    Floats = NDArray[np.float64]

NEW_RUNS = 8  # of each configuration, on which "one new run" is judged
TOLERANCE = 0.01
KEPT = 32  # studies; thousands would fill the memory


@dataclass(frozen=True)
class Design:
    """What a simulated study is drawn from.

    Attributes:
        family: Of its law.
        num_train: Training cases at hand, N.
        shares: Of them, that every depth is trained with.
        seeds: Of every configuration.
        noise: Of runs.
        num_validation: Validation cases.
        num_test: Test cases.
        largest_group: Cases of a patient; 1: each case is its own.
        peaks: Of the scores of cases.
        margin: The target less the best true DSC; None: without a target.
        hour_price: Of one GPU hour.
        gains: As in `draw_law`.
    """

    family: str
    num_train: int
    shares: tuple[float, ...]
    seeds: int
    noise: RunNoise
    num_validation: int
    num_test: int
    largest_group: int
    peaks: Peaks
    margin: float | None = None
    hour_price: float = 2.0
    gains: tuple[float, float] | None = None


@dataclass(frozen=True)
class Scene:
    """A simulated study and its truth; the same numbers each time that it is asked.

    Attributes:
        design: What it is drawn from.
        entropy: Of its draws.
    """

    design: Design
    entropy: tuple[int, ...]

    @cached_property
    def law(self) -> Law:
        """The true curves."""
        return draw_law(self.design.family, self._rng("law"), self.design.gains)

    @property
    def num_train(self) -> int:
        """Training cases at hand, N."""
        return self.design.num_train

    @cached_property
    def places(self) -> tuple[Place, ...]:
        """The grid."""
        return tuple(Place(depth, cases) for depth in DEPTHS for cases in self._cases)

    @cached_property
    def _cases(self) -> list[int]:
        return [max(1, round(share * self.design.num_train)) for share in self.design.shares]

    def dsc(self, depth: int, num_cases: float) -> float:
        """Expected DSC over runs and cases."""
        return float(self.law.dsc(depth, num_cases / self.design.num_train))

    def doubling_gain(self, depth: int) -> float:
        """f(2N) - f(N)."""
        return self.law.doubling_gain(depth)

    @cached_property
    def best(self) -> float:
        """The highest expected DSC of the grid."""
        return max(self.dsc(*place) for place in self.places)

    @property
    def target(self) -> float | None:
        """DSC to reach; None without."""
        return None if self.design.margin is None else round(self.best + self.design.margin, 6)

    @property
    def floor(self) -> float:
        """The DSC that is truly good enough: the target, else the best less the tolerance."""
        return self.best - TOLERANCE if self.target is None else self.target

    def new_runs(self, depth: int, num_cases: int) -> list[float]:
        """Expected DSC over cases of further runs of a configuration under fresh seeds."""
        share = num_cases / self.design.num_train
        lucky = self._rng("new", depth, num_cases).standard_normal(NEW_RUNS)
        sigma = self.design.noise.sigma_at(np.asarray(share))
        return [float(dsc) for dsc in np.clip(self.dsc(depth, num_cases) + lucky * sigma, LOWEST, HIGHEST)]

    @property
    def study(self) -> Study:
        """Every configuration of the grid under every seed."""
        return _study(self)

    def drawn(self) -> Study:
        """The same, drawn anew."""
        groups = {name: cases.groups for name, cases in zip(("validation", "test"), self._case_sets, strict=True)}
        return Study(
            num_train=self.design.num_train,
            runs=tuple(run for depth in DEPTHS for run in self._runs(depth)),
            validation_groups=groups["validation"],
            test_groups=groups["test"],
            target=self.target,
            tolerance=TOLERANCE,
            hour_price=self.design.hour_price,
            noise=self.design.noise,
        )

    def confirmed(self, place: Place) -> Study:
        """The same with one more run of a configuration, under a fresh seed."""
        share = np.array([place.num_cases / self.design.num_train])
        luck = self.design.noise.draw(share, 1, self._rng("confirming", *place))[0, 0]
        run = self._run(place, self.design.seeds, luck)
        return replace(self.study, runs=(*self.study.runs, replace(run, confirms=True)))

    def with_bad_run(self, avoided: Place | None, dsc: float) -> Study:
        """The same, but for one run of another configuration that ended at this DSC without being flagged."""
        rng = self._rng("bad")
        others = [at for at, run in enumerate(self.study.runs) if run.place != avoided]
        bad = int(rng.choice(others))
        runs = list(self.study.runs)
        validation, test = (scored(cases, dsc, self.design.peaks, rng) for cases in self._case_sets)
        runs[bad] = replace(runs[bad], validation=validation, test=test)
        return replace(self.study, runs=tuple(runs))

    def _runs(self, depth: int) -> list[Run]:
        shares = np.array(self._cases) / self.design.num_train
        luck = self.design.noise.draw(shares, self.design.seeds, self._rng("luck", depth))
        return [
            self._run(Place(depth, cases), seed, luck[seed, at])
            for seed in range(self.design.seeds)
            for at, cases in enumerate(self._cases)
        ]

    def _run(self, place: Place, seed: int, luck: float) -> Run:
        dsc = float(np.clip(self.dsc(*place) + luck, LOWEST, HIGHEST))
        rng = self._rng("scores", *place, seed)
        validation, test = (scored(cases, dsc, self.design.peaks, rng) for cases in self._case_sets)
        return Run(place, seed, validation, test)

    @cached_property
    def _case_sets(self) -> tuple[CaseSet, CaseSet]:
        rng = self._rng("cases")
        design = self.design
        validation, test = (
            draw_cases(count, design.largest_group, rng) for count in (design.num_validation, design.num_test)
        )
        return validation, test

    def _rng(self, what: str, *which: int) -> np.random.Generator:
        return np.random.default_rng([*self.entropy, *what.encode(), *which])


@lru_cache(maxsize=KEPT)
def _study(scene: Scene) -> Study:
    return scene.drawn()
