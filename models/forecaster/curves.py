"""Training curves as people have them, made ready for every forecaster: cleaned, left-packed, smoothed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Curve = tuple[Floats, Floats] | tuple[Floats, Floats, Floats | None]  # positions, values, and covariates

POSITIONS = (1e-6, 1e12)  # evaluations, epochs, steps and cases all lie between


@dataclass(frozen=True)
class SeenCurves:
    """R curves, each left-packed with rising positive positions.

    Attributes:
        x: Positions, shape (R, P); beyond a curve's points anything positive and finite.
        y: Values, shape (R, P); beyond a curve's points anything finite.
        count: Points of each curve, shape (R,); 0 where none is usable.
    """

    x: Floats
    y: Floats
    count: NDArray[np.intp]


def clean(x: Sequence[Floats], y: Sequence[Floats]) -> SeenCurves:
    """Usable points of each curve by rising x, left-packed; y within [0, 1].

    A point is usable if it is finite and its position positive and sensible.

    Args:
        x: Positions, shape (T,) each; every curve has its own T.
        y: Values, shape (T,) each.

    Raises:
        ValueError: If x and y of a curve differ in shape, or are not one-dimensional.
    """
    lengths = np.array([len(values) for values in y])
    _check_shapes(x, y)
    there = np.arange(max(1, lengths.max(initial=1))) < lengths[:, None]
    padded_x, padded_y = np.full(there.shape, np.inf), np.zeros(there.shape)
    padded_x[there] = np.concatenate(x) if len(x) else []
    padded_y[there] = np.concatenate(y) if len(y) else []
    usable = (padded_x >= POSITIONS[0]) & (padded_x <= POSITIONS[1]) & np.isfinite(padded_y)
    padded_x = np.where(usable, padded_x, np.inf)
    if (padded_x[:, 1:] < padded_x[:, :-1]).any():
        order = np.argsort(padded_x, axis=1, kind="stable")
        padded_x, padded_y = np.take_along_axis(padded_x, order, 1), np.take_along_axis(padded_y, order, 1)
    return SeenCurves(
        np.where(np.isfinite(padded_x), padded_x, 1.0),
        np.where(np.isfinite(padded_x), np.clip(padded_y, 0.0, 1.0), 0.0),
        usable.sum(axis=1),
    )


def smooth(y: Floats) -> Floats:
    """Centred moving average along the last axis, wider for longer curves, narrower at the ends."""
    half = min(3, y.shape[-1] // 25)
    if half == 0:
        return y
    padded = np.concatenate([np.zeros((*y.shape[:-1], 1)), np.cumsum(y, axis=-1)], axis=-1)
    i = np.arange(y.shape[-1])
    reach = np.minimum(half, np.minimum(i, y.shape[-1] - 1 - i))
    # At the very end one value would be all: the last two share the average of the last few.
    low, high = np.maximum(i - reach - (reach < half), 0), np.minimum(i + reach + 1, y.shape[-1])
    smoothed: Floats = (padded[..., high] - padded[..., low]) / (high - low)
    return smoothed


def _check_shapes(x: Sequence[Floats], y: Sequence[Floats]) -> None:
    for i, (positions, values) in enumerate(zip(x, y, strict=True)):
        if np.shape(positions) != np.shape(values) or np.ndim(values) != 1:
            raise ValueError(
                f"x and y must have one shape (T,), got {np.shape(positions)} and {np.shape(values)} ({i})"
            )
