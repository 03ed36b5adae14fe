"""The task model: its size, what a pass costs, and which images it takes."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from models.networks import architectures
from models.networks.architectures import build_network, count_flops, count_parameters
from models.protocol import CHANNELS_DIVIDE_BY, MAX_DEPTH, MIN_DEPTH, TrainingSpec, fits, smallest_side

SMALL = TrainingSpec(channels=2, size=8)
SOLID = TrainingSpec(channels=2, patch=(8, 8, 8))
PICTURES = TrainingSpec(channels=4, size=64)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """These models are too small to gain from more."""
    torch.set_num_threads(1)


@pytest.mark.parametrize(("depth", "parameters"), [(3, 95_748), (4, 401_864), (5, 1_625_420), (6, 6_517_840)])
def test_parameters_are_those_of_the_published_model(depth: int, parameters: int) -> None:
    """16 channels, doubled each level, two convolutions a block, RGB in, one logit out."""
    assert count_parameters(TrainingSpec(), depth, 3) == parameters


@pytest.mark.parametrize(("depth", "parameters"), [(3, 283_254), (5, 4_808_126)])
def test_parameters_of_the_model_of_volumes(depth: int, parameters: int) -> None:
    """Four modalities in, one logit out."""
    assert count_parameters(TrainingSpec(patch=(128, 128, 128)), depth, 4) == parameters


def test_counting_allocates_nothing_and_agrees_with_the_model() -> None:
    """The number is that of a model that is really built."""
    model = build_network(SMALL, 3, 1)
    assert count_parameters(SMALL, 3, 1) == sum(p.numel() for p in model.parameters())


def test_one_logit_a_pixel() -> None:
    """(N, channels, H, W) becomes (N, 1, H, W), unbounded."""
    model = build_network(SMALL, 3, 3)
    assert model(torch.zeros(2, 3, 16, 16)).shape == (2, 1, 16, 16)


SQUARES = tuple((side, side) for side in (8, 10, 12, 16, 20, 24, 30, 32, 40, 48, 56, 60, 64))
PATCHES = ((8, 8, 8), (8, 12, 8), (4, 4, 4), (4, 8, 4), (16, 16, 4), (16, 8, 10), (4, 16, 16))


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("architecture", sorted(CHANNELS_DIVIDE_BY))
def test_every_architecture_trains_where_it_fits(architecture: str, dimensions: int) -> None:
    """A logit a pixel on the smallest images that are admitted, and a gradient for every weight."""
    channels = CHANNELS_DIVIDE_BY[architecture] * 2
    patch = None if dimensions == 2 else (8, 8, 8)
    spec = TrainingSpec.model_validate({"architecture": architecture, "channels": channels, "size": 8, "patch": patch})
    depth = spec.only_depth or 3
    sides = (smallest_side(depth), *[2 ** (depth - 1)] * (dimensions - 1))
    assert fits(depth, sides)
    torch.manual_seed(0)
    network = build_network(spec, depth, 2).train()
    logits = network(torch.rand(1, 2, *sides))
    assert logits.shape == (1, 1, *sides)
    torch.autograd.backward(logits.square().mean())
    assert all(parameter.grad is not None for parameter in network.parameters())
    assert count_parameters(spec, depth, 2) == sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize("depth", range(MIN_DEPTH, 7))
@pytest.mark.parametrize("sides", [*SQUARES, *PATCHES], ids=lambda sides: "x".join(map(str, sides)))
def test_what_fits_is_what_trains(depth: int, sides: tuple[int, ...]) -> None:
    """A spec is refused exactly where a step of training would fail, or change the image's size."""
    torch.manual_seed(0)
    model = build_network(SMALL if len(sides) == 2 else SOLID, depth, 1).train()
    images = torch.rand(1, 1, *sides)
    try:
        logits = model(images)
        torch.autograd.backward(logits.mean())
        runs = logits.shape == images.shape
    except (RuntimeError, ValueError):
        runs = False
    assert fits(depth, sides) == runs


def test_the_deepest_model_is_counted() -> None:
    """Every depth that a grid may name can be built."""
    assert count_parameters(TrainingSpec(), MAX_DEPTH, 3) > count_parameters(TrainingSpec(), MAX_DEPTH - 1, 3)


def test_flops_grow_with_depth_and_size() -> None:
    """A deeper network and a larger image both cost more; four times the pixels of a plain U-Net cost four times."""
    at_64 = [count_flops(PICTURES, depth, 3) for depth in (3, 4, 5)]
    assert 0 < at_64[0] < at_64[1] < at_64[2]
    assert count_flops(PICTURES.model_copy(update={"size": 128}), 3, 3) == 4 * at_64[0]


def test_flops_are_those_of_one_case_of_a_real_pass() -> None:
    """Counting without computing gives what a pass of a batch gives, a case."""
    model = build_network(PICTURES, 3, 3).eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(torch.zeros(5, 3, 64, 64))
    assert count_flops(PICTURES, 3, 3) == counter.get_total_flops() / 5


@pytest.mark.parametrize("architecture", ["attention_unet", "segresnet", "swin_unetr"])
def test_flops_of_every_architecture_are_those_of_a_real_pass(architecture: str) -> None:
    """Convolutions and products of matrices are counted alike with values and without."""
    spec = PICTURES.model_copy(update={"architecture": architecture, "channels": 24})
    depth = spec.only_depth or 3
    model = build_network(spec, depth, 1).eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 1, 64, 64))
    assert count_flops(spec, depth, 1) == counter.get_total_flops() > 0


def test_a_plain_convolution_counts_two_flops_a_multiplication(monkeypatch: pytest.MonkeyPatch) -> None:
    """A 3x3 convolution from 2 to 4 channels on 64x64 pixels."""
    monkeypatch.setattr(
        architectures, "_build_weightless", lambda *_: torch.nn.Conv2d(2, 4, 3, padding=1, device="meta")
    )
    assert count_flops(PICTURES, 3, 2) == 2 * 9 * 2 * 4 * 64 * 64
