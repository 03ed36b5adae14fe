"""What a depth costs before a study begins: its parameters and FLOPs, and the seconds that it takes on this machine."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models.networks.architectures import count_flops, count_parameters
from models.training.batches import VALIDATION_BATCH
from models.training.training import Training
from models.training.training_data import TrainingData

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.protocol import TrainingSpec
    from models.training.training import MeasuredPoint

LEAST_PERIODS, MOST_PERIODS = 5, 100
ENOUGH_SECONDS = 2.0  # of measuring a depth, once the least periods are done
STEPS_ON_GPU = 10  # a GPU is fed ahead: a step that is waited for takes longer than one among others
CALM = 1e-6  # a learning rate at which noise cannot blow the loss up


@dataclass(frozen=True)
class Complexity:
    """One row of Table 1 of Lee et al. 2025; in 3D a case is one patch.

    Attributes:
        depth: Levels of the U-Net.
        parameters: Trainable ones.
        flops: Of one forward pass of one case: those of the convolutions, a multiplication and an addition being two.
        inference_cases_per_second: In batches, scoring included, as a validation does it.
        training_seconds_per_case: One optimiser step, divided by its batch.
    """

    depth: int
    parameters: int
    flops: int
    inference_cases_per_second: float
    training_seconds_per_case: float


def measure_complexity(spec: TrainingSpec, depth: int, in_channels: int, device: str) -> Complexity:
    """Count, and time real periods of a training on noise: medians, after a warm-up.

    Args:
        spec: The protocol.
        depth: Levels of the U-Net.
        in_channels: Channels of the images.
        device: "cpu" (with torch's threads as they stand) or "cuda".

    Raises:
        TrainingFailed: Memory ran out.
    """
    steps = 1 if device == "cpu" else STEPS_ON_GPU
    cases = steps * (VALIDATION_BATCH if spec.patch is None else spec.batch)
    points = _periods(spec, depth, drawn_data(spec, cases, in_channels, spec.sides), device, steps)
    return Complexity(
        depth=depth,
        parameters=count_parameters(spec, depth, in_channels),
        flops=count_flops(spec, depth, in_channels),
        inference_cases_per_second=cases / statistics.median(point.val_seconds for point in points),
        training_seconds_per_case=statistics.median(point.train_seconds for point in points) / (steps * spec.batch),
    )


def drawn_data(spec: TrainingSpec, cases: int, channels: int, sides: Sequence[int]) -> TrainingData:
    """Noise of so many cases, all of them for training and for validation, in arrays as a dataset holds them."""
    rng = np.random.default_rng(0)
    every = np.arange(cases)
    images = rng.integers(0, 256, (cases, channels, *sides), dtype=np.uint8)
    masks = rng.integers(0, 2, (cases, 1, *sides), dtype=np.uint8)
    return TrainingData(
        images=images if spec.patch is None else images.astype(np.float16),
        masks=masks,
        train=every,
        validation=every,
        test=every[:0],
        foreground=None if spec.patch is None else [np.argwhere(mask[0]).astype(np.int32) for mask in masks],
    )


def _periods(spec: TrainingSpec, depth: int, data: TrainingData, device: str, steps: int) -> list[MeasuredPoint]:
    evaluations = 1 + MOST_PERIODS
    changes = {"unit": "steps", "budget": steps * evaluations, "evaluations": evaluations}
    timed = spec.model_copy(update={**changes, "learning_rate": CALM, "record_test_curve": False})
    training = Training(timed, depth, 0, data, device)
    training.advance()  # the warm-up
    points: list[MeasuredPoint] = []
    started = time.perf_counter()
    while len(points) < LEAST_PERIODS or (
        len(points) < MOST_PERIODS and time.perf_counter() - started < ENOUGH_SECONDS
    ):
        points.append(training.advance())
    return points
