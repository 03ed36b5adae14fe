"""The one interface of every forecaster: a curve's seen points in, a distribution over unseen points out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


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
    """

    mean: Floats
    lower: Floats
    upper: Floats
    mean_lower: Floats
    mean_upper: Floats
    method: str


class Forecaster(Protocol):
    """Anything that forecasts a curve from its seen part."""

    def forecast(self, x: Floats, y: Floats, at: Floats) -> Forecast:
        """Forecast the curve through (x, y), both of shape (T,), at positions ``at`` of shape (H,)."""
        ...
