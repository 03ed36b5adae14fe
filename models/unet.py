"""The task model: MONAI's residual U-Net at a given depth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from monai.networks.nets import UNet

if TYPE_CHECKING:
    from torch import nn

    from models.protocol import TrainingSpec


def build_unet(spec: TrainingSpec, depth: int, in_channels: int) -> nn.Module:
    """A residual U-Net with one output channel of logits: (N, in_channels, *sides) to (N, 1, *sides)."""
    model: nn.Module = UNet(
        spatial_dims=spec.dimensions,
        in_channels=in_channels,
        out_channels=1,
        channels=[spec.channels * 2**level for level in range(depth)],
        strides=[2] * (depth - 1),
        num_res_units=spec.residual_units,
    )
    return model


def count_parameters(spec: TrainingSpec, depth: int, in_channels: int) -> int:
    """Trainable parameters of the model, without allocating them."""
    with torch.device("meta"):
        model = build_unet(spec, depth, in_channels)
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
