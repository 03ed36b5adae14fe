"""The DSC of a whole study at once: a distribution over data curves of all depths, given the runs measured so far.

f(d, n) = a + a_d - (b + b_d)·phi(n) + g(n) + g_d(n): a common level and rise, those of each depth, a law phi that falls
from 1 at few cases to 0 at all of them, and Gaussian processes for what no law says, which may be larger at few cases.
Depths resemble their neighbours, or differ more, each in part in its own way. Given phi, the scales and how depths
differ all of it is Gaussian, so the posterior is exact (Rasmussen and Williams 2006, ch. 2); over a grid of these (phi
among power laws and exponential ones) it is averaged by marginal likelihood. Joint draws come by conditioning draws
from the prior (Wilson et al. 2021, arXiv:2011.04026).
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.linalg import cho_solve, solve_triangular

from models.threads import one_blas_thread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

POWERS = (0.1, 0.3, 0.6, 1.0, 1.7, 3.0)  # phi = z^-c, z the share of all cases
RATES = (2.0, 5.0, 12.0, 30.0)  # phi = exp(-k·z)
WIGGLES = (0.002, 0.006, 0.018)  # of the processes at all cases, in DSC
NOISES = (0.006, 0.011, 0.02)  # between runs, in DSC
FEW = 0.05  # the share of all cases at which phi is 1
LEVEL, LEVEL_SIGMA = 0.65, 1.0
RISE, RISE_SIGMA = 0.15, 0.15
DEPTHS = ((0.05, 0.0), (0.15, 0.5))  # how their levels and rises differ: by so much, of which a share is each one's own
DEPTH_REACH = 2.0  # depths this far apart still resemble each other
WIGGLE_REACH = 0.7  # in units of log n
JITTER = 1e-8
NEGLIGIBLE = 1e-9  # weight of what may be left out
LARGE = 1000  # configurations from which on several threads pay


@dataclass(frozen=True, eq=False)
class Runs:
    """M measured means of runs.

    Attributes:
        configuration: Which configuration each one measured, shape (M,).
        dsc: Mean over its runs, shape (M,).
        repeats: How many runs it is the mean of, shape (M,).
        sigma: Standard deviation of each one's error beyond the noise between runs, such as that of a forecast gain,
            shape (M,).
    """

    configuration: Integers
    dsc: Floats
    repeats: Floats
    sigma: Floats


@dataclass(frozen=True, eq=False)
class SurfacePosterior:
    """What is known of the expected DSC of J configurations.

    Attributes:
        mean: Shape (J,).
        sigma: Standard deviation, shape (J,).
        draws: S joint draws, shape (S, J).
        noise: Standard deviation between runs in each draw, shape (S,).
    """

    mean: Floats
    sigma: Floats
    draws: Floats
    noise: Floats


class SurfacePrior:
    """What is believed of J configurations before any run; built once for a study."""

    def __init__(self, depth: Floats, num_cases: Floats, all_cases: int) -> None:
        """Take the configurations' depths and numbers of cases, both of shape (J,), and the cases at hand."""
        share = np.asarray(num_cases, dtype=np.float64) / all_cases
        ways = [(sigma, _resemblance(np.asarray(depth, dtype=np.float64), own)) for sigma, own in DEPTHS]
        near = _nearness(share)
        self._size = len(share)
        with one_blas_thread() if self._size < LARGE else nullcontext():
            self._components = [
                _component(phi, wiggle**2 * near, sigma, alike)
                for phi, wiggle, (sigma, alike) in product(_laws(share), WIGGLES, ways)
            ]

    def posterior(
        self,
        runs: Runs,
        draws: int,
        rng: np.random.Generator,
        *,
        noise: float | None = None,
        shift: Floats | None = None,
    ) -> SurfacePosterior:
        """What M runs, possibly none, make of it.

        Args:
            runs: What was measured.
            draws: How many joint draws, S.
            rng: Draws them.
            noise: Standard deviation between runs, where repeats have told it.
            shift: What is added to every run in each draw, such as the effect of other scored cases, shape (S, M).
        """
        with one_blas_thread() if self._size < LARGE else nullcontext():
            return self._posterior(runs, draws, rng, noise, shift)

    def _posterior(
        self, runs: Runs, draws: int, rng: np.random.Generator, noise: float | None, shift: Floats | None
    ) -> SurfacePosterior:
        noises = NOISES if noise is None else (noise,)
        weighed = [_weigh(component, noise, runs) for component, noise in product(self._components, noises)]
        weights = _softmax(np.array([component.log_likelihood for component in weighed]))
        # In no order, or the draws of two variants would be paired by the law that they follow.
        which = rng.permutation(_allotted(weights, draws, rng))
        counting = np.union1d(np.flatnonzero(weights > NEGLIGIBLE), which)
        conditioned = {index: _condition(weighed[index], runs) for index in counting.tolist()}
        shift = np.zeros((draws, len(runs.dsc))) if shift is None else shift
        drawn = np.empty((draws, self._size))
        for index in np.unique(which).tolist():
            drawn[which == index] = _draw(conditioned[index], runs, shift[which == index], rng)
        means = np.stack([component.mean for component in conditioned.values()])
        variances = np.stack([component.variance for component in conditioned.values()])
        weights = weights[counting] / weights[counting].sum()
        mean = weights @ means
        variance = weights @ (variances + (means - mean) ** 2)
        return SurfacePosterior(
            mean=mean,
            sigma=np.sqrt(np.maximum(variance, 0.0)),
            draws=drawn,
            noise=np.array([component.noise for component in weighed])[which],
        )


