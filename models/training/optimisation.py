"""The loss between logits and masks, and the optimiser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from monai.losses import DiceLoss

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from models.protocol import Loss, TrainingSpec

    LossFunction = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

MOMENTUM = 0.9


def build_loss(name: Loss) -> LossFunction:
    """The loss of that name: (logits, masks of 0 and 1), both (N, 1, ...), to a scalar.

    `dice_ce` adds the soft Dice loss, over the batch as a whole, to binary cross-entropy: a batch without foreground
    then has a gradient too, and an empty prediction is no longer a resting place.
    """
    bce = torch.nn.BCEWithLogitsLoss()
    if name == "bce":
        return bce
    dice = DiceLoss(sigmoid=True, batch=True)
    return lambda logits, masks: bce(logits, masks) + dice(logits, masks)


def build_optimiser(spec: TrainingSpec, parameters: Iterable[torch.nn.Parameter]) -> torch.optim.Optimizer:
    """Adam, AdamW with torch's weight decay, or SGD with Nesterov's momentum of 0.9, each in its fused form."""
    if spec.optimiser == "sgd":
        return torch.optim.SGD(parameters, lr=spec.learning_rate, momentum=MOMENTUM, nesterov=True, fused=True)
    kind = torch.optim.AdamW if spec.optimiser == "adamw" else torch.optim.Adam
    return kind(parameters, lr=spec.learning_rate, fused=True)
