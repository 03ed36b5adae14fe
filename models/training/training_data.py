"""What a training learns from, as numpy arrays: whole images of one size, or volumes of any size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class TrainingData:
    """Arrays of all cases, and which of them are for what; any of the arrays may be memory-mapped.

    Attributes:
        images: In 2D uint8, shape (cases, channels, size, size). In 3D normalised floats (float16), one array of shape
            (channels, X, Y, Z) a case.
        masks: uint8 of 0 and 1: shape (cases, 1, size, size), or one array of shape (1, X, Y, Z) a case.
        train: Positions of the training subset, shape (n,).
        validation: Positions of the validation cases.
        test: Positions of the test cases.
        foreground: In 3D, the positions of each case's foreground voxels, int32 of shape (k, 3); None in 2D.
    """

    images: NDArray[np.uint8] | Sequence[NDArray[np.float16]]
    masks: NDArray[np.uint8] | Sequence[NDArray[np.uint8]]
    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]
    foreground: Sequence[NDArray[np.int32]] | None = None

    @property
    def channels(self) -> int:
        """Channels of the images."""
        return int(self.images[0].shape[0])
