"""The task model at a given depth: MONAI's residual U-Net, or another architecture; its parameters and FLOPs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from monai.networks import nets
from torch.utils.flop_counter import FlopCounterMode

if TYPE_CHECKING:
    from torch import nn

    from models.protocol import TrainingSpec


def build_network(spec: TrainingSpec, depth: int, in_channels: int) -> nn.Module:
    """A network with one output channel of logits: (N, in_channels, *sides) to (N, 1, *sides)."""
    name, arguments = network_arguments(spec, depth, in_channels)
    network: nn.Module = getattr(nets, name)(**arguments)
    return network


def network_arguments(spec: TrainingSpec, depth: int, in_channels: int) -> tuple[str, dict[str, Any]]:
    """The name of a class in `monai.networks.nets`, and arguments for it that JSON can hold."""
    inputs = {"spatial_dims": spec.dimensions, "in_channels": in_channels, "out_channels": 1}
    levels = {"channels": [spec.channels * 2**level for level in range(depth)], "strides": [2] * (depth - 1)}
    if spec.architecture == "unet":
        return "UNet", {**inputs, **levels, "num_res_units": spec.residual_units}
    if spec.architecture == "attention_unet":
        return "AttentionUnet", {**inputs, **levels}
    if spec.architecture == "segresnet":
        blocks = {"blocks_down": [1, *[2] * (depth - 2), 4], "blocks_up": [1] * (depth - 1)}  # MONAI's own at depth 4
        return "SegResNet", {**inputs, **blocks, "init_filters": spec.channels}
    assert depth == spec.only_depth
    return "SwinUNETR", {**inputs, "feature_size": spec.channels}


def count_parameters(spec: TrainingSpec, depth: int, in_channels: int) -> int:
    """Trainable parameters of the network."""
    network = _build_weightless(spec, depth, in_channels)
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


def count_flops(spec: TrainingSpec, depth: int, in_channels: int) -> int:
    """FLOPs of one forward pass of one case, by torch's own counter, without computing anything."""
    model = _build_weightless(spec, depth, in_channels).eval()
    image = torch.empty(1, in_channels, *spec.sides, device="meta")
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(image)
    return int(counter.get_total_flops())


def _build_weightless(spec: TrainingSpec, depth: int, in_channels: int) -> nn.Module:
    """The same network on torch's device "meta", where nothing is computed."""
    if spec.architecture == "swin_unetr":  # it reads a tensor's values while it is built
        return build_network(spec, depth, in_channels).to("meta")
    with torch.device("meta"):
        return build_network(spec, depth, in_channels)
