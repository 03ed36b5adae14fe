"""Drawn curves cut somewhere and asked about their rest: what the network is fitted on."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
import torch

from models.forecaster.curves import SeenCurves
from models.forecaster.lstm.encoding import encode, horizon_features
from models.forecaster.lstm.network import as_tensor
from models.forecaster.lstm.sibling_features import tokens
from models.forecaster.prior.drawn_curves import DrawnCurves, draw
from models.forecaster.prior.drawn_siblings import some_of_others, values_of_others

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray
    from torch import Tensor

    from models.forecaster.curves import Floats

CUTS = 2
NUM_HORIZONS = 2  # the end, and one before it
MISSING = 0.15  # share of draws with missing points


@dataclass(frozen=True)
class TrainingBatch:
    """N curves, each asked at NUM_HORIZONS positions, with J siblings that may be there.

    Attributes:
        sequence: Shape (N, BINS, F).
        summary: Shape (N, S).
        horizon: Shape (N, NUM_HORIZONS, F).
        tokens: Shape (N, NUM_HORIZONS, J, F).
        there: 0 or 1, shape (N, J).
        scale: Shape (N,).
        gain: From level to the measured and the expected value, shape (N, NUM_HORIZONS, 2).
    """

    sequence: Tensor
    summary: Tensor
    horizon: Tensor
    tokens: Tensor
    there: Tensor
    scale: Tensor
    gain: Tensor


def draw_training_batch(rng: Generator, draws: int, groups: int, curves: int) -> TrainingBatch:
    """``draws`` draws of ``groups`` groups of ``curves`` curves, each cut at CUTS places."""
    drawn = [draw(rng, groups, curves) for _ in range(draws)]
    parts = [_cut(rng, curves_drawn) for curves_drawn in drawn for _ in range(CUTS)]
    return TrainingBatch(*(torch.cat([getattr(part, field.name) for part in parts]) for field in fields(TrainingBatch)))


def _cut(rng: Generator, drawn: DrawnCurves) -> TrainingBatch:
    """Show the first points of each curve, and ask for its last point and for one between."""
    drawn = _without_missing(rng, drawn)
    points = len(drawn.x)
    y, expected = drawn.y.reshape(-1, points), drawn.expected.reshape(-1, points)
    count = _counts(rng, drawn.x, len(y))
    encoded = encode(SeenCurves(np.broadcast_to(drawn.x, y.shape), y, count))
    asked = np.stack([np.full(len(count), points - 1), rng.integers(count, points)], axis=1)
    at = drawn.x[asked]
    gain = np.stack([np.take_along_axis(values, asked, axis=1) for values in (y, expected)], axis=-1)
    values = values_of_others(rng, drawn, encoded, at)
    return TrainingBatch(
        as_tensor(encoded.sequence),
        as_tensor(encoded.summary),
        as_tensor(horizon_features(encoded, at)),
        as_tensor(tokens(encoded, values, at)),
        as_tensor(some_of_others(rng, *values.distance.shape)),
        as_tensor(encoded.scale),
        as_tensor(gain - encoded.level[:, None, None]),
    )


def _without_missing(rng: Generator, drawn: DrawnCurves) -> DrawnCurves:
    """Some points are missing in some draws; the first two and the last stay."""
    missing = rng.random() * 0.5 * (rng.random() < MISSING)
    kept = rng.random(len(drawn.x)) >= missing
    kept[[0, 1, -1]] = True
    return DrawnCurves(drawn.x[kept], drawn.expected[..., kept], drawn.y[..., kept], drawn.covariates)


def _counts(rng: Generator, x: Floats, curves: int) -> NDArray[np.intp]:
    """How many points of each curve are shown: by share of x mostly, by share of points else."""
    share = rng.uniform(0.03, 0.95, curves)
    by_x = np.searchsorted(x, share * x[-1], side="right")
    by_index = (share * len(x)).astype(np.intp)
    return np.clip(np.where(rng.random(curves) < 0.75, by_x, by_index), 1, len(x) - 1)
