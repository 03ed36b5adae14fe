"""The feed in 3D: patches to learn from, sliding windows over whole volumes to be scored on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from monai.inferers import sliding_window_inference

from models.buffers import Buffers
from models.patches import cut, draw_corners
from models.sampling import batch_cases, mirrored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from models.patches import Corner
    from models.protocol import TrainingSpec
    from models.training_data import TrainingData

    Volumes = Sequence[NDArray[Any]] | NDArray[Any]


class VolumeFeed:
    """Patches of volumes; only the pages that a patch touches are read from a memory-mapped volume."""

    def __init__(self, spec: TrainingSpec, data: TrainingData, seed: int, device: torch.device) -> None:
        """Nothing is read yet."""
        assert spec.patch is not None
        assert data.foreground is not None
        self._spec, self._data, self._seed, self._device = spec, data, seed, device
        self._patch, self._foreground = spec.patch, data.foreground
        self._buffers = Buffers(device)

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
        at = list(zip(cases, corners, strict=True))
        images = self._cut("images", self._data.images, at, (self._data.channels, *self._patch), torch.float16)
        masks = self._cut("masks", self._data.masks, at, (1, *self._patch), torch.uint8)
        if self._spec.augmentation == "flips":
            return mirrored(images, masks, step, self._seed)
        return images, masks

    def predicted(
        self, forward: Callable[[torch.Tensor], torch.Tensor], cases: NDArray[np.int64]
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """See `Feed`: one volume at a time, of its own size, in batches of windows."""
        for case in cases:
            image, mask = self._whole(self._data.images[case]), self._whole(self._data.masks[case])
            yield sliding_logits(self._spec, forward, image), mask

    def _cut(
        self, role: str, volumes: Volumes, at: Sequence[tuple[int, Corner]], shape: Sequence[int], dtype: torch.dtype
    ) -> torch.Tensor:
        host = self._buffers.host((len(at), *shape), dtype)
        for out, (case, corner) in zip(host.numpy(), at, strict=True):
            cut(volumes[case], corner, out)
        return self._buffers.floats(role, host)

    def _whole(self, volume: NDArray[Any]) -> torch.Tensor:
        return torch.from_numpy(np.array(volume)[None]).to(self._device, non_blocking=True).float()


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
