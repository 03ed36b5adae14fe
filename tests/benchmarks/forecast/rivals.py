"""Rivals of the forecaster: persistence, the paper's line, parametric families, boosted trees on other curves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor

from models.forecaster.baselines.families import extrapolate, line, max_median

if TYPE_CHECKING:
    from collections.abc import Callable

    from models.forecaster.curves import Floats
    from tests.benchmarks.forecast.curves import Curve

FEATURES = 12
FOLDS = 5

RIVALS: dict[str, Callable[[Floats, Floats, Floats], Floats]] = {
    "last value": lambda _x, y, _at: y[-1:],
    "best so far": lambda _x, y, _at: y.max(keepdims=True),
    "linear regression": line,
    "pow3": lambda x, y, at: extrapolate("pow3", x, y, at),
    "pow4": lambda x, y, at: extrapolate("pow4", x, y, at),
    "mmf": lambda x, y, at: extrapolate("mmf", x, y, at),
    "max-median of 6 families": max_median,
}


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
    law = extrapolate("pow3", x, y, curve.x[-1:])[0]
    return np.array(
        [*(np.interp(grid, x, y) - y[-1]), y[-1], y.max() - y[-1], y[-3:].mean() - y[-1], noise, n, law - y[-1]]
    )
