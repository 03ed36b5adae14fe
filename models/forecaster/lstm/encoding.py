"""Curves of any length, spacing and scale as arrays of fixed shape: what the network sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models.forecaster.lstm.extrapolations import NUM_SHAPES, WINDOWS, Lines, fit_lines

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from models.forecaster.curves import Floats, SeenCurves

BINS = 20
LEVEL_OVER = 5
SEQUENCE_FEATURES = 6
SUMMARY_FEATURES = 18 + WINDOWS * NUM_SHAPES
HORIZON_FEATURES = 4 + WINDOWS * (NUM_SHAPES + 1)
LEAST_SCALE = 0.002
EVEN_BELOW = 2.0  # the last gap by the mean gap; geometric spacing soon exceeds it
LONGEST_HORIZON = 1e4  # times the last position


@dataclass(frozen=True)
class Encoded:
    """R curves as the network sees them.

    Attributes:
        sequence: Bins, right-aligned, shape (R, BINS, SEQUENCE_FEATURES).
        summary: Shape (R, SUMMARY_FEATURES).
        level: Median of the last LEVEL_OVER values, shape (R,).
        scale: The unit of all differences, shape (R,).
        last_x: Last position, shape (R,).
        bin_x: Mean position of each bin, shape (R, BINS); 1 in empty ones.
        bin_y: Mean value of each bin, same shape; 0 in empty ones.
        bin_count: Points of each bin, same shape; 0 in empty ones.
        even: Whether the points are spaced evenly, as far as the last gap tells, shape (R,).
        lines: The cheap extrapolations.
    """

    sequence: Floats
    summary: Floats
    level: Floats
    scale: Floats
    last_x: Floats
    bin_x: Floats
    bin_y: Floats
    bin_count: Floats
    even: NDArray[np.bool_]
    lines: Lines


def squash(values: Floats) -> Floats:
    """Like the identity near 0, like the logarithm far away."""
    squashed: Floats = np.arcsinh(values)
    return squashed


def unit_of(bin_y: Floats, bin_count: Floats, noise: Floats) -> tuple[Floats, Floats]:
    """Scale and whole range of binned curves of shape (..., BINS): shape (...) each."""
    full = bin_count > 0
    later = full & (np.cumsum(full, axis=-1) > full.sum(axis=-1, keepdims=True) // 2)
    whole, late = _range(bin_y, full), _range(bin_y, later)
    return late + 0.1 * whole + 2 * noise + LEAST_SCALE, whole


def encode(curves: SeenCurves) -> Encoded:
    """See Encoded."""
    rows, columns = np.arange(len(curves.y)), np.arange(curves.y.shape[1])
    seen = columns < curves.count[:, None]
    last_x, first_x = curves.x[rows, curves.count - 1], curves.x[:, 0]
    bin_x, bin_y, bin_square, bin_count = _bin(curves, seen, np.log(first_x), np.log(last_x))
    noise = _noise(curves.y, seen)
    tail = _tail(curves)
    level = np.sort(tail, axis=1)[:, LEVEL_OVER // 2]
    scale, whole = unit_of(bin_y, bin_count, noise.late)
    full = (bin_count > 0).astype(np.float64)
    spread = np.sqrt(np.maximum(bin_square - bin_y**2, 0.0))
    relative, z = bin_y - level[:, None], bin_x / last_x[:, None]
    sequence = np.stack(
        [
            squash(relative / scale[:, None]),
            relative / (whole + LEAST_SCALE)[:, None],
            np.log(z),
            z,
            squash(spread / scale[:, None]),
            0.5 * np.log(bin_count + 1e-9) * full + 1.0,
        ],
        axis=-1,
    )
    windows = np.stack([bin_count, bin_count * (z > _middle(z, full)[:, None])], axis=1)
    lines = fit_lines(z[:, None], relative[:, None], np.maximum(windows, 1e-6 * full[:, None]))
    best = np.where(seen, curves.y, -np.inf).max(axis=1)
    worst = np.where(seen, curves.y, np.inf).min(axis=1)
    best_at = curves.x[rows, np.where(seen, curves.y, -np.inf).argmax(axis=1)]
    gap = last_x - curves.x[rows, np.maximum(curves.count - 2, 0)]
    head = curves.y[:, 0]
    summary = np.stack(
        [
            np.log(curves.count),
            np.log(last_x / first_x),
            np.log(gap * curves.count / last_x + 1e-3),
            level,
            np.log(1.002 - np.clip(level, 0, 1)),
            np.log(np.clip(level, 0, 1) + 0.002),
            np.log(scale),
            np.log(whole + LEAST_SCALE),
            squash(noise.late / scale),
            squash((tail[:, -1] - level) / scale),
            squash((tail[:, -3:].mean(axis=1) - level) / scale),
            squash((tail.mean(axis=1) - level) / scale),
            squash((best - level) / scale),
            squash((worst - level) / scale),
            squash((head - level) / scale),
            best_at / last_x,
            np.log((noise.early + 1e-4) / (noise.late + 1e-4)),
            np.log(noise.late + 1e-4),
            *np.moveaxis(np.log(lines.error.reshape(len(rows), -1) / scale[:, None] + 1e-3), 1, 0),
        ],
        axis=-1,
    )
    even = gap * curves.count < EVEN_BELOW * last_x
    return Encoded(sequence * full[..., None], summary, level, scale, last_x, bin_x, bin_y, bin_count, even, lines)


def horizon_features(encoded: Encoded, at: Floats) -> Floats:
    """What the network is told of positions ``at`` of shape (R, H): shape (R, H, HORIZON_FEATURES)."""
    z = np.clip(at / encoded.last_x[:, None], 1.0, LONGEST_HORIZON)
    values = squash(encoded.lines.at(z) / encoded.scale[:, None, None, None])
    trust = 1 / (encoded.lines.error + 0.02 * encoded.scale[:, None, None]) ** 2
    blended = (trust / trust.sum(axis=-1, keepdims=True))[:, None] * values
    far = np.log(z)
    steps = np.log1p((z - 1) * np.exp(encoded.summary[:, :1]))
    parts = [far[..., None], (1 / z)[..., None], np.sqrt(far)[..., None], steps[..., None]]
    return np.concatenate([*parts, values.reshape(*z.shape, -1), blended.sum(axis=-1)], axis=-1)


@dataclass(frozen=True)
class _Noise:
    """Standard deviation of a value in the earlier and in the later half of each curve, shape (R,)."""

    early: Floats
    late: Floats


def _bin(curves: SeenCurves, seen: NDArray[np.bool_], first: Floats, last: Floats) -> tuple[Floats, ...]:
    """Mean x, mean y, mean y² and count of each bin, right-aligned, shape (R, BINS) each.

    Bins are even in the mean of index and log x: early points of an even grid, and late points of a geometric one,
    keep their own.
    """
    size = curves.count[:, None]
    index = np.broadcast_to(np.arange(curves.y.shape[1]), curves.y.shape)
    in_log = (np.log(curves.x) - first[:, None]) / np.maximum(last - first, 1e-9)[:, None]
    share = 0.5 * index / np.maximum(size - 1, 1) + 0.5 * in_log
    place = np.where(size <= BINS, index, np.minimum(share * BINS, BINS - 1).astype(np.intp))
    # Where the early points of an even grid leave bins empty the later ones move up.
    rank = np.cumsum(np.diff(place, axis=1, prepend=place[:, :1]) > 0, axis=1)
    number = rank + BINS - 1 - np.take_along_axis(rank, size - 1, axis=1)
    flat = (number + BINS * np.arange(len(curves.y))[:, None])[seen]

    def total(values: Floats | None) -> Floats:
        weights = None if values is None else values[seen]
        sums = np.bincount(flat, weights, BINS * len(curves.y)).astype(np.float64)
        return sums.reshape(-1, BINS)

    count = total(None)
    most = np.maximum(count, 1.0)
    x = np.where(count > 0, total(curves.x) / most, 1.0)
    return x, total(curves.y) / most, total(curves.y**2) / most, count


def _noise(y: Floats, seen: NDArray[np.bool_]) -> _Noise:
    """From absolute second differences, which a smooth trend hardly touches."""
    if y.shape[1] < 3:  # noqa: PLR2004 - a second difference takes three points
        nothing = np.zeros(len(y))
        return _Noise(nothing, nothing)
    bends = np.abs(y[:, 2:] - 2 * y[:, 1:-1] + y[:, :-2])
    there = seen[:, 2:]
    late = there & (np.cumsum(there, axis=1) > there.sum(axis=1, keepdims=True) // 2)
    return _Noise(_mean(bends, there & ~late) / 1.95, _mean(bends, late) / 1.95)  # E|second difference| = 1.95 SD


def _mean(values: Floats, mask: NDArray[np.bool_]) -> Floats:
    means: Floats = (values * mask).sum(axis=1) / np.maximum(mask.sum(axis=1), 1)
    return means


def _tail(curves: SeenCurves) -> Floats:
    """The last LEVEL_OVER values, the first repeated where a curve has fewer: shape (R, LEVEL_OVER)."""
    index = np.maximum(curves.count[:, None] - LEVEL_OVER + np.arange(LEVEL_OVER), 0)
    return np.take_along_axis(curves.y, index, axis=1)


def _range(values: Floats, mask: NDArray[np.bool_]) -> Floats:
    extent: Floats = np.where(mask, values, -np.inf).max(axis=-1) - np.where(mask, values, np.inf).min(axis=-1)
    return extent


def _middle(z: Floats, full: Floats) -> Floats:
    """Relative position from which the later half of the bins begins, shape (R,)."""
    first = z.shape[1] - full.sum(axis=1).astype(np.intp)
    middle: Floats = z[np.arange(len(z)), (first + z.shape[1]) // 2 - 1] * (full.sum(axis=1) > 3)  # noqa: PLR2004 - bins
    return middle
