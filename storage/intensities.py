"""Brings the intensities of volumes to a common scale, a channel at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from storage.data_spec import DataSpec, Intensities

LEAST_SD = 1e-6  # a channel without contrast becomes 0
CT_PERCENTILES = (0.5, 99.5)
HIGHEST = 65504.0  # of float16


def schemes_of(spec: DataSpec, channels: Sequence[str]) -> tuple[Intensities, ...]:
    """The scheme of every channel, by the spec, else by kind and by the name of the modality, as nnU-Net does."""
    return tuple(_scheme(spec, channel) for channel in channels)


def zscore(channel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean 0 and SD 1 over all voxels."""
    return _scaled(channel, channel)


def zscore_nonzero(channel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean 0 and SD 1 over the voxels that are not 0; those that are stay 0."""
    inside = channel != 0
    if not inside.any():
        return channel
    return np.where(inside, _scaled(channel, channel[inside]), np.float32(0))


def ct_scale(samples: NDArray[np.float32]) -> tuple[float, float, float, float]:
    """(lowest, highest, mean, SD) of nnU-Net's CT rule, from intensities of foreground voxels, shape (n,)."""
    low, high = np.percentile(samples, CT_PERCENTILES)
    return float(low), float(high), float(samples.mean(dtype=np.float64)), float(samples.std(dtype=np.float64))


def ct(channel: NDArray[np.float32], scale: tuple[float, float, float, float]) -> NDArray[np.float32]:
    """Clipped, less the mean, by the SD."""
    low, high, mean, sd = scale
    return (np.clip(channel, low, high) - mean) / max(sd, LEAST_SD)


def to_half(image: NDArray[np.float32]) -> NDArray[np.float16]:
    """As float16, the highest values cut off where it ends: no scheme brings tissue there."""
    return np.clip(image, -HIGHEST, HIGHEST).astype(np.float16)


def _scheme(spec: DataSpec, channel: str) -> Intensities:
    if spec.intensities is not None:
        return spec.intensities
    if spec.kind == "brats":
        return "zscore_nonzero"
    return "ct" if channel.lower() == "ct" else "zscore"


def _scaled(channel: NDArray[np.float32], over: NDArray[np.float32]) -> NDArray[np.float32]:
    mean, sd = float(over.mean(dtype=np.float64)), float(over.std(dtype=np.float64))
    return (channel - mean) / max(sd, LEAST_SD)
