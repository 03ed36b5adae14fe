"""The optimiser of a training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from models.protocol import TrainingSpec

MOMENTUM = 0.9


def build_optimiser(spec: TrainingSpec, parameters: Iterable[torch.nn.Parameter]) -> torch.optim.Optimizer:
    """Adam, AdamW with torch's weight decay, or SGD with Nesterov's momentum of 0.9, each in its fused form."""
    if spec.optimiser == "sgd":
        return torch.optim.SGD(parameters, lr=spec.learning_rate, momentum=MOMENTUM, nesterov=True, fused=True)
    kind = torch.optim.AdamW if spec.optimiser == "adamw" else torch.optim.Adam
    return kind(parameters, lr=spec.learning_rate, fused=True)
