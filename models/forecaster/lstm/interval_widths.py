"""Widths of the intervals, calibrated on measured curves of other data sets.

The network's quantiles are right for curves drawn from the prior. On measured curves they are widened or narrowed about
the median by a factor that depends on the horizon, chosen so that 90 % of the last values of the tuning half
(tests/benchmarks/forecast/halves.csv) lie within, every group alike. `python -m tests.benchmarks.forecast.calibrate`
prints the factors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from models.forecaster.lstm.network import MEDIAN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from models.forecaster.curves import Floats

HORIZONS = (0.51, 0.92, 1.61)  # log of the position asked for by the last one seen: 60, 40 and 20 % seen
# Evenly spaced curves, such as training curves, and others, such as data curves: alone, and beside siblings.
FACTORS: dict[tuple[bool, bool], tuple[float, ...]] = {
    (True, False): (0.56, 1.04, 1.29),
    (True, True): (0.62, 0.99, 0.91),
    (False, False): (0.66, 0.87, 0.76),
    (False, True): (0.80, 0.95, 0.89),
}


def widened(quantiles: Floats, far: Floats, even: NDArray[np.bool_], *, siblings: bool) -> Floats:
    """Quantiles of shape (R, H, KINDS, Q) widened about their medians.

    Args:
        quantiles: Rising along the last axis.
        far: Log of the horizon, shape (R, H).
        even: Whether a curve's points are evenly spaced, shape (R,).
        siblings: Whether they were made with siblings.
    """
    by_kind = [np.interp(far, HORIZONS, FACTORS[kind, siblings]) for kind in (True, False)]
    factor = np.where(even[:, None], *by_kind)[..., None, None]
    median = quantiles[..., MEDIAN : MEDIAN + 1]
    scaled: Floats = median + factor * (quantiles - median)
    return scaled
