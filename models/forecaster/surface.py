"""DSC for numbers of cases and sizes of network that were never trained: the paper's performance prediction model.

A Gaussian process (Rasmussen and Williams 2006, chapter 2.7) over log cases and log parameters, about a law
a + b·n^(-c) whose a and b move with log parameters. Within the trained grid it interpolates; beyond it the law goes on
and the interval opens. Exponent, smoothness and noise are averaged over a grid by their marginal likelihoods.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from models.forecaster.forecast import NORMAL_95, Forecast

if TYPE_CHECKING:
    from models.forecaster.forecast import Floats

EXPONENTS = (0.15, 0.3, 0.5, 0.75, 1.0, 1.5)
NOISES = (0.005, 0.01, 0.02, 0.04)  # standard deviation of a run, in DSC
BENDS = (0.003, 0.01, 0.03)  # standard deviation of what the law misses, in DSC
CENTRE, PRIOR = 0.7, (0.3, 0.1, 0.3, 0.1)  # of a, its slope in log parameters, b, its slope: standard deviations
LENGTHS = (1.0, 1.0)  # over log cases and log parameters, on which what the law misses is alike


class _Settings(NamedTuple):
    """One point of the grid."""

    exponent: float
    noise: float
    bend: float


GRID = tuple(_Settings(*values) for values in product(EXPONENTS, NOISES, BENDS))


@dataclass(frozen=True)
class PerformanceSurface:
    """DSC over cases and parameters, measured at C points.

    Attributes:
        cases: Training cases, positive, shape (C,).
        parameters: Weights of the network, positive, shape (C,).
        dsc: Measured, shape (C,).
    """

    cases: Floats
    parameters: Floats
    dsc: Floats

    def __post_init__(self) -> None:
        """Refuse what cannot be fitted.

        Raises:
            ValueError: If shapes disagree, there is no point, or a number makes no sense.
        """
        shapes = {np.shape(values) for values in (self.cases, self.parameters, self.dsc)}
        if len(shapes) != 1 or len(next(iter(shapes))) != 1 or len(self.dsc) == 0:
            raise ValueError(f"cases, parameters and dsc must have one shape (C,), C >= 1, got {sorted(shapes)}")
        if not (np.isfinite(self.dsc).all() and (self.cases > 0).all() and (self.parameters > 0).all()):
            raise ValueError("cases and parameters must be positive, dsc finite")

    def forecast(self, cases: Floats, parameters: Floats) -> Forecast:
        """DSC of H configurations, trained or not: cases and parameters of shape (H,)."""
        asked_cases, asked_parameters = (np.asarray(v, dtype=np.float64) for v in (cases, parameters))
        posteriors = [self._posterior(settings, asked_cases, asked_parameters) for settings in GRID]
        evidence = np.array([posterior.evidence for posterior in posteriors])
        weight = np.exp(evidence - evidence.max())
        weight /= weight.sum()
        means, variances = (np.stack([getattr(p, name) for p in posteriors]) for name in ("mean", "variance"))
        mean = weight @ means
        expected = weight @ (variances + (means - mean) ** 2)
        measured = expected + weight @ np.array([settings.noise**2 for settings in GRID])
        return _forecast(mean, NORMAL_95 * np.sqrt(measured), NORMAL_95 * np.sqrt(expected))

    def _posterior(self, settings: _Settings, cases: Floats, parameters: Floats) -> _Posterior:
        here = self._coordinates(settings, self.cases, self.parameters)
        there = self._coordinates(settings, cases, parameters)
        own = _covariance(settings, here, here) + settings.noise**2 * np.eye(len(self.dsc))
        factor = np.linalg.cholesky(own)
        off = np.linalg.solve(factor, self.dsc - CENTRE)
        across = np.linalg.solve(factor, _covariance(settings, here, there))
        before = np.diag(_covariance(settings, there, there))
        evidence = -0.5 * off @ off - np.log(np.diag(factor)).sum()
        return _Posterior(CENTRE + across.T @ off, np.maximum(before - (across**2).sum(axis=0), 0.0), float(evidence))

    def _coordinates(self, settings: _Settings, cases: Floats, parameters: Floats) -> _Coordinates:
        size = np.log(parameters) - np.log(self.parameters).mean()
        shape = (cases / self.cases.max()) ** -settings.exponent
        shape = shape / (self.cases.min() / self.cases.max()) ** -settings.exponent
        spread = max(float(np.log(self.parameters).std()), 1.0)
        law = np.stack([np.ones(len(cases)), size / spread, shape, shape * size / spread], axis=1)
        return _Coordinates(law * np.array(PRIOR), np.stack([np.log(cases), np.log(parameters)], axis=1))


class _Coordinates(NamedTuple):
    """Of N configurations: terms of the law, each times its prior's deviation, (N, 4); logarithms, (N, 2)."""

    law: Floats
    logs: Floats


class _Posterior(NamedTuple):
    """Mean and variance of the expected DSC of H configurations, and the log evidence of the settings."""

    mean: Floats
    variance: Floats
    evidence: float


def _covariance(settings: _Settings, first: _Coordinates, second: _Coordinates) -> Floats:
    """Prior covariance, shape (N, M)."""
    apart = (first.logs[:, None] - second.logs[None]) / np.array(LENGTHS)
    bend = settings.bend**2 * np.exp(-0.5 * (apart**2).sum(axis=-1))
    covariance: Floats = first.law @ second.law.T + bend
    return covariance


def _forecast(mean: Floats, new: Floats, expected: Floats) -> Forecast:
    bounds = np.stack([mean, mean - new, mean + new, mean - expected, mean + expected])
    middle, lower, upper, mean_lower, mean_upper = np.clip(bounds, 0.0, 1.0)
    return Forecast(middle, lower, upper, mean_lower, mean_upper, "performance surface")
