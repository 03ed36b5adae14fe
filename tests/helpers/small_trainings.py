"""Trainings of a second on drawn cases, in 2D and in 3D, and what tells two of them apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from models.protocol import TrainingSpec
from models.training.training import Training
from models.training.training_data import TrainingData

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Weights = dict[str, NDArray[np.float32]]

SPEC = TrainingSpec(size=16, budget=12, evaluations=4, batch=4, channels=4, learning_rate=1e-2)
SOLID = TrainingSpec(
    patch=(8, 12, 8), budget=8, evaluations=4, batch=3, channels=4, residual_units=1, learning_rate=3e-2
)
SIDE = 16


def bright_squares() -> TrainingData:
    """Twenty noisy pictures with a bright square each: 10 for training, 6 for validation, 4 for the test."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 100, (20, 1, SIDE, SIDE), dtype=np.uint8)
    masks = np.zeros((20, 1, SIDE, SIDE), dtype=np.uint8)
    for mask, (row, column) in zip(masks, rng.integers(0, 9, (20, 2)), strict=True):
        mask[0, row : row + 7, column : column + 7] = 1
    images += 120 * masks
    return TrainingData(images, masks, np.arange(10), np.arange(10, 16), np.arange(16, 20))


def bright_cubes() -> TrainingData:
    """Twelve noisy volumes of differing sizes, some smaller than the patch, with a bright cube each."""
    rng = np.random.default_rng(0)
    images, masks = [], []
    for _ in range(12):
        shape = rng.integers(7, 16, 3)
        mask = np.zeros((1, *shape), dtype=np.uint8)
        mask[0, *(slice(at, at + 4) for at in rng.integers(0, shape - 3))] = 1
        images.append((rng.standard_normal((2, *shape)) + 3 * mask).astype(np.float16))
        masks.append(mask)
    foreground = [np.argwhere(mask[0]).astype(np.int32) for mask in masks]
    return TrainingData(images, masks, np.arange(6), np.arange(6, 9), np.arange(9, 12), foreground)


DATA, VOLUMES = bright_squares(), bright_cubes()


def begin(spec: TrainingSpec = SPEC, *, seed: int = 0) -> Training:
    """A training that has not begun."""
    return Training(spec, 3, seed, DATA if spec.patch is None else VOLUMES, "cpu")


def run(training: Training) -> Training:
    """Train to the end of the budget."""
    while not training.is_finished:
        training.advance()
    return training


def scores_of(training: Training) -> list[tuple[Any, ...]]:
    """The curve without its seconds."""
    return [(p.evaluation, p.epoch, p.step, p.val_dsc, p.test_dsc) for p in training.curve]


def weights_of(training: Training) -> Weights:
    """The weights as they stand."""
    return {name: tensor.numpy().copy() for name, tensor in training._model.state_dict().items()}


def same(one: Weights, two: Weights) -> bool:
    """Whether all weights are equal, bit for bit."""
    return one.keys() == two.keys() and all(np.array_equal(one[name], two[name]) for name in one)


def undisturbed_training() -> tuple[Training, Weights]:
    """A training from start to end, and its last weights."""
    torch.set_num_threads(1)
    training = run(begin())
    return training, weights_of(training)
