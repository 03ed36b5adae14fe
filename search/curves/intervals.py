"""Values with their 90 % intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Interval:
    """From the 5th to the 95th percentile."""

    lower: float
    upper: float


@dataclass(frozen=True)
class Estimate:
    """A value with an interval for its mean and one for a single new run.

    Attributes:
        value: The estimate.
        mean_interval: Of the expected value; None where nothing was fitted.
        run_interval: Of the value that one new run would measure; None where nothing was fitted.
    """

    value: float
    mean_interval: Interval | None
    run_interval: Interval | None


def interval_of(replicates: NDArray[np.float64]) -> Interval:
    """The 5th and 95th percentile of replicates of shape (R,)."""
    lower, upper = np.percentile(replicates, [5, 95])
    return Interval(float(lower), float(upper))
