"""Which cases go into which batch: a pure function of seed and step, so that a resume needs no state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from numpy.typing import NDArray


def batch_cases(num_cases: int, batch: int, step: int, seed: int) -> NDArray[np.int64]:
    """Positions of the cases in the batch of a step (from 0).

    The batches are cut from an endless stream of shuffled passes over all cases, so every batch is full, every case
    comes once a pass, and a step costs the same at every number of cases.
    """
    positions = np.arange(step * batch, (step + 1) * batch)
    passes = {int(p): _permutation(num_cases, int(p), seed) for p in np.unique(positions // num_cases)}
    return np.array([passes[int(p // num_cases)][p % num_cases] for p in positions], dtype=np.int64)


def turned(images: torch.Tensor, masks: torch.Tensor, step: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Images and masks with a flip and a quarter turn drawn for every case, the same for both.

    Args:
        images: Shape (N, channels, side, side).
        masks: Shape (N, 1, side, side).
        step: The step (from 0) that the draw belongs to.
        seed: Of the cell.
    """
    draws = np.random.default_rng([seed, 4, step]).integers(0, 8, len(images))
    first, second = ([_turn(tensor[i], int(draw)) for i, draw in enumerate(draws)] for tensor in (images, masks))
    return torch.stack(first), torch.stack(second)


def mirrored(images: torch.Tensor, masks: torch.Tensor, step: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Images and masks mirrored along axes that are drawn for every case, the same for both.

    Args:
        images: Shape (N, channels, X, Y, Z); no side is taken for another, for voxels need not be cubes.
        masks: Shape (N, 1, X, Y, Z).
        step: The step (from 0) that the draw belongs to.
        seed: Of the cell.
    """
    draws = np.random.default_rng([seed, 4, step]).integers(0, 2, (len(images), 3))
    axes = [[axis + 1 for axis in range(3) if draw[axis]] for draw in draws]
    first, second = ([torch.flip(tensor[i], axes[i]) for i in range(len(axes))] for tensor in (images, masks))
    return torch.stack(first), torch.stack(second)


def _turn(case: torch.Tensor, draw: int) -> torch.Tensor:
    """One of the eight symmetries of the square."""
    upright = torch.flip(case, (-1,)) if draw % 2 else case
    return torch.rot90(upright, draw // 2, (-2, -1))


def _permutation(num_cases: int, number: int, seed: int) -> NDArray[np.int64]:
    return np.random.default_rng([seed, 3, number]).permutation(num_cases)
