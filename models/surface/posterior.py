"""The DSC of a whole study at once: a distribution over data curves of all depths, given the runs measured so far.

f(d, n) = a + a_d - (b + b_d)·phi(n) + (s + s_d)·log z + g(n) + g_d(n), z the share of all cases: a common level, rise
and lasting slope, those of each depth, a law phi that falls from 1 at few cases to 0 at all of them, and Gaussian
processes for what no law says, which may be larger at few cases. Depths resemble their neighbours, or differ more,
each in part in its own way. Runs lie about f as `run_noise` says. Given the law, the scales and the noise all of it is
Gaussian, so the posterior is exact (Rasmussen and Williams 2006, ch. 2); over a grid of these it is averaged by
marginal likelihood. Joint draws come by conditioning draws from the prior (Wilson et al. 2021, arXiv:2011.04026).
"""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.linalg import cho_solve

from models.surface.components import Components
from models.surface.run_noise import NoisePoint, growth_factor, noise_points, seed_likeness
from models.threads import one_blas_thread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from models.surface.components import Component
    from models.surface.runs import Runs

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

JITTER = 1e-8
SCREENED = 48  # means by which laws are compared first, where there are more
LEADING = 3  # laws under which all noises are compared
KEPT = 7.0  # what is less likely than the likeliest by e to this power is left out
UNLIKE = 4.0  # standard deviations from what all other runs foretell, beyond which a run tells nothing
MOST_UNLIKE = 3
SLOTS = 128  # pairs of a law and a noise, as often as they weigh, that draws follow
AT_ONCE = 2**21  # numbers in matrices that are factorised together
BORDER = 1e9  # above what residuals can add up to
LARGE = 1000  # configurations from which on several threads pay


@dataclass(frozen=True, eq=False)
class SurfacePosterior:
    """What is known of the expected DSC of J configurations.

    Attributes:
        mean: Shape (J,).
        sigma: Standard deviation, shape (J,).
        draws: S joint draws, shape (S, J).
        noise: Standard deviation between runs with all cases in each draw, shape (S,).
        growth: Power by which it grows towards few cases in each draw, shape (S,).
        unlike: Which of the M means is unlike what all others foretell, and moved nothing, shape (M,).
    """

    mean: Floats
    sigma: Floats
    draws: Floats
    noise: Floats
    growth: Floats
    unlike: NDArray[np.bool_]


