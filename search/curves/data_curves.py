"""Data curves: DSC against training cases at each depth of a variant, known jointly, with replicates of all of them.

What runs measure conditions one distribution over the curves of all depths (`models.surface`): each
depth learns from the others, and a configuration that was never trained has a value too. A replicate resamples the
scored cases by group, once for all configurations, and draws the curves anew given what those cases would have said.
Two variants of the protocol share these cases and nothing else: each has curves of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from models.forecaster.baselines.power_law import NORMAL_90
from models.surface import Runs, SurfacePrior
from search.curves.interpolation import Curves

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from search.curves.measurements import CaseSet, Configuration

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

ASSUMED_RUN_SIGMA = 0.014  # between seeds of one configuration, on two public polyp sets at 64 x 64 pixels
# Two repeats that happen to agree would otherwise promise that every run ends alike.
LEAST_RUN_SIGMA = 0.005
TELLING = 4  # configurations of one depth from which on residuals say something of the noise
POSITIONS = 32  # of each depth's curve, besides those measured
MOST_MEASURED = 40  # positions of each depth that are kept apart; more are averaged with their neighbours
BEYOND = 4.0  # times the cases at hand: whether twice as many bring anything can be told up to half of it


@dataclass(frozen=True)
class RunNoise:
    """How far single runs of one configuration lie apart.

    Attributes:
        sigma: Standard deviation of a run's DSC.
        source: Pooled from repeats, from the residuals of the data curves, or assumed for want of both.
        degrees_of_freedom: Of the estimate from repeats; 0 otherwise.
    """

    sigma: float
    source: Literal["repeats", "residuals", "assumed"]
    degrees_of_freedom: int


@dataclass(frozen=True, eq=False)
class DataPoints:
    """C configurations that learned, scored on K cases.

    Attributes:
        depth: Shape (C,).
        num_cases: Training cases, shape (C,).
        seeds: Number of runs, shape (C,).
        case_dsc: Mean over seeds of each case's measured DSC, shape (C, K).
        gain: Mean forecast remaining gain, shape (C,).
        gain_sigma: Its standard deviation, shape (C,).
        repeat_squares: Squared distances of the runs from their mean, summed over runs, shape (C,).
    """

    depth: Integers
    num_cases: Floats
    seeds: Floats
    case_dsc: Floats
    gain: Floats
    gain_sigma: Floats
    repeat_squares: Floats

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
        replicate_error: Each replicate's error of each configuration's measured DSC, shape (R, C).
        new_run: Noise of one new run in each replicate, shape (R,).
    """

    points: DataPoints
    noise: RunNoise
    curve: dict[int, Curves]
    replicates: dict[int, Curves]
    replicate_error: Floats
    new_run: Floats

    def expected(self, depth: Sequence[int] | Integers, num_cases: Sequence[float] | Floats) -> Floats:
        """Expected DSC of J configurations, shape (J,)."""
        return np.asarray(_values(self.curve, depth, num_cases)[0])

    def drawn(self, depth: Sequence[int] | Integers, num_cases: Sequence[float] | Floats) -> Floats:
        """The DSC of J configurations in every replicate, shape (R, J)."""
        return _values(self.replicates, depth, num_cases)


