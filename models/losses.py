"""Losses between logits and masks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch
from monai.losses import DiceLoss

if TYPE_CHECKING:
    from collections.abc import Callable

    Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def build_loss(name: Literal["bce", "dice_ce"]) -> Loss:
    """The loss of that name: (logits, masks of 0 and 1), both (N, 1, ...), to a scalar.

    `dice_ce` adds the soft Dice loss, over the batch as a whole, to binary cross-entropy: a batch without foreground
    then has a gradient too, and an empty prediction is no longer a resting place.
    """
    bce = torch.nn.BCEWithLogitsLoss()
    if name == "bce":
        return bce
    dice = DiceLoss(sigmoid=True, batch=True)
    return lambda logits, masks: bce(logits, masks) + dice(logits, masks)
