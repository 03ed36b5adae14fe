"""Float tensors on the training's device that are filled again and again: fresh ones cost a CPU a page fault a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence


class Buffers:
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
