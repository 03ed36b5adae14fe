"""Groups of related learning curves drawn from a prior: what the shipped forecaster was fitted on.

A curve climbs from its start to its asymptote along one or two growth laws, is held down and made noisy by a learning
rate that decays, steps down or restarts, and suffers events: decline, dips, collapse. Curves of one group (one study,
one data set) share their positions and, up to a spread that the group draws, their parameters; covariates move them.
The idea of a forecaster fitted on drawn curves is that of Adriaensen et al. (2023, LC-PFN, arXiv:2310.20447).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models.forecaster.prior.growth_laws import LAWS, grow
from models.forecaster.prior.learning_rates import draw_rates

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from models.forecaster.curves import Floats

COVARIATES = 3
GEOMETRIC_SHARE = 0.45
SHARED_START = 0.4
CAP_SHARPNESS = 6.0
DECLINE = {True: 0.06, False: 0.04}  # share of curves that fall after a peak: over time, over cases
OUTAGE = {True: 0.06, False: 0.005}  # share of curves that fall to the bottom for a while: over time, over cases
NOISE = {True: (4e-4, 0.12), False: (3e-4, 0.05)}  # in DSC: over time, over cases
WAVES = 2
WOBBLE = (0.005, 0.3)  # as a share of what is climbed
FAST, SLOW = (1e-3, 0.8), (1e-2, 8.0)  # times of the two growth laws, in budgets


@dataclass(frozen=True)
class DrawnCurves:
    """G groups of K curves at P shared positions.

    Attributes:
        x: Positions, rising, shape (P,).
        expected: Values without noise, shape (G, K, P).
        y: Measured values, shape (G, K, P).
        covariates: What may set the curves of a group apart, shape (G, K, COVARIATES).
    """

    x: Floats
    expected: Floats
    y: Floats
    covariates: Floats


@dataclass(frozen=True)
class _Population:
    """Draws one parameter for every curve: a value per group, and deviations from it within the group."""

    rng: Generator
    spread: Floats  # (G, 1): how far curves of a group differ, 1 as much as groups do
    covariates: Floats  # (G, K, C)

    @property
    def shape(self) -> tuple[int, int]:
        """Groups and curves in each."""
        groups, curves, _ = self.covariates.shape
        return groups, curves

    def normal(self) -> Floats:
        """Standard normal over all curves, alike within a group as far as its spread is small, shape (G, K)."""
        groups, curves = self.shape
        between = self.rng.standard_normal((groups, 1))
        effect = self.rng.standard_normal((groups, 1, COVARIATES)) * (self.rng.random((groups, 1, 1)) < 0.5)
        within = self.rng.standard_normal((groups, curves)) + (effect * self.covariates).sum(axis=-1)
        within /= np.sqrt(1 + (effect**2).sum(axis=-1))
        values: Floats = (between + self.spread * within) / np.sqrt(1 + self.spread**2)
        return values

    def uniform(self, low: float, high: float) -> Floats:
        """Uniform between low and high, shape (G, K)."""
        values: Floats = low + (high - low) * _to_uniform(self.normal())
        return values

    def log_uniform(self, low: float, high: float) -> Floats:
        """Log-uniform between low and high, shape (G, K)."""
        values: Floats = np.exp(self.uniform(np.log(low), np.log(high)))
        return values

    def chance(self, probability: float) -> NDArray[np.bool_]:
        """True with this probability, mostly for whole groups, shape (G, K)."""
        hit: NDArray[np.bool_] = _to_uniform(self.normal()) < probability
        return hit


def draw(rng: Generator, groups: int, curves: int, max_points: int = 400) -> DrawnCurves:
    """Groups of curves at positions that they share.

    Args:
        rng: Source of chance.
        groups: Groups G.
        curves: Curves K in each.
        max_points: Most points of a curve.
    """
    x, geometric = _positions(rng, max_points)
    covariates = rng.standard_normal((groups, curves, COVARIATES))
    spread = np.exp(rng.uniform(np.log(0.1), np.log(1.5), (groups, 1)))
    population = _Population(rng, spread, covariates)
    expected, loudness = _expected(population, x / x[-1], decays=not geometric)
    size = _noise_size(population, expected, loudness, decays=not geometric)
    expected = np.clip(expected - _drag(population, decays=not geometric) * size, 0.0, 1.0)
    noisy = expected + size * _noise(population, size.shape)
    return DrawnCurves(x, expected, _measured(population, noisy), covariates)


def _positions(rng: Generator, max_points: int) -> tuple[Floats, bool]:
    """Rising positions, even as evaluations are or geometric as numbers of cases often are."""
    if rng.random() < GEOMETRIC_SHARE:
        points = int(np.exp(rng.uniform(np.log(5), np.log(min(140, max_points)))))
        steps = rng.choice([0.125, 0.125, 0.25, 0.5, 1.0])
        doublings = min(steps * (points - 1), rng.uniform(4, 14))
        return rng.uniform(4, 64) * 2 ** np.linspace(0.0, doublings, points), True
    points = int(np.exp(rng.uniform(np.log(5), np.log(max_points))))
    return np.arange(1, points + 1, dtype=np.float64), False


def _expected(population: _Population, t: Floats, *, decays: bool) -> tuple[Floats, Floats]:
    """Values without noise at progress t in (0, 1], and how loud the noise is there: both (G, K, P)."""
    start, end = _levels(population)
    growth = _growth(population, t)
    rates = draw_rates(population.rng, population.shape, t) if decays else np.zeros((*population.shape, len(t)))
    held = population.chance(0.6)[..., None] * population.log_uniform(0.005, 0.4)[..., None]
    power = population.log_uniform(0.4, 2.5)[..., None]
    climbed = growth * (1 - held * rates**power)
    levels = start[..., None] + (end - start)[..., None] * climbed
    floor = np.minimum(start, end)[..., None]
    levels = _with_events(population, levels, floor, t, decays=decays)
    if not decays:
        return np.clip(levels, 0.0, 1.0), _fading(population, t)
    quiet = population.uniform(0.05, 1.0)[..., None]
    return np.clip(levels, 0.0, 1.0), (quiet + (1 - quiet) * rates) * _waking(population, growth)


def _levels(population: _Population) -> tuple[Floats, Floats]:
    """Start and asymptote of each curve, shape (G, K)."""
    high = np.where(population.chance(0.5), 1 - population.log_uniform(0.002, 0.5), population.uniform(0.05, 1.0))
    room = np.where(population.chance(0.3), population.log_uniform(0.015, 1.0), population.uniform(0.05, 1.0))
    low = high * (1 - room)
    # Before it has learned anything, every curve of a study may score alike.
    shared = population.rng.random((len(low), 1)) < SHARED_START
    low = np.where(shared, np.minimum(low[:, :1], high), low)
    falls = population.chance(0.025)
    flat = population.chance(0.02)
    start = np.where(falls, high, low)
    return start, np.where(flat, start, np.where(falls, low, high))


def _growth(population: _Population, t: Floats) -> Floats:
    """Share climbed of the way from start to asymptote, shape (G, K, P): one law, or a fast and a slow one."""
    parts = []
    for fastest, slowest in (FAST, SLOW):
        law = np.floor(population.uniform(0, len(LAWS) - 1e-9)).astype(np.intp)
        time = population.log_uniform(fastest, slowest)
        steepness = population.log_uniform(0.4, 3.0)
        parts.append(grow(law, time, steepness, t))
    second = (population.chance(0.45) * population.uniform(0.0, 0.7))[..., None]
    growth = (1 - second) * parts[0] + second * parts[1]
    return _capped(population, np.clip(growth * (1 + _wobble(population, t)), 0.0, 1.0))


def _wobble(population: _Population, t: Floats) -> Floats:
    """What no law says of a curve's growth, as a share of it: slow waves in t and in log t, shape (G, K, P)."""
    waves = np.zeros((*population.shape, len(t)))
    for position, lowest, highest in ((np.log(t), 0.05, 0.6), (t, 0.3, 3.0)):
        for _ in range(WAVES):
            frequency = population.log_uniform(lowest, highest)[..., None]
            phase = population.uniform(0.0, 2 * np.pi)[..., None]
            waves += np.sin(2 * np.pi * frequency * position + phase) * (lowest / frequency) ** 0.5
    size = population.chance(0.8) * population.log_uniform(*WOBBLE)
    wobble: Floats = size[..., None] * waves / np.sqrt(WAVES)
    return wobble


