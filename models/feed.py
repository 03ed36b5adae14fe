"""What a training is fed with: batches to learn from, and whole cases to be scored on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from models.image_feed import ImageFeed
from models.volume_feed import VolumeFeed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    import torch
    from numpy.typing import NDArray

    from models.protocol import TrainingSpec
    from models.training_data import TrainingData


class Feed(Protocol):
    """Batches and whole cases on the training's device; all tensors float32, masks 0 and 1."""

    def batch(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Images (batch, channels, ...) and masks (batch, 1, ...) of a step (from 0), a pure function of it.

        Both are overwritten by the next call of either method.
        """

    def predicted(
        self, forward: Callable[[torch.Tensor], torch.Tensor], cases: NDArray[np.int64]
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Logits and masks of whole cases in their order, both (N, 1, ...), some at a time, to be used at once.

        Args:
            forward: Images (N, channels, ...) to logits (N, 1, ...).
            cases: Positions of the cases.
        """


def build_feed(spec: TrainingSpec, data: TrainingData, seed: int, device: torch.device) -> Feed:
    """Whole images in 2D, patches and sliding windows in 3D."""
    return (ImageFeed if spec.patch is None else VolumeFeed)(spec, data, seed, device)
