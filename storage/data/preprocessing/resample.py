"""Volumes on another grid of voxels over the same box.

An exported model takes this file along (`studies/interop/export_model.py`), so it imports nothing of ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

SAME_SPACING = 0.01  # relative; headers round, and scanners differ by less than anyone sees


def same_spacing(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether two spacings agree within 1 % along every axis."""
    return bool(np.allclose(one, other, rtol=SAME_SPACING, atol=0))


def resample(image: NDArray[np.float32], old: Sequence[float], new: Sequence[float]) -> NDArray[np.float32]:
    """An image on another grid, by trilinear interpolation; as it is where both spacings agree within 1 %.

    Args:
        image: Shape (channels, X, Y, Z).
        old: Spacing that it has, in mm.
        new: Spacing that it shall have, within half a voxel over the whole box.
    """
    return image if same_spacing(old, new) else np.stack([_zoomed(channel, old, new) for channel in image])


def resample_mask(mask: NDArray[np.bool_], old: Sequence[float], new: Sequence[float]) -> NDArray[np.bool_]:
    """The same of a mask, shape (X, Y, Z); from one half on it is foreground."""
    if same_spacing(old, new):
        return mask
    return _zoomed(mask.astype(np.float32), old, new) >= 0.5  # noqa: PLR2004 - one half


def _zoomed(values: NDArray[np.float32], old: Sequence[float], new: Sequence[float]) -> NDArray[np.float32]:
    sides = [max(1, round(side * a / b)) for side, a, b in zip(values.shape, old, new, strict=True)]
    zoom = [after / before for after, before in zip(sides, values.shape, strict=True)]
    zoomed: NDArray[np.float32] = ndimage.zoom(values, zoom, order=1, mode="nearest", grid_mode=True)
    return zoomed
