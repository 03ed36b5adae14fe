"""What a depth costs: counts of the network, and timings that are there."""

from __future__ import annotations

import pytest
import torch

from models.networks.architectures import count_flops, count_parameters
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


@pytest.mark.parametrize("channels", [1, 3])
def test_a_depth_is_measured(channels: int) -> None:
    """Parameters are those of the model; both speeds are there."""
    complexity = measure_complexity(SPEC, 3, channels, "cpu")
    assert complexity.depth == 3
    assert complexity.parameters == count_parameters(SPEC, 3, channels)
    assert complexity.flops == count_flops(SPEC, 3, channels)
    assert complexity.inference_cases_per_second > 0
    assert complexity.training_seconds_per_case > 0


def test_a_depth_is_measured_in_3d() -> None:
    """By the same counters: twice the voxels of a patch cost twice the FLOPs."""
    spec = SPEC.model_copy(update={"patch": (8, 12, 8)})
    complexity = measure_complexity(spec, 3, 2, "cpu")
    assert complexity.parameters == count_parameters(spec, 3, 2) > count_parameters(SPEC, 3, 2)
    assert count_flops(spec.model_copy(update={"patch": (8, 12, 16)}), 3, 2) == 2 * complexity.flops > 0
    assert complexity.inference_cases_per_second > 0
    assert complexity.training_seconds_per_case > 0


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
    complexity = measure_complexity(SPEC, 3, 1, "cpu")
    assert complexity.training_seconds_per_case == 3.0 / SPEC.batch
    assert complexity.inference_cases_per_second == VALIDATION_BATCH / 2.0


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
