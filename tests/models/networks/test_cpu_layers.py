"""Quicker layers are PyTorch's own: values, gradients, names."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from models.networks.architectures import build_network
from models.networks.cpu_layers import ChannelNorm, OneChannel, OneSlope, ToOneChannel, quicken
from models.protocol import TrainingSpec

PICTURES = TrainingSpec(size=32, channels=4)
VOLUMES = TrainingSpec(patch=(16, 24, 16), channels=4)
KERNEL = {"kernel_size": 3, "padding": 1}
UP = {**KERNEL, "stride": 2, "output_padding": 1}
LAYERS = [
    (nn.PReLU(), OneSlope, [3, 4, 5]),
    (nn.PReLU(init=-0.5), OneSlope, [2, 5]),
    (nn.InstanceNorm2d(3), ChannelNorm, [3, 4, 5]),
    (nn.InstanceNorm3d(2, eps=0.1), ChannelNorm, [2, 2, 1, 3]),
    (nn.Conv2d(1, 1, **KERNEL), OneChannel, [1, 5, 4]),
    (nn.Conv3d(1, 1, **KERNEL), OneChannel, [1, 4, 3, 5]),
    (nn.ConvTranspose2d(6, 1, **UP), ToOneChannel, [6, 3, 5]),
    (nn.ConvTranspose3d(6, 1, **UP), ToOneChannel, [6, 3, 2, 4]),
    (nn.ConvTranspose2d(1, 1, **UP), ToOneChannel, [1, 1, 1]),
]


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> None:
    """These layers are too small to gain from more."""
    torch.set_num_threads(1)


def check_equal(plain: nn.Module, quick: nn.Module, x: torch.Tensor, within: float) -> None:
    """The same values, and the same gradients of input and parameters, of a sum with weights of its own."""
    results: list[list[Any]] = []
    for network in (plain, quick):
        given_x = x.clone().requires_grad_()
        y = network(given_x)
        weights = torch.linspace(-1, 2, y.numel(), dtype=y.dtype).view(y.shape)
        results.append([y, *torch.autograd.grad((y * weights).sum(), [given_x, *network.parameters()])])
    largest = max(float(value.detach().abs().max()) for value in results[0])
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(other, one, rtol=0, atol=within * largest)


@pytest.mark.parametrize(("layer", "kind", "sides"), LAYERS, ids=str)
@settings(max_examples=10)
@given(cases=st.integers(1, 3), seed=st.integers(0, 1000))
def test_a_quick_layer_is_equal(layer: nn.Module, kind: type, sides: list[int], cases: int, seed: int) -> None:
    """In double precision to 12 digits: values, gradient of the input, gradients of all parameters."""
    plain = nn.Sequential(copy.deepcopy(layer)).double()
    quick = copy.deepcopy(plain)
    quicken(quick)
    assert isinstance(quick[0], kind)
    x = torch.randn(cases, *sides, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    check_equal(plain, quick, x, 1e-12)


@pytest.mark.parametrize("residual_units", [0, 1, 2])
@pytest.mark.parametrize("spec", [PICTURES, VOLUMES], ids=["2D", "3D"])
def test_a_quick_network_is_equal(spec: TrainingSpec, residual_units: int) -> None:
    """A whole U-Net computes the same, has the same parameters under the same names, and ends in quick layers."""
    plain = build_network(spec.model_copy(update={"residual_units": residual_units}), 3, 2).double()
    quick = copy.deepcopy(plain)
    quicken(quick)
    assert {name: value.shape for name, value in quick.state_dict().items()} == {
        name: value.shape for name, value in plain.state_dict().items()
    }
    kinds = {type(layer) for layer in quick.modules()}
    assert {OneSlope, ChannelNorm, ToOneChannel} | ({OneChannel} if residual_units else set()) <= kinds
    sides = spec.patch or (spec.size, spec.size)
    x = torch.rand(2, 2, *sides, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    check_equal(plain, quick, x, 1e-9)


@pytest.mark.parametrize(
    "layer",
    [
        nn.PReLU(4),
        nn.InstanceNorm2d(3, affine=True),
        nn.InstanceNorm2d(3, track_running_stats=True),
        nn.Conv2d(1, 2, **KERNEL),
        nn.Conv2d(2, 1, **KERNEL),
        nn.Conv2d(1, 1, 3),
        nn.Conv2d(1, 1, 3, padding=1, stride=2),
        nn.Conv2d(1, 1, 3, padding=1, bias=False),
        nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect"),
        nn.Conv2d(1, 1, 3, padding="same"),
        nn.Conv2d(1, 1, (3, 5), padding=(1, 1)),
        nn.ConvTranspose2d(4, 2, **UP),
        nn.ConvTranspose2d(4, 1, 3, padding=1, stride=2),
        nn.ConvTranspose2d(4, 1, 2, stride=2),
        nn.ReLU(),
    ],
    ids=str,
)
def test_other_layers_stay(layer: nn.Module) -> None:
    """What has no quicker equal is left alone."""
    network = nn.Sequential(layer)
    quicken(network)
    assert network[0] is layer


def test_a_value_that_is_no_number_stays_one() -> None:
    """A NaN is not hidden: the training that meets it has to fail."""
    for layer, _, sides in LAYERS:
        network = nn.Sequential(copy.deepcopy(layer))
        quicken(network)
        assert torch.isnan(network(torch.full((1, *sides), torch.nan))).any()
