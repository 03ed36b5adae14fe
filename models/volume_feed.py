"""The feed in 3D: patches to learn from, sliding windows over whole volumes to be scored on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from monai.inferers import sliding_window_inference

from models.patches import cut, draw_corners
from models.sampling import batch_cases, mirrored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from models.protocol import TrainingSpec
    from models.training_data import TrainingData


class VolumeFeed:
    """Patches of volumes; only the pages that a patch touches are read from a memory-mapped volume."""

    def __init__(self, spec: TrainingSpec, data: TrainingData, seed: int, device: torch.device) -> None:
        """Nothing is read yet."""
        assert spec.patch is not None
        assert data.foreground is not None
        self._spec, self._data, self._seed, self._device = spec, data, seed, device
        self._patch, self._foreground = spec.patch, data.foreground

    def batch(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """See `Feed`: a patch of each case; what lies outside of a small volume is 0, and background."""
        train = self._data.train
        cases = train[batch_cases(len(train), self._spec.batch, step, self._seed)]
        corners = draw_corners(
            [self._data.masks[case].shape[1:] for case in cases],
            [self._foreground[case] for case in cases],
            self._patch,
            self._spec.foreground_share,
            np.random.default_rng([self._seed, 5, step]),
        )
        volumes = zip(cases, corners, strict=True)
        patches = [
            (cut(self._data.images[case], at, self._patch), cut(self._data.masks[case], at, self._patch))
            for case, at in volumes
        ]
        images, masks = (self._on_device(np.stack(part)) for part in zip(*patches, strict=True))
        if self._spec.augmentation == "flips":
            return mirrored(images, masks, step, self._seed)
        return images, masks

    def predicted(
        self, forward: Callable[[torch.Tensor], torch.Tensor], cases: NDArray[np.int64]
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """See `Feed`: one volume at a time, of its own size, in batches of windows."""
        for case in cases:
            image, mask = (
                self._on_device(np.array(part[case])[None]) for part in (self._data.images, self._data.masks)
            )
            yield sliding_logits(self._spec, forward, image), mask

    def _on_device(self, array: NDArray[np.generic]) -> torch.Tensor:
        return torch.from_numpy(array).to(self._device, non_blocking=True).float()


def sliding_logits(
    spec: TrainingSpec, forward: Callable[[torch.Tensor], torch.Tensor], image: torch.Tensor
) -> torch.Tensor:
    """Logits of a whole volume, from windows of the patch's size that overlap, their centres weighing most.

    Args:
        spec: Patch, overlap, and batch: as many windows at once as a training step has patches.
        forward: Windows (N, channels, *patch) to logits (N, 1, *patch).
        image: Shape (1, channels, X, Y, Z); a side smaller than the patch is padded with 0 for the network alone.
    """
    logits: torch.Tensor = sliding_window_inference(
        image, spec.patch, spec.batch, forward, overlap=spec.overlap, mode="gaussian"
    )
    return logits
