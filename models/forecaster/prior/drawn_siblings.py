"""The other curves of a drawn group as siblings of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from models.forecaster.curves import smooth
from models.forecaster.lstm.sibling_features import LEAST_REACH, SiblingValues

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from models.forecaster.curves import Floats
    from models.forecaster.lstm.encoding import Encoded
    from models.forecaster.prior.drawn_curves import DrawnCurves

ALONE = 0.4  # share of curves shown without siblings
PARTIAL = 0.2  # share of siblings that ended early
NO_COVARIATES = 0.5  # share of groups


def values_of_others(rng: Generator, drawn: DrawnCurves, target: Encoded, at: Floats) -> SiblingValues:
    """Every other curve of its group as a sibling of each: N = G x K targets, J = K - 1 siblings.

    Args:
        rng: Source of chance.
        drawn: G groups of K curves.
        target: The same curves as far as they are shown.
        at: Positions asked for, shape (N, H).
    """
    groups, curves, points = drawn.y.shape
    others = np.array([[j for j in range(curves) if j != i] for i in range(curves)])
    group, own = np.repeat(np.arange(groups), curves)[:, None], np.tile(np.arange(curves), groups)[:, None]
    other = np.tile(others, (groups, 1))  # (N, J)
    partial = rng.random((groups, curves)) < PARTIAL
    end = np.where(partial, rng.integers(1, points, (groups, curves)), points - 1)[group, other]
    y = smooth(drawn.y)[group, other]
    positions = np.concatenate([target.bin_x, target.last_x[:, None], at], axis=1)
    values = _interpolated(drawn.x, y, end, positions)
    bins = target.bin_x.shape[1]
    reach = np.log(drawn.x[end][:, None] / at[..., None])
    apart, known = _distances(rng, drawn.covariates)
    return SiblingValues(
        values[..., :bins],
        values[..., bins],
        values[..., bins + 1 :].swapaxes(1, 2),
        np.clip(reach, LEAST_REACH, 0.0),
        apart[group, own, other],
        known[group, own, other],
    )


def some_of_others(rng: Generator, targets: int, siblings: int) -> Floats:
    """Which siblings each target has, 0 or 1, shape (N, J): none, few or all."""
    inclusion = rng.uniform(0.05, 1.2, (targets, 1)) * (rng.random((targets, 1)) >= ALONE)
    return (rng.random((targets, siblings)) < inclusion).astype(np.float64)


def _interpolated(x: Floats, y: Floats, end: NDArray[np.intp], positions: Floats) -> Floats:
    """Curves y (N, J, P) over x (P,), each up to its end (N, J), at positions (N, Q): shape (N, J, Q)."""
    right = np.clip(np.searchsorted(x, positions), 1, len(x) - 1)
    weight = np.clip((positions - x[right - 1]) / (x[right] - x[right - 1]), 0.0, 1.0)[:, None]
    low = np.take_along_axis(y, np.minimum(right[:, None] - 1, end[..., None]), axis=2)
    high = np.take_along_axis(y, np.minimum(right[:, None], end[..., None]), axis=2)
    values: Floats = (1 - weight) * low + weight * high
    return values


def _distances(rng: Generator, covariates: Floats) -> tuple[Floats, Floats]:
    """Distance between the curves of each group, and whether it is known: shape (G, K, K) each."""
    apart = np.sqrt(((covariates[:, :, None] - covariates[:, None]) ** 2).mean(axis=-1))
    known = (rng.random((len(covariates), 1, 1)) >= NO_COVARIATES) * np.ones_like(apart)
    return apart * known, known
