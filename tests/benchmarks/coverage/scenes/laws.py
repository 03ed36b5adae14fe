"""True data curves of the simulated studies, from families that the answer's model does not hold.

A law gives the expected DSC of four depths at any share of the N training cases. Deeper networks rise further and
later, so that they overtake shallower ones at a drawn number of cases; besides, some depth is the best, and others lose
the more the farther they are from it. With all cases neighbouring depths differ by 0.001 to 0.03, as on the recorded
surfaces of `tests/data`. All numbers are ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DEPTHS = (3, 4, 5, 6)
MIDDLE = 4.5
LOWEST, HIGHEST = 0.03, 0.98
SMALLEST_SHARE = 0.05  # of the cases, at which a broken power law's rise begins
LOG_SCALES = (-4.0, 9.0)
GAINS = (0.0015, 0.05)  # of twice all cases, at middle depth

# Each rises from 0 to 1; z is a scale times a power of the share of cases.
SATURATIONS: dict[str, Callable[[Floats], Floats]] = {
    "Michaelis-Menten": lambda z: z / (1 + z),
    "arctangent": lambda z: 2 / np.pi * np.arctan(z),
    "error function of log n": lambda z: np.asarray(ndtr(np.log(z))),
    "Weibull": lambda z: 1 - np.exp(-z),
    "Gompertz": lambda z: np.exp(-1 / z),
    "dip": lambda z: 2 / np.pi * np.arctan(z),
}
POWERS = {
    "Michaelis-Menten": (0.7, 1.3),
    "arctangent": (0.6, 1.1),
    "error function of log n": (0.5, 0.9),
    "Weibull": (0.35, 0.75),
    "Gompertz": (0.4, 0.9),
    "dip": (0.6, 1.1),
}
STRAIGHT, KINK = "no plateau", "kink"
STRAIGHT_GAINS = (0.012, 0.05)
FAMILIES = (*SATURATIONS, STRAIGHT, KINK)


@dataclass(frozen=True)
class Dip:
    """A stretch in which more cases score less, as in double descent: where, how wide in doublings, how deep."""

    share: float
    width: float
    dsc: float

    def at(self, share: Floats) -> Floats:
        """What is lost there, of the shape of ``share``."""
        return np.asarray(self.dsc * np.exp(-0.5 * (np.log2(share / self.share) / self.width) ** 2))


@dataclass(frozen=True)
class Law:
    """Expected DSC of every depth.

    Attributes:
        family: Of the curve.
        level: DSC of a network of middle depth with all cases, about.
        below: DSC by which that network lies below its DSC with all cases, as a function of the share.
        lag: Log of how many times as many cases each further level of depth needs.
        stretch: Share by which each further level rises more.
        crossing: Share of the cases about which deeper networks overtake.
        best: Depth from which on, either way, DSC is lost.
        bend: DSC that one level away from it loses, two levels four times as much.
        dip: None without one.
    """

    family: str
    level: float
    below: Callable[[Floats], Floats]
    lag: float
    stretch: float
    crossing: float
    best: float = MIDDLE
    bend: float = 0.0
    dip: Dip | None = None

    def dsc(self, depth: int, share: Floats | float) -> Floats:
        """Expected DSC at shares of the N cases, of the shape of ``share``."""
        share = np.asarray(share, dtype=np.float64)
        deeper = depth - MIDDLE
        overtaking = np.asarray(self.crossing * 1.5**deeper)
        lift = self.stretch * deeper * self.below(overtaking)
        value = self.level + lift - (1 + self.stretch * deeper) * self.below(share * np.exp(-self.lag * deeper))
        value = value - self.bend * (depth - self.best) ** 2
        if self.dip is not None:
            value = value - self.dip.at(share)
        return np.clip(value, LOWEST, HIGHEST)

    def doubling_gain(self, depth: int) -> float:
        """f(2N) - f(N)."""
        return float(self.dsc(depth, 2.0) - self.dsc(depth, 1.0))


def draw_law(family: str, rng: np.random.Generator, gains: tuple[float, float] | None = None) -> Law:
    """A law of a family.

    Args:
        family: One of `FAMILIES`.
        rng: Draws its numbers.
        gains: What doubling all cases brings a network of middle depth, at least and at most; None: 0.0015 to 0.05, of
            laws without a plateau 0.012 to 0.05.
    """
    least, most = gains or (STRAIGHT_GAINS if family == STRAIGHT else GAINS)
    gain = float(np.exp(rng.uniform(np.log(least), np.log(most))))
    rise = float(rng.uniform(0.15, 0.4))
    dip = None
    if family == STRAIGHT:
        below = straight(gain)
    elif family == KINK:
        below = kinked(gain, rise, late=float(rng.uniform(0.15, 0.8)), kink=float(rng.uniform(0.15, 0.5)))
    else:
        below = saturating(SATURATIONS[family], gain, rise, float(rng.uniform(*POWERS[family])))
    if family == "dip":
        dip = Dip(float(rng.uniform(0.15, 0.45)), float(rng.uniform(0.4, 0.7)), float(rng.uniform(0.02, 0.05)))
    return Law(
        family=family,
        level=float(rng.uniform(0.7, 0.85 if family == STRAIGHT else 0.9)),
        below=below,
        lag=float(rng.uniform(0.0, 0.15)),
        stretch=float(rng.uniform(0.02, 0.12)),
        crossing=float(rng.uniform(0.1, 0.8)),
        best=float(rng.uniform(3.5, 6.0)),
        bend=float(np.exp(rng.uniform(np.log(0.0004), np.log(0.012)))),
        dip=dip,
    )


def straight(slope: float) -> Callable[[Floats], Floats]:
    """Log-linear: so much more DSC with each doubling, without an end."""
    return lambda share: np.asarray(-slope * np.log2(share))


def saturating(
    saturation: Callable[[Floats], Floats], gain: float, rise: float, power: float
) -> Callable[[Floats], Floats]:
    """A curve that rises by ``rise`` up to all cases, and by ``gain`` more with twice as many."""

    def doubling(log_scale: float) -> float:
        one, two = saturation(np.exp(log_scale) * np.array([1.0, 2.0**power]))
        return float(rise * (two / one - 1) - gain)

    scale = np.exp(brentq(doubling, *LOG_SCALES))
    return lambda share: np.asarray(rise * (1 - saturation(scale * share**power) / saturation(np.array(scale))))


def kinked(gain: float, rise: float, late: float, kink: float) -> Callable[[Floats], Floats]:
    """A power law whose exponent is another one beyond a share of the cases.

    Args:
        gain: Of twice all cases.
        rise: From the smallest share to all cases.
        late: Exponent beyond the kink.
        kink: Share of the cases.
    """
    at_all = gain / (1 - 2.0**-late)
    at_kink = at_all * kink**-late
    early = max(0.05, float(np.log((rise + at_all) / at_kink) / np.log(kink / SMALLEST_SHARE)))

    def below(share: Floats) -> Floats:
        missing = np.where(share < kink, at_kink * (share / kink) ** -early, at_all * share**-late)
        return np.asarray(missing - at_all)

    return below