def data_points(configurations: Sequence[Configuration], case_set: CaseSet) -> DataPoints:
    """Scores of at least one configuration on the validation or on the test cases."""
    runs = [
        np.stack([run.case_dsc(case_set) for run in configuration.measurements]) for configuration in configurations
    ]
    gains = [np.array([run.remaining_gain for run in configuration.measurements]) for configuration in configurations]
    return DataPoints(
        depth=np.array([configuration.depth for configuration in configurations]),
        num_cases=np.array([float(configuration.num_cases) for configuration in configurations]),
        seeds=np.array([float(configuration.seeds) for configuration in configurations]),
        case_dsc=np.stack([scores.mean(axis=0) for scores in runs]),
        gain=np.array([gain.mean() for gain in gains]),
        gain_sigma=np.array([_gain_sigma(configuration) for configuration in configurations]),
        repeat_squares=np.array([_squares(s.mean(axis=1) + g) for s, g in zip(runs, gains, strict=True)]),
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
    repeats = _repeat_sigma(points)
    prior = SurfacePrior(layout.depth, layout.num_cases, num_train)
    runs, shifts = layout.averaged(points, shift)
    posterior = prior.posterior(runs, len(shift), rng, noise=repeats, shift=shifts)
    noise = _run_noise(points, repeats, posterior.noise)
    spread = np.sqrt(noise.sigma**2 / points.seeds + points.gain_sigma**2)
    return DataCurves(
        points=points,
        noise=noise,
        curve=layout.curves(posterior.mean[None, :]),
        replicates=layout.curves(posterior.draws),
        replicate_error=shift + rng.normal(0.0, 1.0, shift.shape) * spread,
        new_run=rng.normal(0.0, noise.sigma, len(shift)),
    )


def resampled_shift(scores: Floats, groups: Integers | None, replicates: int, rng: np.random.Generator) -> Floats:
    """Change of each configuration's mean when the cases are drawn again by group, shape (R, C).

    Args:
        scores: DSC of K cases in each of C configurations, shape (C, K).
        groups: Group of each case, shape (K,); None: each case is its own.
        replicates: Their number R.
        rng: Draws as many groups as there are, with replacement; the same ones for all configurations.

    Raises:
        ValueError: If groups and scores differ in K.
    """
    num_cases = scores.shape[1]
    groups = np.arange(num_cases) if groups is None else np.asarray(groups)
    if groups.shape != (num_cases,):
        raise ValueError(f"groups must give one number for each of {num_cases} cases, got shape {groups.shape}")
    _, member = np.unique(groups, return_inverse=True)
    num_groups = int(member.max()) + 1
    drawn = rng.multinomial(num_groups, np.full(num_groups, 1 / num_groups), size=replicates)
    weights = drawn[:, member] / drawn[:, member].sum(axis=1, keepdims=True)
    # Scores are centred first: the same shift, and none at all where every case scores alike.
    shift: Floats = weights @ (scores - scores.mean(axis=1, keepdims=True)).T
    return shift


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

    def averaged(self, points: DataPoints, shift: Floats) -> tuple[Runs, Floats]:
        """The runs at each place that was measured, and the shift of each in every replicate."""
        places, member = np.unique(self.place, return_inverse=True)
        shares = np.zeros((len(places), len(member)))
        shares[member, np.arange(len(member))] = points.seeds
        repeats = shares.sum(axis=1)
        shares /= repeats[:, None]
        sigma = np.sqrt((shares**2) @ points.gain_sigma**2)
        return Runs(places, shares @ points.dsc, repeats, sigma), shift @ shares.T

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


def _repeat_sigma(points: DataPoints) -> float | None:
    """Standard deviation of single runs pooled from repeats; None without any."""
    repeats = int((points.seeds - 1).sum())
    return max(LEAST_RUN_SIGMA, float(np.sqrt(points.repeat_squares.sum() / repeats))) if repeats else None


def _run_noise(points: DataPoints, repeats: float | None, believed: Floats) -> RunNoise:
    if repeats is not None:
        return RunNoise(repeats, "repeats", int((points.seeds - 1).sum()))
    most = max(int((points.depth == depth).sum()) for depth in points.depth)
    sigma = float(np.sqrt(np.mean(believed**2)))
    return RunNoise(sigma, "residuals" if most >= TELLING else "assumed", 0)


def _gain_sigma(configuration: Configuration) -> float:
    """Standard deviation of the mean gain over seeds, each gain's interval read as a normal one."""
    widths = [run.remaining_gain_upper - run.remaining_gain_lower for run in configuration.measurements]
    return float(np.linalg.norm(widths)) / (2 * NORMAL_90 * len(widths))


def _squares(values: Floats) -> float:
    return float(((values - values.mean()) ** 2).sum())
