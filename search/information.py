"""What a measurement is worth: how much it is expected to lower the loss of the recommendation (Frazier et al. 2009).

The loss of recommending a configuration, in a drawn surface, counts the DSC that it lacks to the floor in units of the
tolerance, and the price that it has above the right configuration in units of 15 %.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

PRICE_UNIT = 0.15  # of the right configuration's price: weighs as much as one tolerance of DSC
OUTCOMES = 64  # of a measurement, that are looked at
ENDS = np.linspace(-2.0, 2.0, 9)  # of a run that is forecast, in standard deviations
FAR = 4.0  # standard deviations
TINY = 1e-300


def losses(draws: Floats, prices: Floats, tolerance: float, target: float | None) -> Floats:
    """Loss of recommending each of J configurations in each of S drawn surfaces, shape (S, J).

    Args:
        draws: DSC, shape (S, J).
        prices: Of the configurations, shape (J,).
        tolerance: In DSC.
        target: DSC to reach, or None: the best less the tolerance. Where no configuration reaches it, the best one is
            right.
    """
    best = draws.max(axis=1, keepdims=True)
    floor = best - tolerance if target is None else np.minimum(best, target)
    cost = np.where(draws >= floor, prices / np.maximum(draws, 1e-3), np.inf)
    right = prices[np.argmin(cost, axis=1)][:, None]
    excess = np.maximum(prices / np.maximum(right, 1e-9) - 1, 0) / PRICE_UNIT
    return np.asarray(np.maximum(floor - draws, 0) / tolerance + excess)


def gains(draws: Floats, loss: Floats, candidates: Integers, sigma: Floats, rng: np.random.Generator) -> Floats:
    """Expected fall of the least expected loss by measuring each of K candidates once, shape (K,).

    Args:
        draws: DSC, shape (S, J).
        loss: Of recommending each configuration in each draw, shape (S, J).
        candidates: Configurations, shape (K,).
        sigma: Standard deviation of a measurement in each draw, shape (S,).
        rng: Draws outcomes.
    """
    outcomes = np.arange(0, len(draws), max(1, len(draws) // OUTCOMES))
    noise = rng.standard_normal(len(outcomes)) * sigma[outcomes]
    return np.array([_gain(draws[:, c], outcomes, noise, sigma, loss) for c in candidates])


def _gain(values: Floats, outcomes: Integers, noise: Floats, sigma: Floats, loss: Floats) -> float:
    """Of measuring the candidate with these values, shape (S,).

    Before and after are both averaged over the same few outcomes: so it is 0 where none moves the recommendation.
    """
    measured = values[outcomes] + noise
    log = -0.5 * ((measured[:, None] - values) / sigma) ** 2 - np.log(sigma)
    weights = np.exp(log - log.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    after = weights @ loss
    return float(after.mean(axis=0).min() - after.min(axis=1).mean())


def gain_of_the_rest(values: Floats, noise: Floats, loss: Floats, mean: float, sigma: float) -> float:
    """Expected fall of the least expected loss by training on a run whose end is forecast already.

    Args:
        values: DSC of its configuration in each draw, shape (S,).
        noise: Standard deviation between runs in each draw, shape (S,).
        loss: Of recommending each configuration in each draw, shape (S, J).
        mean: Forecast of what the run will measure.
        sigma: Its standard deviation.
    """
    if (np.abs(mean - values) > FAR * np.hypot(noise, sigma)).all():
        return np.inf  # no draw comes near: what it will measure is news
    ends = mean + sigma * ENDS
    log = -0.5 * ((ends[:, None] - values) / noise) ** 2 - np.log(noise)
    near = np.exp(log - log.max())
    chance = near.sum(axis=1) * np.exp(-0.5 * ENDS**2)
    after = (near / np.maximum(near.sum(axis=1, keepdims=True), TINY)) @ loss
    share = chance / chance.sum()
    return float((share @ after).min() - share @ after.min(axis=1))