def _capped(population: _Population, growth: Floats) -> Floats:
    """Some curves level off before their law does, as training curves do that fit their data to the full."""
    cap = np.where(population.chance(0.25), population.uniform(0.5, 1.0), 5.0)[..., None]
    values: Floats = growth / (1 + (growth / cap) ** CAP_SHARPNESS) ** (1 / CAP_SHARPNESS)
    return values


def _fading(population: _Population, t: Floats) -> Floats:
    """Noise of curves over cases, that fades with their number: shape (G, K, P), 1 at the first position."""
    loudness: Floats = (t / t[0]) ** -population.uniform(0.0, 0.5)[..., None]
    return loudness


def _waking(population: _Population, growth: Floats) -> Floats:
    """Noise of curves over time that comes as they climb, since guesses all alike hardly vary: shape (G, K, P)."""
    power = population.uniform(0.0, 1.5) * population.chance(0.4)
    loudness: Floats = (0.03 + 0.97 * growth) ** power[..., None]
    return loudness


def _with_events(population: _Population, levels: Floats, floor: Floats, t: Floats, *, decays: bool) -> Floats:
    """Overfitting, a dip, an outage, a jump, a collapse: each on some curves only."""
    rng, shape = population.rng, population.shape
    when = rng.random((4, *shape, 1))
    height = levels - floor
    # Decline after a peak: its onset moves with the group, for it is the task that overfits.
    onset = population.log_uniform(0.03, 1.0)[..., None]
    decline = population.log_uniform(0.02, 1.0)[..., None] * population.chance(DECLINE[decays])[..., None]
    late = np.maximum(t - onset, 0.0)
    levels = levels - height * decline * (1 - np.exp(-late / population.log_uniform(0.1, 2.0)[..., None]))
    # A dip, and its recovery.
    depth = rng.random((*shape, 1)) * (rng.random((*shape, 1)) < 0.08)
    since = t - when[0]
    recovery = population.log_uniform(0.01, 0.3)[..., None]
    levels = levels - height * depth * np.where(since >= 0, np.exp(-np.maximum(since, 0.0) / recovery), 0.0)
    # An outage: everything is forgotten, or nothing is found, for a while.
    out = (rng.random((*shape, 1)) < OUTAGE[decays]) & (since >= 0)
    back = since - np.exp(rng.uniform(np.log(0.03), np.log(0.6), (*shape, 1)))
    missed = np.where(out, 1 / (1 + np.exp(np.clip(back / 0.02, -50, 50))), 0.0)
    levels = levels - (levels - floor * rng.random((*shape, 1))) * missed
    # A jump up or down to another level.
    jump = rng.normal(0.0, 0.2, (*shape, 1)) * (rng.random((*shape, 1)) < 0.04)
    levels = levels + height * jump * (t >= when[1])
    # Collapse, at once or over a while, for good.
    gone = (rng.random((*shape, 1)) < 0.012) & (t >= when[2])
    haste = np.exp(rng.uniform(np.log(1e-3), np.log(0.5), (*shape, 1)))
    left = np.where(gone, np.exp(-np.maximum(t - when[2], 0.0) / haste), 1.0)
    return np.where(left < 1.0, floor * rng.random((*shape, 1)) * (1 - left) + levels * left, levels)


