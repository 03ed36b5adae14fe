"""Grey thumbnails of images and volumes, small enough to compare every pair of cases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 16


def shrink(images: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float32]:
    """Area averages of the mean over channels; every further axis shrinks alike."""
    grey = images[:, 0].astype(np.float32)
    for channel in range(1, images.shape[1]):  # a sum over the axis takes twice as long
        grey += images[:, channel]
    grey /= np.float32(images.shape[1])
    for side in grey.shape[1:]:  # each product puts the axis it shrank last, so the next one comes first
        grey = np.tensordot(grey, _area_weights(side), axes=(1, 1))
    return grey.reshape(len(images), -1)


def _area_weights(side: int) -> NDArray[np.float32]:
    """(16, side): how much of each pixel lies in each of 16 equal stretches, a row adding up to 1."""
    edges = np.linspace(0, side, SIDE + 1)
    pixels = np.arange(side)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    weights: NDArray[np.float32] = (np.clip(overlap, 0, None) * SIDE / side).astype(np.float32)
    return weights
