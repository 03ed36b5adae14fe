"""What a depth costs: counts that do not depend on the machine, and timings that are there."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from models.networks.architectures import build_network, count_flops, count_parameters
from models.protocol import TrainingSpec
from models.training import speed
from models.training.batches import VALIDATION_BATCH
from models.training.speed import measure_complexity
from models.training.training import Training, TrainingFailed

SPEC = TrainingSpec(size=64, channels=4, batch=3, budget=60)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """These models are too small to gain from more."""
    torch.set_num_threads(1)


def test_flops_grow_with_depth_and_size() -> None:
    """A deeper network and a larger image both cost more; four times the pixels of a plain U-Net cost four times."""
    at_64 = [count_flops(SPEC, depth, 3) for depth in (3, 4, 5)]
    assert 0 < at_64[0] < at_64[1] < at_64[2]
    assert count_flops(SPEC.model_copy(update={"size": 128}), 3, 3) == 4 * at_64[0]


def test_flops_are_those_of_one_case_of_a_real_pass() -> None:
    """Counting without computing gives what a pass of a batch gives, a case."""
    model = build_network(SPEC, 3, 3).eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(torch.zeros(5, 3, 64, 64))
    assert count_flops(SPEC, 3, 3) == counter.get_total_flops() / 5


@pytest.mark.parametrize("architecture", ["attention_unet", "segresnet", "swin_unetr"])
def test_flops_of_every_architecture_are_those_of_a_real_pass(architecture: str) -> None:
    """Convolutions and products of matrices are counted alike with values and without."""
    spec = SPEC.model_copy(update={"architecture": architecture, "channels": 24})
    depth = spec.only_depth or 3
    model = build_network(spec, depth, 1).eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, 1, 64, 64))
    assert count_flops(spec, depth, 1) == counter.get_total_flops() > 0


def test_a_plain_convolution_counts_two_flops_a_multiplication(monkeypatch: pytest.MonkeyPatch) -> None:
    """A 3x3 convolution from 2 to 4 channels on 64x64 pixels."""
    monkeypatch.setattr(speed, "build_weightless", lambda *_: torch.nn.Conv2d(2, 4, 3, padding=1, device="meta"))
    assert count_flops(SPEC, 3, 2) == 2 * 9 * 2 * 4 * 64 * 64


@pytest.mark.parametrize("channels", [1, 3])
def test_a_depth_is_measured(channels: int) -> None:
    """Parameters are those of the model; both speeds are there."""
    found = measure_complexity(SPEC, 3, channels, "cpu")
    assert found.depth == 3
    assert found.parameters == count_parameters(SPEC, 3, channels)
    assert found.flops == count_flops(SPEC, 3, channels)
    assert found.inference_cases_per_second > 0
    assert found.training_seconds_per_case > 0


def test_a_depth_is_measured_in_3d() -> None:
    """By the same counters: twice the voxels of a patch cost twice the FLOPs."""
    spec = SPEC.model_copy(update={"patch": (8, 12, 8)})
    found = measure_complexity(spec, 3, 2, "cpu")
    assert found.parameters == count_parameters(spec, 3, 2) > count_parameters(SPEC, 3, 2)
    assert count_flops(spec.model_copy(update={"patch": (8, 12, 16)}), 3, 2) == 2 * found.flops > 0
    assert found.inference_cases_per_second > 0
    assert found.training_seconds_per_case > 0


def test_speeds_are_medians_a_case(monkeypatch: pytest.MonkeyPatch) -> None:
    """The warm-up does not count, and an interruption of one period does not show."""
    seconds = iter([50.0, 3.0, 3.0, 90.0, 3.0, 3.0])
    real = Training.advance

    def advance(training: Training) -> object:
        point = real(training)
        object.__setattr__(point, "train_seconds", next(seconds))
        object.__setattr__(point, "val_seconds", 2.0)
        return point

    monkeypatch.setattr(Training, "advance", advance)
    monkeypatch.setattr(speed, "ENOUGH_SECONDS", 0.0)
    found = measure_complexity(SPEC, 3, 1, "cpu")
    assert found.training_seconds_per_case == 3.0 / SPEC.batch
    assert found.inference_cases_per_second == VALIDATION_BATCH / 2.0


@pytest.mark.parametrize("rate", [1e-3, 1e30])
def test_the_learning_rate_does_not_matter(rate: float) -> None:
    """A rate that would blow a training up is measured like any other."""
    spec = SPEC.model_copy(update={"size": 16, "learning_rate": rate})
    assert measure_complexity(spec, 2, 1, "cpu").training_seconds_per_case > 0


def test_no_memory_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller learns it as from a training."""

    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(Training, "_advance", fail)
    with pytest.raises(TrainingFailed, match="out of memory"):
        measure_complexity(SPEC, 3, 1, "cpu")
