"""How far runs of one configuration lie apart: what its seed adds for all numbers of cases, and what is each run's own.

D = f_d(n) + u + v. The offset u belongs to a seed and lasts along n, smoothly in log n; v is each run's own. Their
variances add up to sigma(n)^2 with sigma(n) = sigma·(N/n)^growth up to all cases N, of which u has the share `lasting`.
The runs of one seed show v alone; repeats under several seeds show both. What neither tells is left to a prior, whose
median is 0.015 DSC with 95 % below 0.05.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.linalg import cholesky, solve_triangular
from scipy.special import ndtri

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MEDIAN, BELOW_95 = 0.015, 0.05  # of sigma, in DSC
LOG_SD = float(np.log(BELOW_95 / MEDIAN) / ndtri(0.95))
LASTING = {0.2: 0.25, 0.55: 0.35, 0.85: 0.4}  # the share of the variance that is the seed's own, and its prior
GROWTH = {0.0: 0.35, 0.25: 0.35, 0.5: 0.3}  # the power by which sigma grows towards few cases, and its prior
STRATA = np.array([0.06, 0.12, 0.2, 0.24, 0.18, 0.11, 0.06, 0.022, 0.008])  # of sigma: finer where it is likely
MIDDLES = np.cumsum(STRATA) - STRATA / 2
FINE = np.exp(np.linspace(np.log(0.001), np.log(0.3), 400))
SEED_REACH = 1.5  # in units of log n: how far a seed's offset resembles itself
NEGLIGIBLE = 1e-5


@dataclass(frozen=True, eq=False)
class Repeats:
    """Deviations of the runs of one seed from the mean over seeds, at the P numbers of cases that have several seeds.

    Attributes:
        log_share: Logarithm of the share of all cases, shape (P,).
        deviation: Of this seed's run from the mean, scaled to the variance of one run, shape (P,).
        weight: Degrees of freedom that each of them stands for, at most 1: (k - 1) / k of k seeds, their mean.
    """

    log_share: Floats
    deviation: Floats
    weight: float


class NoisePoint(NamedTuple):
    """One value of sigma, lasting share and growth, and the logarithm of its weight."""

    sigma: float
    lasting: float
    growth: float
    log_weight: float


def noise_points(repeats: Sequence[Repeats]) -> list[NoisePoint]:
    """What is believed of the noise before the curves are looked at, given the repeats.

    For each lasting share and growth, sigma has nine values, each the median of a stratum of its distribution.
    """
    points = [point for lasting in LASTING for evidence in _evidence(repeats, lasting) for point in _points(evidence)]
    top = max(point.log_weight for point in points)
    relative = [point._replace(log_weight=point.log_weight - top) for point in points]
    return [point for point in relative if point.log_weight > np.log(NEGLIGIBLE)]


class _Evidence(NamedTuple):
    """What repeats say under one lasting share and one growth.

    Attributes:
        lasting: The share.
        growth: The growth.
        number: Degrees of freedom.
        squares: Their squares, under a sigma of 1.
        log_det: Logarithm of the determinant of their covariance, under a sigma of 1.
    """

    lasting: float
    growth: float
    number: float
    squares: float
    log_det: float


def _evidence(repeats: Sequence[Repeats], lasting: float) -> list[_Evidence]:
    """Of every growth."""
    found = {growth: np.zeros(3) for growth in GROWTH}
    for own in repeats:
        size = len(own.deviation)
        root = cholesky(lasting * seed_likeness(own.log_share) + (1 - lasting) * np.eye(size), lower=True)
        log_det = 2 * float(np.log(np.diag(root)).sum())
        for growth in GROWTH:
            factor = growth_factor(own.log_share, growth)
            half = solve_triangular(root, own.deviation / factor, lower=True)
            found[growth] += own.weight * np.array([size, half @ half, log_det + 2 * np.log(factor).sum()])
    return [_Evidence(lasting, growth, *sums.tolist()) for growth, sums in found.items()]


def _points(evidence: _Evidence) -> Iterator[NoisePoint]:
    """Those of one lasting share and one growth, each given with its prior."""
    prior = -0.5 * (np.log(FINE / MEDIAN) / LOG_SD) ** 2
    log_density = prior - evidence.number * np.log(FINE) - 0.5 * evidence.squares / FINE**2
    top = log_density.max()
    mass = np.exp(log_density - top)
    sigmas = np.exp(np.interp(MIDDLES, np.cumsum(mass) / mass.sum(), np.log(FINE)))
    log_weight = np.log(LASTING[evidence.lasting] * GROWTH[evidence.growth]) + top + np.log(mass.sum())
    for sigma, stratum in zip(sigmas.tolist(), STRATA, strict=True):
        weight = float(log_weight - 0.5 * evidence.log_det + np.log(stratum))
        yield NoisePoint(sigma, evidence.lasting, evidence.growth, weight)


def growth_factor(log_share: Floats, growth: float | Floats) -> Floats:
    """Sigma at a share of all cases by sigma at all of them."""
    return np.asarray(np.exp(-growth * np.minimum(log_share, 0.0)))


def seed_likeness(log_share: Floats) -> Floats:
    """Correlation of a seed's offset with itself at P numbers of cases, shape (P, P)."""
    return np.asarray(np.exp(-(((log_share[:, None] - log_share) / SEED_REACH) ** 2) / 2))
