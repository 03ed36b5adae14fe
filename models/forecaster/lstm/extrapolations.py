"""Straight lines in many fixed shapes of x, through binned curves: cheap extrapolations for the network to combine.

With its exponent or rate fixed, a law a + b·s(x) is linear, so that one weighted least-squares step fits it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models.forecaster.baselines.lines import moments

if TYPE_CHECKING:
    from models.forecaster.curves import Floats

POWERS = (-2.0, -1.0, -0.5, -0.25, 0.0, 1.0)  # 0 stands for the logarithm
RATES = (1.0, 3.0, 10.0)
NUM_SHAPES = len(POWERS) + len(RATES)
WINDOWS = 2  # the whole curve, and its later half


@dataclass(frozen=True)
class Lines:
    """Fits of NUM_SHAPES shapes in WINDOWS windows to R curves.

    Attributes:
        intercept: Shape (R, WINDOWS, NUM_SHAPES).
        slope: Shape (R, WINDOWS, NUM_SHAPES).
        error: Root mean squared error, same shape.
    """

    intercept: Floats
    slope: Floats
    error: Floats

    def at(self, z: Floats) -> Floats:
        """Values at relative positions z of shape (R, H): shape (R, H, WINDOWS, NUM_SHAPES)."""
        values: Floats = self.intercept[:, None] + self.slope[:, None] * shapes(z)[:, :, None, :]
        return values


def shapes(z: Floats) -> Floats:
    """All shapes at relative positions z (1 is the last seen): shape (*z.shape, NUM_SHAPES)."""
    log_z = np.log(z)
    columns = [log_z if power == 0 else np.exp(power * log_z) for power in POWERS]
    return np.stack([*columns, *(np.exp(-rate * z) for rate in RATES)], axis=-1)


def fit_lines(z: Floats, y: Floats, weights: Floats) -> Lines:
    """Fit every shape to R curves of B bins: z, y and weights of shape (R, WINDOWS, B) or, z and y, (R, 1, B)."""
    m = moments(shapes(z), y, weights)
    slope = m.slope(1e-10 * (m.s_mean**2 + 1e-3))
    error = np.sqrt(np.maximum(m.yy - slope * m.sy, 0.0))
    return Lines(m.y_mean - slope * m.s_mean, slope, error)
