"""Six parametric families of learning curves, fitted by a grid over their inner parameters: rivals of the networks.

Families as in Viering and Loog (2021, arXiv:2103.10948). With its inner parameters fixed each is a straight line, so a
grid over these and least squares for the rest finds its best fit with no starting point to choose.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from models.forecaster.baselines.lines import moments
from models.forecaster.baselines.power_law import FIT_PARAMETERS

if TYPE_CHECKING:
    from models.forecaster.curves import Floats

Shape = Callable[["Floats", float, float], "Floats"]

EXPONENTS = tuple(np.geomspace(0.05, 4.0, 30))
SHIFTS = (0.0, *np.geomspace(1e-2, 10.0, 14))  # in units of the last position seen
TIMES = tuple(np.geomspace(1e-2, 10.0, 20))
NONE = (0.0,)

# Each falls from high to low, its inner parameters in the order of the two grids: value = a - b·shape, b >= 0.
FAMILIES: dict[str, tuple[Shape, tuple[float, ...], tuple[float, ...]]] = {
    "pow3": (lambda z, c, _: z**-c, EXPONENTS, NONE),
    "pow4": (lambda z, c, d: (z + d) ** -c, EXPONENTS, SHIFTS),
    "mmf": (lambda z, c, t: 1 / (1 + (z / t) ** c), EXPONENTS, TIMES),
    "exp3": (lambda z, t, _: np.exp(-z / t), TIMES, NONE),
    "weibull": (lambda z, c, t: np.exp(-((z / t) ** c)), EXPONENTS, TIMES),
    "log2": (lambda z, *_: -np.log(z), NONE, NONE),
}


def extrapolate(name: str, x: Floats, y: Floats, at: Floats) -> Floats:
    """Values at ``at`` of shape (H,) of one family's best fit through (x, y) of shape (T,), held within [0, 1].

    With fewer than three points: the last value.
    """
    if len(x) < FIT_PARAMETERS:
        return np.full(len(at), y[-1])
    shape, first, second = FAMILIES[name]
    positions = np.concatenate([x, at]) / x[-1]
    table = np.stack([shape(positions, *inner) for inner in product(first, second)], axis=-1)
    m = moments(table[: len(x)], y, np.ones(len(x)))
    lines = m.y_mean + np.minimum(m.slope(1e-12 / len(x)), 0.0) * (table - m.s_mean)
    best = ((y[:, None] - lines[: len(x)]) ** 2).sum(axis=0).argmin()
    return np.clip(lines[len(x) :, best], 0.0, 1.0)


def max_median(x: Floats, y: Floats, at: Floats) -> Floats:
    """The median of all families, but not less than the mean of the last three values: shape (H,)."""
    median = np.median([extrapolate(name, x, y, at) for name in FAMILIES], axis=0)
    values: Floats = np.maximum(median, y[-3:].mean())
    return values


def line(x: Floats, y: Floats, at: Floats) -> Floats:
    """Linear regression on x, the paper's baseline: shape (H,)."""
    if len(np.unique(x)) < 2:  # noqa: PLR2004 - a line takes two positions
        return np.full(len(at), y[-1])
    slope, intercept = np.polyfit(x, y, 1)
    values: Floats = intercept + slope * at
    return values