class SurfacePrior:
    """What is believed of J configurations before any run; built once for a study."""

    def __init__(self, depth: Floats, num_cases: Floats, all_cases: int) -> None:
        """Take the configurations' depths and numbers of cases, both of shape (J,), and the cases at hand."""
        self._depth, self._log = np.asarray(depth, dtype=np.float64), np.log(np.asarray(num_cases) / all_cases)
        self._components = Components.of(self._depth, self._log)

    def posterior(
        self, runs: Runs, draws: int, rng: np.random.Generator, *, shift: Floats | None = None
    ) -> SurfacePosterior:
        """What the means of runs at M places, possibly none, make of it.

        Args:
            runs: What was measured.
            draws: How many joint draws, S.
            rng: Draws them.
            shift: What is added to every mean in each draw, such as the effect of other scored cases, shape (S, M).
        """
        shift = np.zeros((draws, len(runs.dsc))) if shift is None else shift
        with one_blas_thread() if len(self._log) < LARGE else nullcontext():
            believed, unlike = self._without_unlike(runs)
            return self._drawn(believed, shift, rng, unlike)

    def _without_unlike(self, runs: Runs) -> tuple[_Believed, NDArray[np.bool_]]:
        """The weights of all laws and noises, once runs that are unlike their neighbours have lost theirs."""
        unlike = np.zeros(len(runs.dsc), dtype=bool)
        believed = self._believed(runs)
        for _ in range(MOST_UNLIKE if len(runs.dsc) > 2 * MOST_UNLIKE else 0):
            distance, residual = believed.left_out()
            worst = int(np.abs(distance).argmax())
            if abs(distance[worst]) < UNLIKE or unlike[worst]:
                break
            unlike[worst] = True
            sigma = runs.sigma.copy()
            sigma[worst] = abs(residual[worst])
            runs = replace(runs, sigma=sigma)
            believed = self._believed(runs)
        return believed, unlike

    def _believed(self, runs: Runs) -> _Believed:
        """How likely each law under each noise makes the runs; what is far from the likeliest is not looked at."""
        points = noise_points(runs.deviations)
        errors = np.stack([self._errors(point, runs) for point in points])
        law_weights, noise_weights = self._components.log_weights, np.array([point.log_weight for point in points])
        typical = _typical(points)
        laws = self._likely_laws(runs, errors[typical], noise_weights[typical])
        means, priors = self._components.means(runs.configuration)[laws], self._priors(runs.configuration, laws)
        prior_weights = law_weights[laws][:, None] + noise_weights
        scores = np.full((len(laws), len(points)), -np.inf)

        def compare(which: Integers, noises: Integers) -> Floats:
            scores[np.ix_(which, noises)] = _log_likelihoods(means[which], priors[which], errors[noises], runs.dsc)
            return np.asarray(scores + prior_weights)

        by_law = compare(np.arange(len(laws)), typical).max(axis=1)
        leading = np.argsort(-by_law)[:LEADING]
        by_noise = compare(leading, np.arange(len(points)))[leading].max(axis=0)
        noises = np.flatnonzero(by_noise > by_noise.max() - KEPT)
        weighed = compare(np.flatnonzero(by_law > by_law.max() - KEPT), noises)
        weights = np.exp(weighed - weighed.max())
        return _Believed(runs, points, errors, laws, means, priors, weights / weights.sum())

    def _likely_laws(self, runs: Runs, errors: Floats, noise_weights: Floats) -> Integers:
        """Laws that a part of the means, spread over all of them, does not rule out under P noises."""
        few = np.unique(np.linspace(0, len(runs.dsc) - 1, min(SCREENED, len(runs.dsc))).astype(np.int64))
        at = runs.configuration[few]
        log_likelihood = _log_likelihoods(
            self._components.means(at), self._components.covariances(at), errors[:, few[:, None], few], runs.dsc[few]
        )
        by_law = (log_likelihood + noise_weights).max(axis=1) + self._components.log_weights
        return np.flatnonzero(by_law > by_law.max() - KEPT)

    def _priors(self, at: Integers, laws: Integers) -> Floats:
        """Covariances between M configurations under some laws, shape (laws, M, M)."""
        return np.stack([self._components.one(law).covariance(at, at) for law in laws.tolist()])

    def _errors(self, point: NoisePoint, runs: Runs) -> Floats:
        """Covariance of the errors of the M means, shape (M, M)."""
        log, depth = self._log[runs.configuration], self._depth[runs.configuration]
        lasting = point.lasting * seed_likeness(log) * runs.shared * (depth[:, None] == depth)
        own = np.diag((1 - point.lasting) / runs.repeats)
        factor = point.sigma * growth_factor(log, point.growth)
        return np.asarray((lasting + own) * np.outer(factor, factor) + np.diag(runs.sigma**2))

    def _drawn(
        self, believed: _Believed, shift: Floats, rng: np.random.Generator, unlike: NDArray[np.bool_]
    ) -> SurfacePosterior:
        slots = _allotted(believed.weights.ravel(), min(SLOTS, len(shift)))
        # In no order, or the draws of two variants would be paired by the law that they follow.
        follows = rng.permutation(np.arange(len(shift)) % len(slots))
        law, noise = np.divmod(slots, len(believed.points))
        draws, mean, square = np.empty((len(shift), len(self._log))), np.zeros(len(self._log)), np.zeros(len(self._log))
        for of_law in np.unique(law).tolist():
            own = np.isin(follows, np.flatnonzero(law == of_law))
            drawn, noise_of_draw = (
                _draw_prior(self._components.one(believed.laws[of_law]), int(own.sum()), rng),
                noise[follows],
            )
            for of_noise in np.unique(noise[law == of_law]).tolist():
                given = _condition(self._components.one(believed.laws[of_law]), believed, of_law, of_noise)
                weight = np.mean((law == of_law) & (noise == of_noise))
                mean += weight * given.mean
                square += weight * (given.variance + given.mean**2)
                both = own & (noise_of_draw == of_noise)
                seen = believed.runs.dsc + shift[both] - believed.error_draws(of_noise, int(both.sum()), rng)
                draws[both] = given.moved(drawn[noise_of_draw[own] == of_noise], seen, believed.runs.configuration)
        points = [believed.points[index] for index in noise[follows].tolist()]
        return SurfacePosterior(
            mean=mean,
            sigma=np.sqrt(np.maximum(square - mean**2, 0.0)),
            draws=draws,
            noise=np.array([point.sigma for point in points]),
            growth=np.array([point.growth for point in points]),
            unlike=unlike,
        )


