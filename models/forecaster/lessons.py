"""Drawn curves cut somewhere and asked about their rest: what the network is fitted on."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
import torch

from models.forecaster.encoding import SeenCurves, encode, horizon_features
from models.forecaster.prior import DrawnCurves, draw
from models.forecaster.siblings import SiblingValues, smooth, tokens

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray
    from torch import Tensor

    from models.forecaster.forecast import Floats

CUTS = 2
HORIZONS = 2  # the end, and one before it
ALONE = 0.4  # share of curves shown without siblings
PARTIAL = 0.2  # share of siblings that ended early
NO_COVARIATES = 0.5
MISSING = 0.15  # share of draws with missing points


@dataclass(frozen=True)
class Lesson:
    """N curves, each asked at HORIZONS positions, with J siblings that may be there.

    Attributes:
        sequence: Shape (N, BINS, F).
        summary: Shape (N, S).
        horizon: Shape (N, HORIZONS, F).
        tokens: Shape (N, HORIZONS, J, F).
        there: 0 or 1, shape (N, J).
        scale: Shape (N,).
        gain: From level to the measured and the expected value, shape (N, HORIZONS, 2).
    """

    sequence: Tensor
    summary: Tensor
    horizon: Tensor
    tokens: Tensor
    there: Tensor
    scale: Tensor
    gain: Tensor


def draw_lesson(rng: Generator, draws: int, groups: int, curves: int) -> Lesson:
    """``draws`` draws of ``groups`` groups of ``curves`` curves, each cut at CUTS places."""
    drawn = [draw(rng, groups, curves) for _ in range(draws)]
    parts = [_cut(rng, curves_drawn) for curves_drawn in drawn for _ in range(CUTS)]
    return Lesson(*(torch.cat([getattr(part, f.name) for part in parts]) for f in fields(Lesson)))


def _cut(rng: Generator, drawn: DrawnCurves) -> Lesson:
    """Show the first points of each curve, and ask for its last point and for one between."""
    columns = _kept(rng, len(drawn.x))
    x, y, expected = drawn.x[columns], drawn.y[..., columns], drawn.expected[..., columns]
    groups, curves, points = y.shape
    count = _counts(rng, x, groups * curves)
    flat_y, flat_expected = y.reshape(-1, points), expected.reshape(-1, points)
    encoded = encode(SeenCurves(np.broadcast_to(x, flat_y.shape), flat_y, count))
    between = rng.integers(count, points)
    asked = np.stack([np.full(len(count), points - 1), between], axis=1)
    at = x[asked]
    gain = np.stack([np.take_along_axis(values, asked, axis=1) for values in (flat_y, flat_expected)], axis=-1)
    values, there = _siblings(rng, x, y, _distances(rng, drawn.covariates), encoded.bin_x, encoded.last_x, at)
    as_tensor = lambda array: torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))  # noqa: E731
    return Lesson(
        as_tensor(encoded.sequence),
        as_tensor(encoded.summary),
        as_tensor(horizon_features(encoded, at)),
        as_tensor(tokens(encoded, values, at)),
        as_tensor(there),
        as_tensor(encoded.scale),
        as_tensor(gain - encoded.level[:, None, None]),
    )


def _kept(rng: Generator, points: int) -> NDArray[np.intp]:
    """Columns that are not missing; first and last stay."""
    missing = rng.random() * 0.5 * (rng.random() < MISSING)
    kept = rng.random(points) >= missing
    kept[[0, 1, -1]] = True
    return np.flatnonzero(kept)


def _counts(rng: Generator, x: Floats, curves: int) -> NDArray[np.intp]:
    """How many points of each curve are shown: by share of x mostly, by share of points else."""
    share = rng.uniform(0.03, 0.95, curves)
    by_x = np.searchsorted(x, share * x[-1], side="right")
    by_index = (share * len(x)).astype(np.intp)
    return np.clip(np.where(rng.random(curves) < 0.75, by_x, by_index), 1, len(x) - 1)  # noqa: PLR2004


def _distances(rng: Generator, covariates: Floats) -> tuple[Floats, Floats]:
    """Distance between the curves of each group, and whether it is known: shape (G, K, K) each."""
    apart = np.sqrt(((covariates[:, :, None] - covariates[:, None]) ** 2).mean(axis=-1))
    known = (rng.random((len(covariates), 1, 1)) >= NO_COVARIATES) * np.ones_like(apart)
    return apart * known, known


def _siblings(
    rng: Generator,
    x: Floats,
    y: Floats,
    distances: tuple[Floats, Floats],
    bin_x: Floats,
    last_x: Floats,
    at: Floats,
) -> tuple[SiblingValues, Floats]:
    """Every other curve of the group as a sibling: values (N, K - 1), and which of them are there."""
    groups, curves, points = y.shape
    others = np.array([[j for j in range(curves) if j != i] for i in range(curves)])
    partial = rng.random((groups, curves)) < PARTIAL
    end = np.where(partial, rng.integers(1, points, (groups, curves)), points - 1)
    smoothed = smooth(y)

    group = np.repeat(np.arange(groups), curves)[:, None]
    who = np.tile(others, (groups, 1))  # (N, J)
    ends = end[group, who]

    def at_positions(positions: Floats) -> Floats:
        """Siblings at positions (N, Q): shape (N, J, Q)."""
        right = np.clip(np.searchsorted(x, positions), 1, points - 1)
        weight = np.clip((positions - x[right - 1]) / (x[right] - x[right - 1]), 0.0, 1.0)[:, None]
        low = np.minimum(right[:, None] - 1, ends[..., None])
        high = np.minimum(right[:, None], ends[..., None])
        rows = group[..., None], who[..., None]
        return (1 - weight) * smoothed[*rows, low] + weight * smoothed[*rows, high]

    reach = np.minimum(np.log(x[ends][:, None] / at[..., None]), 0.0)
    pairs = group, np.tile(np.arange(curves), groups)[:, None], who
    values = SiblingValues(
        at_positions(bin_x),
        at_positions(last_x[:, None])[..., 0],
        at_positions(at).swapaxes(1, 2),
        np.maximum(reach, -3.0),
        distances[0][pairs],
        distances[1][pairs],
    )
    inclusion = rng.uniform(0.05, 1.2, (len(who), 1)) * (rng.random((len(who), 1)) >= ALONE)
    there = (rng.random(who.shape) < inclusion).astype(np.float64)
    return values, there
