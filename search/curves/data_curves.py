"""Data curves: DSC against training cases at each depth of a variant, known jointly, with replicates of all of them.

What runs measure conditions one distribution over the curves of all depths (`models.surface`): each
depth learns from the others, and a configuration that was never trained has a value too. A replicate resamples the
scored cases by group, once for all configurations, and draws the curves anew given what those cases would have said.
Two variants of the protocol share these cases and nothing else: each has curves of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from models.forecaster.baselines.power_law import NORMAL_90
from models.surface.posterior import SurfacePrior
from models.surface.run_noise import growth_factor
from models.surface.runs import SingleRuns, mean_runs
from search.curves.interpolation import Curves
from search.curves.intervals import Interval, interval_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from models.surface.runs import Runs
    from search.curves.measurements import CaseSet, Configuration, Measurement

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

POSITIONS = 32  # of each depth's curve, besides those measured
MOST_MEASURED = 40  # positions of each depth that are kept apart; more are averaged with their neighbours
BEYOND = 4.0  # times the cases at hand: whether twice as many bring anything can be told up to half of it
UNKNOWN = 0.8  # probability that the unseen case may score anything
TELLING = 3  # degrees of freedom from which on repeats, and no longer the prior, say how far runs differ


@dataclass(frozen=True)
class RunNoise:
    """How far runs of one configuration lie apart from seed to seed, with all cases at hand.

    Attributes:
        sigma: Standard deviation of a run's DSC, median of its posterior.
        interval: Its 90 % interval.
        degrees_of_freedom: Of the repeats that tell it; without any it is assumed, by a prior that residuals of single
            seeds bound from below.
    """

    sigma: float
    interval: Interval
    degrees_of_freedom: int

    @property
    def is_assumed(self) -> bool:
        """Whether too few repeats speak against the prior."""
        return self.degrees_of_freedom < TELLING


@dataclass(frozen=True, eq=False)
class DataPoints:
    """C configurations that learned, scored on K cases.

    Attributes:
        depth: Shape (C,).
        num_cases: Training cases, shape (C,).
        seeds: Number of runs, shape (C,).
        case_dsc: Mean over seeds of each case's measured DSC, shape (C, K).
        gain: Mean forecast remaining gain, shape (C,).
        runs: Each run's own DSC of the full budget; its place is that of its configuration among the C.
    """

    depth: Integers
    num_cases: Floats
    seeds: Floats
    case_dsc: Floats
    gain: Floats
    runs: SingleRuns

    @property
    def dsc(self) -> Floats:
        """DSC of the full budget, shape (C,): measured, and the forecast gain of stopped runs."""
        return np.asarray(self.case_dsc.mean(axis=1) + self.gain)


@dataclass(frozen=True, eq=False)
class DataCurves:
    """One curve per depth through C configurations, and R replicates of all of them.

    Attributes:
        points: What the curves are conditioned on.
        noise: Of single runs.
        curve: Expected curve of each depth.
        replicates: R curves of each depth, drawn jointly.
        luck: How far one new run under a fresh seed lies from its curve with all cases, in each replicate, shape (R,).
        growth: Power by which that grows as cases get fewer, shape (R,).
        num_train: Training cases at hand, N.
        unlike: Which configurations lie where their neighbours do not foretell, and moved no curve, shape (C,).
    """

    points: DataPoints
    noise: RunNoise
    curve: dict[int, Curves]
    replicates: dict[int, Curves]
    luck: Floats
    growth: Floats
    num_train: int
    unlike: NDArray[np.bool_]

    def expected(self, depth: Sequence[int] | Integers, num_cases: Sequence[float] | Floats) -> Floats:
        """Expected DSC of J configurations, shape (J,)."""
        return np.asarray(_values(self.curve, depth, num_cases)[0])

    def drawn(self, depth: Sequence[int] | Integers, num_cases: Sequence[float] | Floats) -> Floats:
        """The DSC of J configurations in every replicate, shape (R, J)."""
        return _values(self.replicates, depth, num_cases)

    def new_run(self, num_cases: Sequence[float] | Floats) -> Floats:
        """What one new run adds to the curve at H numbers of cases in every replicate, shape (R, H)."""
        log_share = np.log(np.asarray(num_cases, dtype=np.float64) / self.num_train)
        return np.asarray(self.luck[:, None] * growth_factor(log_share, self.growth[:, None]))


def data_points(configurations: Sequence[Configuration], case_set: CaseSet) -> DataPoints:
    """Scores of at least one configuration on the validation or on the test cases."""
    runs = [run for entry in configurations for run in entry.measurements]
    seeds = np.array([entry.seeds for entry in configurations])
    begun = np.concatenate([[0], np.cumsum(seeds)[:-1]])
    scores = np.stack([run.case_dsc(case_set) for run in runs])
    gain = np.array([run.remaining_gain for run in runs])
    return DataPoints(
        depth=np.array([configuration.depth for configuration in configurations]),
        num_cases=np.array([float(configuration.num_cases) for configuration in configurations]),
        seeds=seeds.astype(np.float64),
        case_dsc=np.add.reduceat(scores, begun, axis=0) / seeds[:, None],
        gain=np.add.reduceat(gain, begun) / seeds,
        runs=SingleRuns(
            place=np.repeat(np.arange(len(configurations)), seeds),
            depth=np.array([run.depth for run in runs]),
            num_cases=np.array([float(run.num_cases) for run in runs]),
            seed=np.array([run.seed for run in runs], dtype=np.int64),
            dsc=scores.mean(axis=1) + gain,
            sigma=np.array([_gain_sigma(run) for run in runs]),
        ),
    )


def fit_data_curves(
    points: DataPoints,
    shift: Floats,
    rng: np.random.Generator,
    *,
    num_train: int,
    depths: Sequence[int] = (),
    fewest: float | None = None,
) -> DataCurves:
    """Condition the curves of every depth on what was measured.

    Args:
        points: C configurations of one variant, scored on K cases.
        shift: What other scored cases would change, by `resampled_shift`: R replicates, shape (R, C).
        rng: Draws the replicates.
        num_train: Training cases at hand, N.
        depths: Further depths that a curve is wanted of.
        fewest: The number of cases at which curves begin; None: the fewest that were measured.
    """
    start = min(float(points.num_cases.min()), np.inf if fewest is None else fewest)
    layout = _Layout.of(points, start, num_train, sorted({*points.depth.tolist(), *depths}))
    prior = SurfacePrior(layout.depth, layout.num_cases, num_train)
    runs, shifts = layout.averaged(points, shift, num_train)
    posterior = prior.posterior(runs, len(shift), rng, shift=shifts)
    return DataCurves(
        points=points,
        noise=RunNoise(
            sigma=float(np.median(posterior.noise)),
            interval=interval_of(posterior.noise),
            degrees_of_freedom=int((points.seeds - 1).sum()),
        ),
        curve=layout.curves(posterior.mean[None, :]),
        replicates=layout.curves(posterior.draws),
        luck=posterior.noise * rng.standard_normal(len(shift)),
        growth=posterior.growth,
        num_train=num_train,
        unlike=np.isin(layout.place, runs.configuration[posterior.unlike]),
    )


def resampled_shift(scores: Floats, groups: Integers | None, replicates: int, rng: np.random.Generator) -> Floats:
    """Change of each configuration's mean when the scored cases are others of their kind, shape (R, C).

    The population is drawn from its posterior (Rubin 1981, the Bayesian bootstrap): weights of the groups from a
    Dirichlet distribution. One further case stands for failures that none of few cases is: its weight is that of one
    group, its score mostly anything from 0 to 1 (`UNKNOWN`), else that of some scored case. A single score is a mean
    over cases that are not known: it stays.

    Args:
        scores: DSC of K cases in each of C configurations, shape (C, K).
        groups: Group of each case, shape (K,); None: each case is its own.
        replicates: Their number R.
        rng: Draws weights, and the unseen case's score; the same ones for all configurations.

    Raises:
        ValueError: If groups and scores differ in K.
    """
    num_cases = scores.shape[1]
    groups = np.arange(num_cases) if groups is None else np.asarray(groups)
    if groups.shape != (num_cases,):
        raise ValueError(f"groups must give one number for each of {num_cases} cases, got shape {groups.shape}")
    if num_cases == 1:
        return np.zeros((replicates, len(scores)))
    _, member = np.unique(groups, return_inverse=True)
    num_groups = int(member.max()) + 1
    weights = rng.standard_exponential((replicates, num_groups))[:, member]
    unseen = rng.standard_exponential(replicates) * num_cases / num_groups
    whole = weights.sum(axis=1) + unseen
    means = scores.mean(axis=1)
    centred = scores - means[:, None]  # first: the same shift of all, however they are rounded
    anything = rng.random(replicates)[:, None] - means
    like_one = centred[:, rng.integers(0, num_cases, replicates)].T
    score = np.where(rng.random(replicates)[:, None] < UNKNOWN, anything, like_one)
    return np.asarray((weights @ centred.T + unseen[:, None] * score) / whole[:, None])


@dataclass(frozen=True, eq=False)
class _Layout:
    """Where the curves are known: J positions, and which of them each of the C configurations belongs to."""

    depth: Floats
    num_cases: Floats
    place: Integers

    @classmethod
    def of(cls, points: DataPoints, start: float, num_train: int, depths: Sequence[int]) -> _Layout:
        every, place = [], np.zeros(len(points.depth), dtype=np.int64)
        last = BEYOND * max(num_train, float(points.num_cases.max()))
        begun = 0
        for depth in depths:
            own = points.depth == depth
            measured, member = _merged(points.num_cases[own])
            positions = np.unique(np.concatenate([np.geomspace(start, last, POSITIONS), measured]))
            place[own] = begun + np.searchsorted(positions, measured[member])
            begun += len(positions)
            every.append((np.full(len(positions), float(depth)), positions))
        return cls(np.concatenate([d for d, _ in every]), np.concatenate([n for _, n in every]), place)

    def averaged(self, points: DataPoints, shift: Floats, num_train: int) -> tuple[Runs, Floats]:
        """The mean of the runs at each place that was measured, and its shift in every replicate."""
        places, member = np.unique(self.place, return_inverse=True)
        shares = np.zeros((len(places), len(member)))
        shares[member, np.arange(len(member))] = points.seeds
        shares /= shares.sum(axis=1, keepdims=True)
        runs = mean_runs(replace(points.runs, place=self.place[points.runs.place]), num_train)
        return runs, shift @ shares.T

    def curves(self, values: Floats) -> dict[int, Curves]:
        return {
            int(depth): Curves(self.num_cases[self.depth == depth], np.clip(values[:, self.depth == depth], 0.0, 1.0))
            for depth in np.unique(self.depth)
        }


def _merged(num_cases: Floats) -> tuple[Floats, Integers]:
    """Distinct numbers of cases, neighbours averaged where there are many, and which one each belongs to."""
    distinct, member = np.unique(num_cases, return_inverse=True)
    if len(distinct) <= MOST_MEASURED:
        return distinct, member
    part = np.arange(len(distinct)) * MOST_MEASURED // len(distinct)
    means = np.array([np.exp(np.log(distinct[part == p]).mean()) for p in range(MOST_MEASURED)])
    return means, part[member]


def _values(curves: dict[int, Curves], depth: Sequence[int] | Integers, num_cases: Sequence[float] | Floats) -> Floats:
    depths, cases = np.asarray(depth), np.asarray(num_cases, dtype=np.float64)
    rows = len(next(iter(curves.values())).values)
    values = np.empty((rows, len(depths)))
    for own_depth in np.unique(depths):
        own = depths == own_depth
        values[:, own] = curves[int(own_depth)].at(cases[own])
    return values


def _gain_sigma(run: Measurement) -> float:
    """Standard deviation of a forecast gain, its interval read as a normal one."""
    return (run.remaining_gain_upper - run.remaining_gain_lower) / (2 * NORMAL_90)
