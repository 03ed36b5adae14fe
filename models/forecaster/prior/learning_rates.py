"""Learning-rate schedules that drawn curves may follow, as shares of the highest rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.random import Generator

    from models.forecaster.curves import Floats

# none, decay by a power of what is left, cosine, steps, restarts
SHARES = (0.35, 0.28, 0.2, 0.1, 0.07)


def draw_rates(rng: Generator, shape: tuple[int, int], t: Floats) -> Floats:
    """Rates in 0..1 at progress t of shape (P,) for (G, K) curves, shape (G, K, P); a group shares its schedule."""
    groups, curves = shape
    rates = np.stack([_draw_one(rng, curves, t) for _ in range(groups)])
    return np.clip(rates, 0.0, 1.0)


def _draw_one(rng: Generator, curves: int, t: Floats) -> Floats:
    """Rates of one group, shape (K, P): some groups end their decay before the budget, and a few after it."""
    kind = rng.choice(len(SHARES), p=SHARES)
    end = rng.choice([1.0, 1.0, 1.0, rng.uniform(0.4, 1.0), rng.uniform(1.0, 2.0)])
    jitter = np.exp(rng.normal(0.0, rng.choice([0.0, 0.1]), (curves, 1)))
    left = np.clip(1 - t / (end * jitter), 0.0, 1.0)
    if kind == 0:
        return np.zeros((curves, len(t)))
    if kind == 1:
        power: Floats = left ** rng.uniform(0.7, 1.5)
        return power
    if kind == 2:
        cosine: Floats = 0.5 - 0.5 * np.cos(np.pi * left)
        return cosine
    if kind == 3:
        drops = np.sort(rng.uniform(0.2, 1.0, rng.integers(1, 4)))
        rate: Floats = rng.choice([0.1, 0.3, 0.5]) ** (t[None, :, None] >= drops * jitter[..., None]).sum(axis=-1)
        return rate
    return _restarts(rng, t / jitter)


def _restarts(rng: Generator, t: Floats) -> Floats:
    """Cosines that begin again, each as long as the last or twice as long."""
    bounds = np.cumsum(rng.choice([1.0, 2.0]) ** np.arange(6)) * rng.uniform(0.1, 0.6)
    starts = np.concatenate([[0.0], bounds])
    which = np.clip(np.searchsorted(bounds, t, side="right"), 0, len(bounds) - 1)
    within = (t - starts[which]) / (bounds[which] - starts[which])
    rates: Floats = 0.5 + 0.5 * np.cos(np.pi * np.clip(within, 0.0, 1.0))
    return rates
