"""What the curves of a study may be like: Gaussians over J configurations, one for each law and each scale."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from models.surface.laws import laws

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

WIGGLES = (0.002, 0.008)  # of the processes at all cases, in DSC
SLOPES = (0.001, 0.012, 0.04)  # standard deviations of the lasting rise with log n, in DSC
LEVEL, LEVEL_SIGMA = 0.65, 1.0
RISE, RISE_SIGMA = 0.15, 0.15


class Depths(NamedTuple):
    """How depths differ: standard deviations of levels and of rises, the share that is each one's own, and a prior."""

    level: float
    rise: float
    own: float
    weight: float


DEPTHS = (Depths(0.01, 0.03, 0.3, 0.45), Depths(0.04, 0.05, 0.1, 0.35), Depths(0.15, 0.15, 0.5, 0.2))
DEPTH_REACH = 2.0  # depths this far apart still resemble each other
WIGGLE_REACH = 0.7  # in units of log n


@dataclass(frozen=True, eq=False)
class Component:
    """One law, one amplitude, one slope, and one way in which depths differ.

    Attributes:
        phi: Shape of the law at J configurations, (J,).
        log: Logarithm of their shares of all cases, shape (J,).
        wiggle: Standard deviation of what no law says, at all cases.
        slope: That of the lasting rise with log n.
        level_sigma: How much the levels of depths differ.
        rise_sigma: How much their rises do.
        alike: Correlation between what is particular to their depths, shape (J, J).
        near: Covariance of what no law says, for an amplitude of 1, shape (J, J).
    """

    phi: Floats
    log: Floats
    wiggle: float
    slope: float
    level_sigma: float
    rise_sigma: float
    alike: Floats
    near: Floats

    def mean(self, at: Integers) -> Floats:
        """Of some configurations, in DSC."""
        return np.asarray(LEVEL - RISE * self.phi[at])

    def covariance(self, rows: Integers, columns: Integers) -> Floats:
        """Between two choices of configurations."""
        block = np.ix_(rows, columns)
        alike = self.alike[block]
        half = 0.5 + 0.5 * alike
        rise = (RISE_SIGMA**2 + self.rise_sigma**2 * alike) * np.outer(self.phi[rows], self.phi[columns])
        slope = self.slope**2 * half * np.outer(self.log[rows], self.log[columns])
        level = LEVEL_SIGMA**2 + self.level_sigma**2 * alike
        return np.asarray(level + rise + slope + self.wiggle**2 * half * self.near[block])

    def variance(self) -> Floats:
        """Of each configuration."""
        rest = self.wiggle**2 * np.diag(self.near) + (self.slope * self.log) ** 2
        level, rise = LEVEL_SIGMA**2 + self.level_sigma**2, RISE_SIGMA**2 + self.rise_sigma**2
        return np.asarray(level + rise * self.phi**2 + rest)


@dataclass(frozen=True, eq=False)
class Components:
    """All C of them, by way in which depths differ, law, wiggle and slope.

    Attributes:
        phi: Of L laws, shape (L, J).
        log: Logarithm of the configurations' shares of all cases, shape (J,).
        alike: Of W ways in which depths differ, shape (W, J, J).
        near: Covariance of what no law says, for an amplitude of 1, shape (J, J).
        log_weights: Of all components, shape (C,).
    """

    phi: Floats
    log: Floats
    alike: Floats
    near: Floats
    log_weights: Floats

    @classmethod
    def of(cls, depth: Floats, log: Floats) -> Components:
        """Of J configurations of these depths and logarithms of the share of all cases, both of shape (J,)."""
        every = laws(np.exp(log))
        weights = np.repeat([law.weight for law in every], len(WIGGLES) * len(SLOPES))
        return cls(
            phi=np.stack([law.shape for law in every]),
            log=log,
            alike=np.stack([_resemblance(depth, way.own) for way in DEPTHS]),
            near=_nearness(log),
            log_weights=np.log(np.outer([way.weight for way in DEPTHS], weights)).ravel(),
        )

    def one(self, index: int) -> Component:
        """The component of that index."""
        way, law, wiggle, slope = np.unravel_index(index, self._sizes)
        return Component(
            phi=self.phi[law],
            log=self.log,
            wiggle=WIGGLES[wiggle],
            slope=SLOPES[slope],
            level_sigma=DEPTHS[way].level,
            rise_sigma=DEPTHS[way].rise,
            alike=self.alike[way],
            near=self.near,
        )

    def means(self, at: Integers) -> Floats:
        """Of M configurations under each component, shape (C, M)."""
        means = np.repeat(LEVEL - RISE * self.phi[:, at], len(WIGGLES) * len(SLOPES), axis=0)
        return np.tile(means, (len(DEPTHS), 1))

    def covariances(self, at: Integers) -> Floats:
        """Between M configurations under each component, shape (C, M, M)."""
        block, phi, log = np.ix_(at, at), self.phi[:, at], self.log[at]
        outer = phi[:, :, None] * phi[:, None, :]
        ways = []
        for way, every in zip(DEPTHS, self.alike, strict=True):
            alike = every[block]
            half = 0.5 + 0.5 * alike
            risen = LEVEL_SIGMA**2 + way.level**2 * alike + (RISE_SIGMA**2 + way.rise**2 * alike) * outer
            scales = [
                half * (wiggle**2 * self.near[block] + slope**2 * np.outer(log, log))
                for wiggle, slope in product(WIGGLES, SLOPES)
            ]
            ways.append((risen[:, None] + np.stack(scales)).reshape(len(phi) * len(scales), len(at), len(at)))
        return np.concatenate(ways)

    @property
    def _sizes(self) -> tuple[int, int, int, int]:
        return len(DEPTHS), len(self.phi), len(WIGGLES), len(SLOPES)


def _resemblance(depth: Floats, own: float) -> Floats:
    """Correlation between what is particular to the depths of J configurations, shape (J, J)."""
    apart = depth[:, None] - depth
    correlation: Floats = (1 - own) * np.exp(-((apart / DEPTH_REACH) ** 2) / 2) + own * (apart == 0)
    return correlation


def _nearness(log: Floats) -> Floats:
    """Covariance of what no law says, for an amplitude of 1 at all cases: shape (J, J)."""
    amplitude = 1 - np.minimum(log, 0.0)  # larger at few cases
    near: Floats = np.exp(-(((log[:, None] - log) / WIGGLE_REACH) ** 2) / 2) * np.outer(amplitude, amplitude)
    return near
