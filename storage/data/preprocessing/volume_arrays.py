"""From a volume as it was read to the arrays that are kept of it: cropped, scaled, resampled."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from storage.data.preprocessing.intensities import by_case, to_half
from storage.data.preprocessing.resample import resample, resample_mask
from storage.data.preprocessing.thumbnails import shrink

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from storage.data.preprocessing.intensities import Intensities
    from storage.data.source import VolumeCase

MOST_POSITIONS = 4096
MOST_SAMPLES = 10_000  # nnU-Net's number of foreground intensities a case


def arrays_of(
    case: VolumeCase, schemes: Sequence[Intensities], spacing: tuple[float, ...] | None
) -> dict[str, NDArray[Any]]:
    """What is kept of a case.

    Args:
        case: As it was read.
        schemes: Of each channel.
        spacing: To resample to, in mm; None: as it is.

    Returns:
        "images", float16 (channels, X, Y, Z); "masks", uint8 (1, X, Y, Z); "foreground", int32 (k, 3), positions of at
        most 4,096 foreground voxels; "thumbnails", float32 (4096,). Where a channel is scaled by "ct", "raw" in place
        of "images", float32, with that channel as it was read, and "samples", float32 (channels, k), at most 10,000
        foreground intensities.
    """
    box = bounding_box(case.image, case.mask)
    image, mask = case.image[(slice(None), *box)], case.mask[box]
    samples = _samples(image, mask, case.name) if "ct" in schemes else None
    image = by_case(image, schemes)
    if spacing is not None:
        image, mask = resample(image, case.spacing, spacing), resample_mask(mask, case.spacing, spacing)
    kept = {"images": to_half(image)} if samples is None else {"raw": image, "samples": samples}
    return kept | {
        "masks": mask[None].astype(np.uint8),
        "foreground": np.stack(_drawn(mask, MOST_POSITIONS, case.name, "foreground"), axis=1).astype(np.int32),
        "thumbnails": shrink(image[None])[0],
    }


def bounding_box(image: NDArray[np.float32], mask: NDArray[np.bool_]) -> tuple[slice, ...]:
    """The box of all voxels that are not 0 in some channel, or foreground: a scan stripped of its skull gets small."""
    inside = (image != 0).any(axis=0) | mask
    box: tuple[slice, ...] = ndimage.find_objects(inside.astype(np.uint8))[0]
    return box


def _samples(image: NDArray[np.float32], mask: NDArray[np.bool_], name: str) -> NDArray[np.float32]:
    x, y, z = _drawn(mask, MOST_SAMPLES, name, "samples")
    return image[:, x, y, z]


def _drawn(mask: NDArray[np.bool_], most: int, name: str, purpose: str) -> tuple[NDArray[np.int64], ...]:
    """Positions of foreground voxels, all or so many, drawn by the name of the case alone."""
    inside = np.flatnonzero(mask)
    if len(inside) > most:
        rng = np.random.default_rng(zlib.crc32(f"{purpose} of {name}".encode()))
        inside = inside[np.sort(rng.choice(len(inside), most, replace=False))]
    return np.unravel_index(inside, mask.shape)