def _noise_size(population: _Population, expected: Floats, loudness: Floats, *, decays: bool) -> Floats:
    """Size of the noise of each measured value, in DSC, shape (G, K, P)."""
    swing = np.ptp(expected, axis=-1, keepdims=True)
    size = population.log_uniform(*NOISE[decays])[..., None] * (0.3 + 0.7 * swing / (swing.mean() + 1e-9)) ** 0.5
    ceiling = np.sqrt(np.clip(1 - expected, 0.0, 1.0) + 0.05)
    sizes: Floats = size * loudness * ceiling
    return sizes


def _drag(population: _Population, *, decays: bool) -> Floats:
    """By how many sizes of the noise values are lower than without it, shape (G, K, 1).

    What makes a training's scores jump lowers them too, so that they rise where a falling learning rate calms them.
    """
    if not decays:
        return np.zeros((*population.shape, 1))
    drag: Floats = (population.chance(0.7) * population.log_uniform(0.4, 3.0))[..., None]
    return drag


def _noise(population: _Population, size: tuple[int, ...]) -> Floats:
    """Noise of unit size, shape (G, K, P): partly skewed, partly inert, with outliers."""
    rng = population.rng
    inertia = np.where(population.chance(0.35), population.uniform(0.0, 0.9), 0.0)[..., None]
    even = _inert(rng.standard_normal(size), inertia)
    # Dips reach further than peaks: a score close to its ceiling can only fall.
    skewed = 1 - rng.standard_exponential(size)
    skew = np.where(population.chance(0.5), population.uniform(0.0, 1.0), 0.0)[..., None]
    outliers = (rng.random(size) < population.log_uniform(1e-4, 0.05)[..., None]) * rng.standard_exponential(size) * 4
    noise: Floats = (1 - skew) * even + skew * skewed - outliers
    return noise


def _inert(shocks: Floats, inertia: Floats) -> Floats:
    """First-order autoregression of unit variance along the last axis."""
    if not inertia.any():
        return shocks
    values, fresh = shocks.copy(), np.sqrt(1 - inertia[..., 0] ** 2)
    for i in range(1, shocks.shape[-1]):
        values[..., i] = inertia[..., 0] * values[..., i - 1] + fresh * shocks[..., i]
    return values


def _measured(population: _Population, noisy: Floats) -> Floats:
    """Within [0, 1], and some in whole cases of a small test set."""
    cases = np.round(population.log_uniform(30, 3000))[..., None]
    counted = population.chance(0.15)[..., None]
    values = np.clip(noisy, 0.0, 1.0)
    return np.where(counted, np.round(values * cases) / cases, values)


def _to_uniform(normal: Floats) -> Floats:
    """Standard normal to uniform on (0, 1), by a close logistic: exact shares do not matter in a prior."""
    uniform: Floats = 1 / (1 + np.exp(-1.702 * normal))
    return uniform
