"""Rivals of the forecaster: persistence, the paper's line, parametric families, boosted trees on other curves.

Families as in Viering and Loog (2021, arXiv:2103.10948). With its inner parameters fixed each is a straight line, so a
grid over these and least squares for the rest finds its best fit with no starting point to choose.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor

if TYPE_CHECKING:
    from forecast_curves import Curve
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Shape = Callable[[np.ndarray, float, float], np.ndarray]

EXPONENTS = np.geomspace(0.05, 4.0, 30)
SHIFTS = np.concatenate([[0.0], np.geomspace(1e-2, 10.0, 14)])  # in units of the last position seen
TIMES = np.geomspace(1e-2, 10.0, 20)
NONE = (0.0,)

FAMILIES: dict[str, tuple[Shape, tuple[float, ...], tuple[float, ...]]] = {
    "pow3": (lambda z, c, _: z**-c, tuple(EXPONENTS), NONE),
    "pow4": (lambda z, c, d: (z + d) ** -c, tuple(EXPONENTS), tuple(SHIFTS)),
    "mmf": (lambda z, c, t: 1 / (1 + (z / t) ** c), tuple(EXPONENTS), tuple(TIMES)),
    "exp3": (lambda z, t, _: np.exp(-z / t), tuple(TIMES), NONE),
    "weibull": (lambda z, c, t: np.exp(-((z / t) ** c)), tuple(EXPONENTS), tuple(TIMES)),
    "log2": (lambda z, *_: -np.log(z), NONE, NONE),
}
FEATURES = 12
FOLDS = 5


def persistence(_x: Floats, y: Floats, _at: float) -> float:
    """The value stays what it was."""
    return float(y[-1])


def best_so_far(_x: Floats, y: Floats, _at: float) -> float:
    """The best value seen."""
    return float(y.max())


def line(x: Floats, y: Floats, at: float) -> float:
    """The paper's baseline: linear regression on x."""
    if len(x) < 2:
        return float(y[-1])
    slope, intercept = np.polyfit(x, y, 1)
    return float(intercept + slope * at)


def family(name: str) -> Callable[[Floats, Floats, float], float]:
    """A rival that fits one parametric family."""
    shape, first, second = FAMILIES[name]
    inner = list(product(first, second))

    def fit(x: Floats, y: Floats, at: float) -> float:
        if len(x) < 3:
            return float(y[-1])
        positions = np.append(x, at) / x[-1]
        with np.errstate(over="ignore"):
            table = np.stack([shape(positions, *parameters) for parameters in inner])
        s, s_at = table[:, :-1], table[:, -1]
        s_mean, y_mean = s.mean(axis=1), y.mean()
        off = s - s_mean[:, None]
        squares, products = (off**2).sum(axis=1), off @ (y - y_mean)
        # Curves rise: an improper fit may not fall.
        slope = np.minimum(np.where(squares > 1e-12, products / np.maximum(squares, 1e-12), 0.0), 0.0)
        errors = ((y - y_mean - slope[:, None] * off) ** 2).sum(axis=1)
        best = errors.argmin()
        return float(np.clip(y_mean + slope[best] * (s_at[best] - s_mean[best]), 0.0, 1.0))

    return fit


def max_median(x: Floats, y: Floats, at: float) -> float:
    """The median of the six families, but not less than the mean of the last three values."""
    return max(float(np.median([family(name)(x, y, at) for name in FAMILIES])), float(y[-3:].mean()))


def boosted_trees(curves: list[Curve], share: float) -> Floats:
    """Trees fitted on the curves of other groups of the same set, by five folds of groups: one forecast a curve."""
    groups = sorted({curve.group for curve in curves})
    fold = {group: i % FOLDS for i, group in enumerate(groups)}
    folds = np.array([fold[curve.group] for curve in curves])
    inputs = np.stack([_features(curve, share) for curve in curves])
    level = np.array([curve.y[curve.seen(share) - 1] for curve in curves])
    gain = np.array([curve.y[-1] for curve in curves]) - level
    forecasts = level.copy()
    for number in set(folds.tolist()):
        held_out = folds == number
        if held_out.all():
            continue
        trees = HistGradientBoostingRegressor(loss="absolute_error", max_iter=150, min_samples_leaf=5, random_state=0)
        trees.fit(inputs[~held_out], gain[~held_out])
        forecasts[held_out] += trees.predict(inputs[held_out])
    return np.clip(forecasts, 0.0, 1.0)


def _features(curve: Curve, share: float) -> Floats:
    """The seen part, resampled, and what is known of its level and length."""
    n = curve.seen(share)
    x, y = curve.x[:n], curve.y[:n]
    grid = np.geomspace(x[0], x[-1], FEATURES)
    noise = np.abs(np.diff(y)).mean() if n > 1 else 0.0
    law = family("pow3")(x, y, curve.x[-1])
    return np.array(
        [*(np.interp(grid, x, y) - y[-1]), y[-1], y.max() - y[-1], y[-3:].mean() - y[-1], noise, n, law - y[-1]]
    )
