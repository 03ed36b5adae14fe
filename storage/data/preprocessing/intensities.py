"""Brings the intensities of volumes to a common scale, a channel at a time.

An exported model takes this file along (`studies/interop/export_model.py`), so it imports nothing of ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Intensities = Literal["zscore", "zscore_nonzero", "ct"]
CtScale = tuple[float, float, float, float]

LEAST_SD = 1e-6  # a channel without contrast becomes 0
CT_PERCENTILES = (0.5, 99.5)
HIGHEST = 65504.0  # of float16


def by_case(image: NDArray[np.float32], schemes: Sequence[Intensities]) -> NDArray[np.float32]:
    """An image with its channels scaled by its own intensities; those of "ct" stay as they are.

    Args:
        image: Shape (channels, X, Y, Z).
        schemes: One a channel.
    """
    return np.stack([_by_case(channel, scheme) for channel, scheme in zip(image, schemes, strict=True)])


def by_all_cases(image: NDArray[np.float32], scales: Sequence[CtScale | None]) -> NDArray[np.float16]:
    """An image that `by_case` scaled, with its "ct" channels brought to the scale of all cases, as float16.

    Args:
        image: Shape (channels, X, Y, Z).
        scales: What `ct_scale` found for each channel; None for those of other schemes.
    """
    channels = zip(image, scales, strict=True)
    return to_half(np.stack([channel if scale is None else ct(channel, scale) for channel, scale in channels]))


def zscore(channel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean 0 and SD 1 over all voxels."""
    return _scaled(channel, channel)


def zscore_nonzero(channel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean 0 and SD 1 over the voxels that are not 0; those that are stay 0."""
    inside = channel != 0
    if not inside.any():
        return channel
    return np.where(inside, _scaled(channel, channel[inside]), np.float32(0))


def ct_scale(samples: NDArray[np.float32]) -> CtScale:
    """(lowest, highest, mean, SD) of nnU-Net's CT rule, from intensities of foreground voxels, shape (n,)."""
    low, high = np.percentile(samples, CT_PERCENTILES)
    return float(low), float(high), float(samples.mean(dtype=np.float64)), float(samples.std(dtype=np.float64))


def ct(channel: NDArray[np.float32], scale: CtScale) -> NDArray[np.float32]:
    """Clipped, less the mean, by the SD."""
    low, high, mean, sd = scale
    return (np.clip(channel, low, high) - mean) / max(sd, LEAST_SD)


def to_half(image: NDArray[np.float32]) -> NDArray[np.float16]:
    """As float16, the highest values cut off where it ends: no scheme brings tissue there."""
    return np.clip(image, -HIGHEST, HIGHEST).astype(np.float16)


def _scaled(channel: NDArray[np.float32], over: NDArray[np.float32]) -> NDArray[np.float32]:
    mean, sd = float(over.mean(dtype=np.float64)), float(over.std(dtype=np.float64))
    return (channel - mean) / max(sd, LEAST_SD)


def _by_case(channel: NDArray[np.float32], scheme: Intensities) -> NDArray[np.float32]:
    if scheme == "ct":
        return channel
    return zscore(channel) if scheme == "zscore" else zscore_nonzero(channel)