class _Believed(NamedTuple):
    """Some laws and P noises, weighed by M means of runs; the weights, of shape (laws, P), add up to 1."""

    runs: Runs
    points: list[NoisePoint]
    errors: Floats
    laws: Integers
    means: Floats
    priors: Floats
    weights: Floats

    def error_draws(self, noise: int, draws: int, rng: np.random.Generator) -> Floats:
        """Errors of the M means under one noise, shape (draws, M)."""
        root = np.linalg.cholesky(self.errors[noise] + JITTER**2 * np.eye(len(self.runs.dsc)))
        return np.asarray(rng.standard_normal((draws, len(root))) @ root.T)

    def left_out(self) -> tuple[Floats, Floats]:
        """How far each mean lies from what all others foretell, in standard deviations and in DSC, both (M,)."""
        law, noise = np.unravel_index(int(self.weights.argmax()), self.weights.shape)
        inverse = np.linalg.inv(self.priors[law] + self.errors[noise])
        residual = inverse @ (self.runs.dsc - self.means[law]) / np.diag(inverse)
        return residual * np.sqrt(np.diag(inverse)), residual


class _Given(NamedTuple):
    """A Gaussian over the J configurations, given M means of runs: the weights of these are of shape (J, M)."""

    gain: Floats
    mean: Floats
    variance: Floats

    def moved(self, drawn: Floats, seen: Floats, at: Integers) -> Floats:
        """Draws from the prior, shape (S, J), moved to what each of them would have to have at M places."""
        return np.asarray(drawn + (seen - drawn[:, at]) @ self.gain.T)


def _typical(points: Sequence[NoisePoint]) -> Integers:
    """A small, a middle and a large noise, under which the laws are compared first."""
    sigma = np.array([point.sigma for point in points])
    order = np.argsort(sigma)
    share = np.cumsum(np.exp([points[i].log_weight for i in order]))
    places = np.minimum(np.searchsorted(share / share[-1], [0.1, 0.5, 0.95]), len(order) - 1)
    return np.unique(order[places])


def _log_likelihoods(means: Floats, priors: Floats, errors: Floats, dsc: Floats) -> Floats:
    """Of M means, under C laws and P noises: shape (C, P)."""
    number = len(dsc)
    scores = np.empty((len(means), len(errors)))
    at_once = max(1, AT_ONCE // (len(means) * (number + 1) ** 2))
    # The last row of the factor of a matrix that the residuals border is what the triangle turns them into.
    bordered = np.empty((len(means), 1, number + 1, number + 1))
    bordered[:, 0, :number, :number] = priors
    bordered[:, 0, number, :number] = bordered[:, 0, :number, number] = dsc - means
    bordered[:, 0, number, number] = BORDER
    for first in range(0, len(errors), at_once):
        own = slice(first, first + at_once)
        matrix = np.repeat(bordered, len(errors[own]), axis=1)
        matrix[:, :, :number, :number] += errors[own]
        factor = np.linalg.cholesky(matrix)
        half = (factor[:, :, number, :number] ** 2).sum(axis=-1)
        roots = np.log(np.diagonal(factor, axis1=2, axis2=3)[..., :number]).sum(axis=-1)
        scores[:, own] = -0.5 * half - roots
    return scores


def _condition(component: Component, believed: _Believed, law: int, noise: int) -> _Given:
    """One law under one noise, given the runs."""
    every, at = np.arange(len(component.log)), believed.runs.configuration
    mean, variance = component.mean(every), component.variance()
    if not len(at):
        return _Given(np.zeros((len(every), 0)), mean, variance)
    cross = component.covariance(every, at)
    factor = np.linalg.cholesky(believed.priors[law] + believed.errors[noise])
    gain = cho_solve((factor, True), cross.T).T
    return _Given(gain, mean + gain @ (believed.runs.dsc - mean[at]), variance - (gain * cross).sum(axis=1))


def _draw_prior(component: Component, draws: int, rng: np.random.Generator) -> Floats:
    every = np.arange(len(component.log))
    if not draws:
        return np.zeros((0, len(every)))
    root = np.linalg.cholesky(component.covariance(every, every) + JITTER * np.eye(len(every)))
    return np.asarray(component.mean(every) + rng.standard_normal((draws, len(every))) @ root.T)


def _allotted(weights: Floats, slots: int) -> Integers:
    """Which pair each slot holds, shape (slots,): each as often as its weight says, within 1 (Kitagawa 1996)."""
    levels = (np.arange(slots) + 0.5) / slots
    found: Integers = np.searchsorted(np.cumsum(weights)[:-1], levels)
    return found
