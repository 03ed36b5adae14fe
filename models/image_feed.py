"""The feed in 2D: whole images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from models.buffers import Buffers
from models.sampling import batch_cases, turned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import ArrayLike, NDArray

    from models.protocol import TrainingSpec
    from models.training_data import TrainingData

VALIDATION_BATCH = 32


class ImageFeed:
    """Whole images, their bytes scaled to -1..1."""

    def __init__(self, spec: TrainingSpec, data: TrainingData, seed: int, device: torch.device) -> None:
        """Nothing is read yet."""
        self._spec, self._data, self._seed = spec, data, seed
        self._buffers = Buffers(device)

    def batch(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """See `Feed`."""
        train = self._data.train
        images, masks = self._read(train[batch_cases(len(train), self._spec.batch, step, self._seed)])
        if self._spec.augmentation == "flips":
            return turned(images, masks, step, self._seed)
        return images, masks

    def predicted(
        self, forward: Callable[[torch.Tensor], torch.Tensor], cases: NDArray[np.int64]
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """See `Feed`."""
        for start in range(0, len(cases), VALIDATION_BATCH):
            images, masks = self._read(cases[start : start + VALIDATION_BATCH])
            yield forward(images), masks

    def _read(self, cases: NDArray[np.int64]) -> tuple[torch.Tensor, torch.Tensor]:
        images, masks = self._taken("images", self._data.images, cases), self._taken("masks", self._data.masks, cases)
        return images.div_(127.5).sub_(1.0), masks

    def _taken(self, role: str, arrays: ArrayLike, cases: NDArray[np.int64]) -> torch.Tensor:
        host = self._buffers.host((len(cases), *np.shape(arrays)[1:]), torch.uint8)
        np.take(arrays, cases, axis=0, out=host.numpy(), mode="clip")  # with other modes numpy goes through a copy
        return self._buffers.floats(role, host)
