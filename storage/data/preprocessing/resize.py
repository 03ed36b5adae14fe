"""From a picture as it was read to the arrays that are kept of it: a square of one size.

An exported model takes this file along (`studies/interop/export_model.py`), so it imports nothing of ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray


def picture_arrays(image: NDArray[np.uint8], mask: NDArray[np.bool_], size: int) -> dict[str, NDArray[np.uint8]]:
    """Resize by area average; a mask pixel is foreground from one half.

    Args:
        image: Shape (H, W, channels).
        mask: Shape (H, W).
        size: Side of the square.

    Returns:
        "images", shape (channels, size, size), and "masks" of 0 and 1, shape (1, size, size).
    """
    return {"images": resize_image(image, size), "masks": _resize_mask(mask, size)[None]}


def resize_image(image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """An image (H, W, channels) resized by area average, shape (channels, size, size)."""
    channels = (Image.fromarray(channel) for channel in np.moveaxis(image, 2, 0))
    return np.stack([np.asarray(c.resize((size, size), Image.Resampling.BOX)) for c in channels])


def _resize_mask(mask: NDArray[np.bool_], size: int) -> NDArray[np.uint8]:
    smooth = Image.fromarray(mask.astype(np.uint8) * 255).resize((size, size), Image.Resampling.BOX)
    return (np.asarray(smooth) >= 128).astype(np.uint8)  # noqa: PLR2004 - one half of 255
