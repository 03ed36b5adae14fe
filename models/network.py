"""The task model at a given depth: MONAI's residual U-Net, or another of its architectures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from monai.networks.nets import AttentionUnet, SegResNet, SwinUNETR, UNet

if TYPE_CHECKING:
    from torch import nn

    from models.protocol import TrainingSpec


def build_network(spec: TrainingSpec, depth: int, in_channels: int) -> nn.Module:
    """A network with one output channel of logits: (N, in_channels, *sides) to (N, 1, *sides)."""
    build = {"unet": _unet, "attention_unet": _attention_unet, "segresnet": _segresnet, "swin_unetr": _swin_unetr}
    return build[spec.architecture](spec, depth, in_channels)


def build_weightless(spec: TrainingSpec, depth: int, in_channels: int) -> nn.Module:
    """The same network on torch's device "meta", where nothing is computed."""
    if spec.architecture == "swin_unetr":  # it reads a tensor's values while it is built
        return build_network(spec, depth, in_channels).to("meta")
    with torch.device("meta"):
        return build_network(spec, depth, in_channels)


def count_parameters(spec: TrainingSpec, depth: int, in_channels: int) -> int:
    """Trainable parameters of the network."""
    network = build_weightless(spec, depth, in_channels)
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


def _unet(spec: TrainingSpec, depth: int, in_channels: int) -> nn.Module:
    network: nn.Module = UNet(
        spatial_dims=spec.dimensions,
        in_channels=in_channels,
        out_channels=1,
        channels=_channels(spec, depth),
        strides=[2] * (depth - 1),
        num_res_units=spec.residual_units,
    )
    return network


def _attention_unet(spec: TrainingSpec, depth: int, in_channels: int) -> nn.Module:
    network: nn.Module = AttentionUnet(
        spatial_dims=spec.dimensions,
        in_channels=in_channels,
        out_channels=1,
        channels=_channels(spec, depth),
        strides=[2] * (depth - 1),
    )
    return network


def _segresnet(spec: TrainingSpec, depth: int, in_channels: int) -> nn.Module:
    network: nn.Module = SegResNet(
        spatial_dims=spec.dimensions,
        init_filters=spec.channels,
        in_channels=in_channels,
        out_channels=1,
        blocks_down=(1, *[2] * (depth - 2), 4),  # MONAI's own at depth 4
        blocks_up=(1,) * (depth - 1),
    )
    return network


def _swin_unetr(spec: TrainingSpec, depth: int, in_channels: int) -> nn.Module:
    assert depth == spec.only_depth
    network: nn.Module = SwinUNETR(
        in_channels=in_channels, out_channels=1, feature_size=spec.channels, spatial_dims=spec.dimensions
    )
    return network


def _channels(spec: TrainingSpec, depth: int) -> list[int]:
    return [spec.channels * 2**level for level in range(depth)]
