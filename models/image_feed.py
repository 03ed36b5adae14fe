"""The feed in 2D: whole images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from models.sampling import batch_cases, turned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from models.protocol import TrainingSpec
    from models.training_data import TrainingData

VALIDATION_BATCH = 32


class ImageFeed:
    """Whole images, their bytes scaled to -1..1."""

    def __init__(self, spec: TrainingSpec, data: TrainingData, seed: int, device: torch.device) -> None:
        """Nothing is read yet."""
        self._spec, self._data, self._seed, self._device = spec, data, seed, device

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
        images = torch.from_numpy(np.take(self._data.images, cases, axis=0)).to(self._device, non_blocking=True)
        masks = torch.from_numpy(np.take(self._data.masks, cases, axis=0)).to(self._device, non_blocking=True)
        return images.float().div_(127.5).sub_(1.0), masks.float()
