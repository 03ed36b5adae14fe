"""What a training is fed with: batches to learn from, and whole cases to be scored on.

In 2D whole images; in 3D patches to learn from, and sliding windows over whole volumes to be scored on. Tensors on the
training's device are filled again and again: fresh ones cost a CPU a page fault a page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from monai.inferers import sliding_window_inference

from models.training.sampling import CORNERS, batch_cases, cut, draw_corners, mirrored, turned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

    from models.protocol import TrainingSpec
    from models.training.sampling import Corner
    from models.training.training_data import TrainingData

    Forward = Callable[[torch.Tensor], torch.Tensor]
    Volumes = Sequence[NDArray[Any]] | NDArray[Any]

VALIDATION_BATCH = 32


class Batches(Protocol):
    """Batches and whole cases on the training's device; all tensors float32, masks 0 and 1."""

    def batch(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Images (batch, channels, ...) and masks (batch, 1, ...) of a step (from 0), a pure function of it.

        Both are overwritten by the next call of either method.
        """

    def predicted(self, forward: Forward, cases: NDArray[np.int64]) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Logits and masks of whole cases in their order, both (N, 1, ...), some at a time, to be used at once.

        Args:
            forward: Images (N, channels, ...) to logits (N, 1, ...).
            cases: Positions of the cases.
        """


def build_batches(spec: TrainingSpec, data: TrainingData, seed: int, device: torch.device) -> Batches:
    """Whole images in 2D, patches and sliding windows in 3D."""
    return (ImageBatches if spec.patch is None else VolumeBatches)(spec, data, seed, device)


class ImageBatches:
    """Whole images, their bytes scaled to -1..1."""

    def __init__(self, spec: TrainingSpec, data: TrainingData, seed: int, device: torch.device) -> None:
        """Nothing is read yet."""
        self._spec, self._data, self._seed = spec, data, seed
        self._buffers = _Buffers(device)

    def batch(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """See `Batches`."""
        train = self._data.train
        images, masks = self._read(train[batch_cases(len(train), self._spec.batch, step, self._seed)])
        if self._spec.augmentation == "flips":
            return turned(images, masks, step, self._seed)
        return images, masks

    def predicted(self, forward: Forward, cases: NDArray[np.int64]) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """See `Batches`."""
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


class VolumeBatches:
    """Patches of volumes; only the pages that a patch touches are read from a memory-mapped volume."""

    def __init__(self, spec: TrainingSpec, data: TrainingData, seed: int, device: torch.device) -> None:
        """Nothing is read yet."""
        assert spec.patch is not None
        assert data.foreground is not None
        self._spec, self._data, self._seed, self._device = spec, data, seed, device
        self._patch, self._foreground = spec.patch, data.foreground
        self._buffers = _Buffers(device)

    def batch(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """See `Batches`: a patch of each case; what lies outside of a small volume is 0, and background."""
        train = self._data.train
        cases = train[batch_cases(len(train), self._spec.batch, step, self._seed)]
        corners = draw_corners(
            [self._data.masks[case].shape[1:] for case in cases],
            [self._foreground[case] for case in cases],
            self._patch,
            self._spec.foreground_share,
            np.random.default_rng([self._seed, CORNERS, step]),
        )
        at = list(zip(cases, corners, strict=True))
        images = self._cut("images", self._data.images, at, (self._data.channels, *self._patch), torch.float16)
        masks = self._cut("masks", self._data.masks, at, (1, *self._patch), torch.uint8)
        if self._spec.augmentation == "flips":
            return mirrored(images, masks, step, self._seed)
        return images, masks

    def predicted(self, forward: Forward, cases: NDArray[np.int64]) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """See `Batches`: one volume at a time, of its own size, in batches of windows."""
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


def sliding_logits(spec: TrainingSpec, forward: Forward, image: torch.Tensor) -> torch.Tensor:
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


class _Buffers:
    """One float32 tensor per role and shape."""

    def __init__(self, device: torch.device) -> None:
        """Nothing is allocated yet."""
        self._device = device
        self._floats: dict[tuple[str, torch.Size], torch.Tensor] = {}

    def host(self, shape: Sequence[int], dtype: torch.dtype) -> torch.Tensor:
        """A fresh tensor to gather a batch in; for a GPU in pinned memory, which it reads while it computes."""
        return torch.empty(tuple(shape), dtype=dtype, pin_memory=self._device.type == "cuda")

    def floats(self, role: str, host: torch.Tensor) -> torch.Tensor:
        """The same values as float32 on the device, in the tensor that this role and shape had before."""
        key = role, host.shape
        if key not in self._floats:
            self._floats[key] = torch.empty(host.shape, device=self._device)
        return self._floats[key].copy_(host, non_blocking=True)
