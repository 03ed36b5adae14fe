"""Layers that compute what PyTorch's do, in a fraction of the time where PyTorch is slow on a CPU.

A U-Net spends much of a training step on little: PyTorch's gradient of PReLU is not vectorised, instance norm is a
batch norm of as many channels as there are planes, and the convolutions that end in the one channel of logits are
computed as if it were eight or more.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional

PLANE = 2  # dimensions
TAPS = 3  # of a kernel's side

Convolution = nn.Conv2d | nn.Conv3d | nn.ConvTranspose2d | nn.ConvTranspose3d


def quicken(network: nn.Module) -> None:
    """Replace, in place, the layers that have a quicker equal; parameters and their names stay the same.

    Equal means up to rounding, in float32.
    """
    for name, layer in list(network.named_modules()):
        quick = _quicker(layer)
        if quick is not None:
            network.set_submodule(name, quick)


def _quicker(layer: nn.Module) -> nn.Module | None:
    if isinstance(layer, nn.PReLU) and layer.num_parameters == 1:
        return OneSlope(layer)
    if isinstance(layer, nn.InstanceNorm2d | nn.InstanceNorm3d) and not layer.affine and not layer.track_running_stats:
        return ChannelNorm(layer)
    if isinstance(layer, nn.Conv2d | nn.Conv3d) and _is_plain(layer, inputs=1, stride=1):
        return OneChannel(layer)
    if isinstance(layer, nn.ConvTranspose2d | nn.ConvTranspose3d) and _is_plain(layer, inputs=None, stride=2):
        return ToOneChannel(layer)
    return None


def _is_plain(layer: Convolution, *, inputs: int | None, stride: int) -> bool:
    """Whether it has one output channel, kernels of side 3, a bias, and sides that grow by the stride exactly."""
    sides = (
        (layer.kernel_size, TAPS),
        (layer.stride, stride),
        (layer.padding, 1),
        (layer.dilation, 1),
        (layer.output_padding, stride - 1),
    )
    return (
        layer.out_channels == 1
        and inputs in (None, layer.in_channels)
        and layer.bias is not None
        and layer.padding_mode == "zeros"
        and all(set(values) == {value} for values, value in sides)
    )


class OneSlope(nn.Module):
    """PReLU with one slope for all channels."""

    def __init__(self, layer: nn.PReLU) -> None:
        """Take over the slope."""
        super().__init__()
        self.weight = layer.weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Values of any shape to as many."""
        y: torch.Tensor = _OneSlopeFunction.apply(x, self.weight)  # type: ignore[no-untyped-call] # torch gives it no types
        return y


class _OneSlopeFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, slope: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x, slope)
        return functional.leaky_relu(x, slope.item())

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x, slope = ctx.saved_tensors
        of_x = torch.ops.aten.leaky_relu_backward(gradient, x, slope.item(), self_is_result=False)
        return of_x, (gradient * x.clamp(max=0)).sum().reshape(1)


class ChannelNorm(nn.Module):
    """Instance norm without parameters: layer norm over the sides.

    A single voxel, which has no spread, becomes 0; PyTorch's raises an error.
    """

    def __init__(self, layer: nn.InstanceNorm2d | nn.InstanceNorm3d) -> None:
        """Take over what is added to the variance."""
        super().__init__()
        self.eps = layer.eps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, ...) to the same shape."""
        return functional.layer_norm(x, x.shape[2:], eps=self.eps)


class OneChannel(nn.Module):
    """A convolution from one channel to one, by kernels of side 3: each plane is a channel of its own."""

    def __init__(self, layer: nn.Conv2d | nn.Conv3d) -> None:
        """Take over kernel and bias."""
        super().__init__()
        assert layer.bias is not None
        self.weight, self.bias = layer.weight, layer.bias

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, 1, ...) to the same shape."""
        if x.ndim == PLANE + 2:
            y = _filter_planes(x[:, 0], self.weight[0, 0])
        else:  # a volume: its planes' neighbours are filtered with the other thirds of the kernel
            padded = functional.pad(x[:, 0], (0, 0, 0, 0, 1, 1))
            thirds = [_filter_planes(padded[:, k : k + x.shape[2]], self.weight[0, 0, k]) for k in range(TAPS)]
            y = thirds[0] + thirds[1] + thirds[2]
        return (y + self.bias)[:, None]


def _filter_planes(planes: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
    """Planes (..., H, W) by a kernel (3, 3), the border taken as 0."""
    channels = planes.reshape(1, -1, *planes.shape[-PLANE:])
    groups = channels.shape[1]
    kernels = kernel.expand(groups, 1, TAPS, TAPS)
    return functional.conv2d(channels, kernels, padding=1, groups=groups).view(planes.shape)


class ToOneChannel(nn.Module):
    """A transposed convolution to one channel that doubles the sides: one product a tap, then sums of shifted taps.

    Along an axis output 2i is tap 1 of input i; output 2i + 1 is tap 2 of input i and tap 0 of input i + 1.
    """

    def __init__(self, layer: nn.ConvTranspose2d | nn.ConvTranspose3d) -> None:
        """Take over kernel and bias."""
        super().__init__()
        assert layer.bias is not None
        self.weight, self.bias = layer.weight, layer.bias

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, ...) to (N, 1, twice each side)."""
        cases, _, *sides = x.shape
        dimensions = len(sides)
        kernels = self.weight.flatten(1).T.expand(cases, -1, -1)
        taps = torch.bmm(kernels, x.flatten(2)).view(cases, *[TAPS] * dimensions, *sides)
        for _ in sides:
            taps = _interleaved(taps, dimensions)
        return taps[:, None] + self.bias


def _interleaved(taps: torch.Tensor, axis: int) -> torch.Tensor:
    """(N, 3, ...) to (N, ...): the taps of an axis become twice its length; without them it is number ``axis``."""
    before, here, after = taps.unbind(1)
    of_next = functional.pad(before, [0, 0] * (before.ndim - axis - 1) + [-1, 1])
    return torch.stack([here, after + of_next], axis + 1).flatten(axis, axis + 1)
