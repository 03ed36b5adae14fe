"""Patches of volumes: where they lie, and how they are cut out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Corner = NDArray[np.int64]


def draw_corners(
    shapes: Sequence[Sequence[int]],
    foreground: Sequence[NDArray[np.int32]],
    patch: Sequence[int],
    foreground_share: float,
    rng: np.random.Generator,
) -> list[Corner]:
    """The first voxel of a patch in each volume.

    With a chance of `foreground_share` a patch is centred on a foreground voxel, as nearly as the volume's border lets
    it; else, and in a volume without foreground, it lies anywhere. Along a side that is shorter than the patch the
    volume lies in the middle of the patch, as in MONAI's sliding window, and the corner is negative.

    Args:
        shapes: (X, Y, Z) of each volume.
        foreground: Positions of each volume's foreground voxels, shape (k, 3).
        patch: Sides of the patch.
        foreground_share: From 0 to 1.
        rng: Draws.
    """
    sides = np.asarray(patch)
    return [
        _corner(np.asarray(shape) - sides, positions, sides, foreground_share, rng)
        for shape, positions in zip(shapes, foreground, strict=True)
    ]


def cut(volume: NDArray[Any], corner: Corner, out: NDArray[Any]) -> None:
    """Copy the patch at a corner, 0 where it reaches out of the volume.

    Args:
        volume: Shape (channels, X, Y, Z).
        corner: First voxel of the patch, negative where it reaches out.
        out: Takes the patch; shape (channels, *patch).
    """
    first, last = np.maximum(corner, 0), np.minimum(corner + out.shape[1:], volume.shape[1:])
    inside = (slice(None), *map(slice, first - corner, last - corner))
    if out[inside].shape != out.shape:
        out[:] = 0
    out[inside] = volume[:, *map(slice, first, last)]


def _corner(
    room: NDArray[np.int64],
    positions: NDArray[np.int32],
    sides: NDArray[np.int64],
    share: float,
    rng: np.random.Generator,
) -> Corner:
    last = np.maximum(room, 0)
    if rng.random() < share and len(positions):
        corner = np.clip(positions[rng.integers(len(positions))] - sides // 2, 0, last)
    else:
        corner = rng.integers(0, last, endpoint=True)
    return np.asarray(np.where(room < 0, -(-room // 2), corner), dtype=np.int64)