class _Component(NamedTuple):
    """One law, one amplitude, and one way in which depths differ: a Gaussian over the J configurations."""

    mean: Floats
    covariance: Floats
    root: Floats


class _Weighed(NamedTuple):
    """One component under one noise, and how likely it makes the runs."""

    component: _Component
    noise: float
    factor: Floats
    log_likelihood: float


class _Conditioned(NamedTuple):
    """The same given the runs."""

    component: _Component
    noise: float
    gain: Floats
    mean: Floats
    variance: Floats


def _laws(share: Floats) -> list[Floats]:
    powers = [(share**-c - 1) / (FEW**-c - 1) for c in POWERS]
    rates = [(np.exp(-k * share) - np.exp(-k)) / (np.exp(-k * FEW) - np.exp(-k)) for k in RATES]
    return [*powers, *rates]


def _resemblance(depth: Floats, own: float) -> Floats:
    """Correlation between what is particular to the depths of J configurations, shape (J, J)."""
    apart = depth[:, None] - depth
    correlation: Floats = (1 - own) * np.exp(-((apart / DEPTH_REACH) ** 2) / 2) + own * (apart == 0)
    return correlation


def _nearness(share: Floats) -> Floats:
    """Covariance of what no law says, for an amplitude of 1 at all cases: shape (J, J)."""
    log = np.log(share)
    amplitude = 1 - log  # larger at few cases
    near: Floats = np.exp(-(((log[:, None] - log) / WIGGLE_REACH) ** 2) / 2) * np.outer(amplitude, amplitude)
    return near


def _component(phi: Floats, near: Floats, depth_sigma: float, alike: Floats) -> _Component:
    covariance = (
        LEVEL_SIGMA**2
        + depth_sigma**2 * alike
        + (RISE_SIGMA**2 + depth_sigma**2 * alike) * np.outer(phi, phi)
        + near * (0.5 + 0.5 * alike)
    )
    root = np.asarray(np.linalg.cholesky(covariance + JITTER * np.eye(len(phi))), dtype=np.float64)
    return _Component(LEVEL - RISE * phi, covariance, root)


def _weigh(component: _Component, noise: float, runs: Runs) -> _Weighed:
    at = runs.configuration
    errors = np.diag(noise**2 / runs.repeats + runs.sigma**2)
    factor = np.asarray(np.linalg.cholesky(component.covariance[np.ix_(at, at)] + errors), dtype=np.float64)
    half = solve_triangular(factor, runs.dsc - component.mean[at], lower=True) if len(at) else np.zeros(0)
    log_likelihood = -0.5 * float(half @ half) - float(np.log(np.diag(factor)).sum())
    return _Weighed(component, noise, factor, log_likelihood)


def _condition(weighed: _Weighed, runs: Runs) -> _Conditioned:
    (mean, prior, _), at = weighed.component, runs.configuration
    if not len(at):
        return _Conditioned(weighed.component, weighed.noise, np.zeros((len(prior), 0)), mean, np.diag(prior))
    cross = prior[:, at]
    gain = cho_solve((weighed.factor, True), cross.T).T
    variance = np.diag(prior) - (gain * cross).sum(axis=1)
    return _Conditioned(weighed.component, weighed.noise, gain, mean + gain @ (runs.dsc - mean[at]), variance)


def _draw(given: _Conditioned, runs: Runs, shift: Floats, rng: np.random.Generator) -> Floats:
    mean, _, root = given.component
    prior = mean + rng.standard_normal((len(shift), len(mean))) @ root.T
    sigma = np.sqrt(given.noise**2 / runs.repeats + runs.sigma**2)
    seen = prior[:, runs.configuration] + sigma * rng.standard_normal(shift.shape)
    drawn: Floats = prior + (runs.dsc + shift - seen) @ given.gain.T
    return drawn


def _allotted(weights: Floats, draws: int, rng: np.random.Generator) -> Integers:
    """Which component each draw follows, shape (draws,): each as often as its weight says, within 1 (Kitagawa 1996)."""
    levels = (np.arange(draws) + rng.random()) / draws
    component: Integers = np.searchsorted(np.cumsum(weights)[:-1], levels)
    return component


def _softmax(scores: Floats) -> Floats:
    weights = np.exp(scores - scores.max())
    return np.asarray(weights / weights.sum())
