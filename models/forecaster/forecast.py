"""What a forecaster returns: a distribution over the unseen part of one curve."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from models.forecaster.curves import Floats

NORMAL_95 = NormalDist().inv_cdf(0.95)


@dataclass(frozen=True)
class Quantiles:
    """Quantiles of the expected value.

    Attributes:
        levels: Probabilities, rising, shape (Q,).
        values: Values, shape (H, Q).
    """

    levels: Floats
    values: Floats


@dataclass(frozen=True)
class Forecast:
    """A distribution over the unseen part of one curve, at H positions.

    Attributes:
        mean: Expected value, shape (H,).
        lower: 5th percentile of a new measured value, shape (H,).
        upper: 95th percentile of a new measured value, shape (H,).
        mean_lower: 5th percentile of the expected value, shape (H,).
        mean_upper: 95th percentile of the expected value, shape (H,).
        method: Which forecaster made it, for the ledger and the report.
        quantiles: The whole distribution of the expected value, where the forecaster gives more than its interval.
    """

    mean: Floats
    lower: Floats
    upper: Floats
    mean_lower: Floats
    mean_upper: Floats
    method: str
    quantiles: Quantiles | None = None

    def chance_above(self, value: float, noise: float = 0.0) -> Floats:
        """The chance that what is expected, give or take some noise, exceeds ``value``, shape (H,).

        By the quantiles, with straight lines between them; else by a normal distribution through the interval. Noise
        widens either about its middle.

        Args:
            value: In DSC.
            noise: Variance of the noise, in that of one measured value; 0: the expected value itself.
        """
        expected = np.maximum((self.mean_upper - self.mean_lower) / (2 * NORMAL_95), 1e-9)
        measured = (self.upper - self.lower) / (2 * NORMAL_95)
        wider = np.sqrt(1 + noise * np.maximum(measured**2 - expected**2, 0.0) / expected**2)
        if self.quantiles is None:
            return _normal_above((value - self.mean) / (expected * wider))
        levels = np.concatenate([[0.0], self.quantiles.levels, [1.0]])
        middle = np.array([np.interp(0.5, self.quantiles.levels, row) for row in self.quantiles.values])[:, None]
        rows = middle + wider[:, None] * (self.quantiles.values - middle)
        return 1.0 - np.array([np.interp(value, _with_ends(row), levels) for row in rows])


def _with_ends(values: Floats) -> Floats:
    """Outer quantiles, and as much again beyond them as lies between the two outermost on each side, within [0, 1]."""
    least, most = max(0.0, 2 * values[0] - values[1]), min(1.0, 2 * values[-1] - values[-2])
    return np.concatenate([[least], values, [most]])


def _normal_above(z: Floats) -> Floats:
    return np.array([1.0 - NormalDist().cdf(float(value)) for value in z])
