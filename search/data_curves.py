"""Data curves: DSC against training cases at each depth, fitted once and in bootstrap replicates.

A replicate resamples the scored cases by group, once for all configurations, and redraws what one more run would have
measured: D*_i = f(n_i) + (resampled mean_i - mean_i) + e_i, with e_i ~ N(0, sigma_run^2 / S_i) for S_i seeds and, for a
stopped run, the error of its forecast gain; then every law is fitted again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from models.forecaster.power_law import FIT_PARAMETERS, NORMAL_90, fit_power_laws

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from models.forecaster.power_law import PowerLaws
    from search.measurements import CaseSet, Configuration

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

ASSUMED_RUN_SIGMA = 0.014  # between seeds of one configuration, on two public polyp sets at 64 x 64 pixels
# Two repeats that happen to agree would otherwise promise that every run ends alike.
LEAST_RUN_SIGMA = 0.005


@dataclass(frozen=True)
class RunNoise:
    """How far single runs of one configuration lie apart.

    Attributes:
        sigma: Standard deviation of a run's DSC.
        source: Pooled from repeats, from the residuals of the data curves, or assumed for want of both.
        degrees_of_freedom: Of the estimate; 0 for an assumed one.
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
        full: Floats = self.case_dsc.mean(axis=1) + self.gain
        return full


@dataclass(frozen=True, eq=False)
class DataCurves:
    """One law per depth through C configurations, and R replicates of all of them.

    Attributes:
        points: What the laws are fitted to.
        noise: Of single runs.
        laws: Fitted law of each depth, one row each.
        fitted: Its value at each configuration, shape (C,).
        replicate_laws: R laws of each depth.
        replicate_fitted: Their values at each configuration, shape (R, C).
        replicate_error: Each replicate's error of each configuration's DSC, shape (R, C).
        new_run: Noise of one new run in each replicate, shape (R,).
    """

    points: DataPoints
    noise: RunNoise
    laws: dict[int, PowerLaws]
    fitted: Floats
    replicate_laws: dict[int, PowerLaws]
    replicate_fitted: Floats
    replicate_error: Floats
    new_run: Floats


def data_points(configurations: Sequence[Configuration], case_set: CaseSet) -> DataPoints:
    """Scores of at least one configuration on the validation or on the test cases."""
    runs = [np.stack([run.case_dsc(case_set) for run in each.measurements]) for each in configurations]
    gains = [np.array([run.remaining_gain for run in each.measurements]) for each in configurations]
    return DataPoints(
        depth=np.array([each.depth for each in configurations]),
        num_cases=np.array([float(each.num_cases) for each in configurations]),
        seeds=np.array([float(each.seeds) for each in configurations]),
        case_dsc=np.stack([scores.mean(axis=0) for scores in runs]),
        gain=np.array([gain.mean() for gain in gains]),
        gain_sigma=np.array([_gain_sigma(each) for each in configurations]),
        repeat_squares=np.array([_squares(s.mean(axis=1) + g) for s, g in zip(runs, gains, strict=True)]),
    )


def fit_data_curves(
    points: DataPoints, groups: Integers | None, replicates: int, rng: np.random.Generator
) -> DataCurves:
    """Fit the law of every depth, and fit it again in every replicate.

    Args:
        points: C configurations, scored on K cases.
        groups: Group of each scored case, shape (K,), resampled whole; None: each case is its own.
        replicates: Their number R.
        rng: Draws them.

    Raises:
        ValueError: If groups and cases differ in number.
    """
    laws = _laws_by_depth(points, points.dsc[None, :])
    fitted = _values(points, laws)
    noise = run_noise(points, points.dsc - fitted[0])
    error = resampled_shift(points.case_dsc, groups, replicates, rng)
    spread = np.sqrt(noise.sigma**2 / points.seeds + points.gain_sigma**2)
    error += rng.normal(0.0, 1.0, error.shape) * spread
    replicate_laws = _laws_by_depth(points, fitted + error)
    return DataCurves(
        points=points,
        noise=noise,
        laws=laws,
        fitted=fitted[0],
        replicate_laws=replicate_laws,
        replicate_fitted=_values(points, replicate_laws),
        replicate_error=error,
        new_run=rng.normal(0.0, noise.sigma, replicates),
    )


def run_noise(points: DataPoints, residuals: Floats) -> RunNoise:
    """Standard deviation of single runs: from repeats, else from residuals of shape (C,), else assumed."""
    repeats = int((points.seeds - 1).sum())
    if repeats > 0:
        return _noise(points.repeat_squares.sum(), "repeats", repeats)
    # A depth with no more configurations than its law has parameters leaves no residual to learn from.
    sizes = {int(depth): int((points.depth == depth).sum()) for depth in points.depth}
    ample = np.array([sizes[int(depth)] > FIT_PARAMETERS for depth in points.depth])
    if ample.any():
        free = sum(size - FIT_PARAMETERS for size in sizes.values() if size > FIT_PARAMETERS)
        return _noise((residuals[ample] ** 2).sum(), "residuals", free)
    return RunNoise(ASSUMED_RUN_SIGMA, "assumed", 0)


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


def _laws_by_depth(points: DataPoints, dsc: Floats) -> dict[int, PowerLaws]:
    """Fit each depth to its columns of dsc, of shape (R, C); a mean of more seeds weighs more."""
    laws = {}
    for depth in np.unique(points.depth):
        own = points.depth == depth
        laws[int(depth)] = fit_power_laws(points.num_cases[own], dsc[:, own], points.seeds[own])
    return laws


def _values(points: DataPoints, laws: dict[int, PowerLaws]) -> Floats:
    """Values of R laws per depth at the C configurations, shape (R, C)."""
    columns = [laws[int(depth)].at(n[None]) for depth, n in zip(points.depth, points.num_cases, strict=True)]
    return np.concatenate(columns, axis=1)


def _noise(squares: float, source: Literal["repeats", "residuals"], degrees_of_freedom: int) -> RunNoise:
    sigma = max(LEAST_RUN_SIGMA, float(np.sqrt(squares / degrees_of_freedom)))
    return RunNoise(sigma, source, degrees_of_freedom)


def _gain_sigma(configuration: Configuration) -> float:
    """Standard deviation of the mean gain over seeds, each gain's interval read as a normal one."""
    widths = [run.remaining_gain_upper - run.remaining_gain_lower for run in configuration.measurements]
    return float(np.linalg.norm(widths)) / (2 * NORMAL_90 * len(widths))


def _squares(values: Floats) -> float:
    return float(((values - values.mean()) ** 2).sum())
