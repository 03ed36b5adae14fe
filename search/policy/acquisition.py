"""What a measurement is worth: how much it is expected to lower the loss of the recommendation (Frazier et al. 2009).

The loss of recommending a configuration, in a drawn surface, counts the DSC that it lacks to the floor in units of the
tolerance, and the price that it has above the right configuration in units of 15 %.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from models.threads import one_blas_thread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from search.analysis.good_enough import EnoughRule

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

PRICE_UNIT = 0.15  # of the right configuration's price: weighs as much as one tolerance of DSC
OUTCOMES = 64  # of a measurement, that are looked at


def opportunity_loss(draws: Floats, prices: Floats, rule: EnoughRule) -> Floats:
    """Loss of recommending each of J configurations in each of S drawn surfaces, shape (S, J).

    Args:
        draws: DSC, shape (S, J).
        prices: Of the configurations, shape (J,).
        rule: What is good enough; where no configuration reaches a target, the best one is right.
    """
    rule = replace(rule, out_of_reach="lowered")
    right = prices[rule.right(draws, prices)][:, None]
    floor = rule.floors(draws)
    excess = np.maximum(prices / np.maximum(right, 1e-9) - 1, 0) / PRICE_UNIT
    return np.asarray(np.maximum(floor - draws, 0) / rule.tolerance + excess)


def knowledge_gradient(
    draws: Floats, loss: Floats, candidates: Integers, sigma: Floats, rng: np.random.Generator
) -> Floats:
    """Expected fall of the least expected loss by measuring each of K candidates once, shape (K,).

    Args:
        draws: DSC, shape (S, J).
        loss: Of recommending each configuration in each draw, shape (S, J).
        candidates: Configurations, shape (K,).
        sigma: Standard deviation of a measurement of each configuration in each draw, shape (S, J).
        rng: Draws outcomes.
    """
    outcomes = np.arange(0, len(draws), max(1, len(draws) // OUTCOMES))
    luck = rng.standard_normal(len(outcomes))
    with one_blas_thread():
        return np.array(
            [_gain(draws[:, c], outcomes, luck * sigma[outcomes, c], sigma[:, c], loss) for c in candidates]
        )


def _gain(values: Floats, outcomes: Integers, noise: Floats, sigma: Floats, loss: Floats) -> float:
    """Of measuring the candidate with these values, shape (S,).

    Before and after are both averaged over the same few outcomes: so it is 0 where none moves the recommendation.
    """
    measured = values[outcomes] + noise
    log = -0.5 * ((measured[:, None] - values) / sigma) ** 2 - np.log(sigma)
    weights = np.exp(log - log.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    after = weights @ loss
    return max(0.0, float(after.mean(axis=0).min() - after.min(axis=1).mean()))
