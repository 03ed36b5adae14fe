"""Which cases and patches go into which batch: pure functions of seed and step, so that a resume needs no state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Corner = NDArray[np.int64]

ORDER, FLIPS, CORNERS = 3, 4, 5  # after the seed: each draws from a stream of its own


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
    draws = np.random.default_rng([seed, FLIPS, step]).integers(0, 8, len(images))
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
    draws = np.random.default_rng([seed, FLIPS, step]).integers(0, 2, (len(images), 3))
    axes = [[axis + 1 for axis in range(3) if draw[axis]] for draw in draws]
    first, second = ([torch.flip(tensor[i], axes[i]) for i in range(len(axes))] for tensor in (images, masks))
    return torch.stack(first), torch.stack(second)


def draw_corners(
    shapes: Sequence[Sequence[int]],
    foreground: Sequence[NDArray[np.int32]],
    patch: Sequence[int],
    foreground_share: float,
    rng: np.random.Generator,
) -> list[Corner]:
    """The first voxel of a patch in each volume.

    With a chance of `foreground_share` a patch is centred on a foreground voxel, as nearly as the volume's border lets
    it; else, and in a volume without foreground, it lies anywhere. Along a side that is shorter than the patch the
    volume lies in the middle of the patch, as in MONAI's sliding window, and the corner is negative.

    Args:
        shapes: (X, Y, Z) of each volume.
        foreground: Positions of each volume's foreground voxels, shape (k, 3).
        patch: Sides of the patch.
        foreground_share: From 0 to 1.
        rng: Draws.
    """
    sides = np.asarray(patch)
    return [
        _corner(np.asarray(shape) - sides, positions, sides, foreground_share, rng)
        for shape, positions in zip(shapes, foreground, strict=True)
    ]


def cut(volume: NDArray[Any], corner: Corner, out: NDArray[Any]) -> None:
    """Copy the patch at a corner, 0 where it reaches out of the volume.

    Args:
        volume: Shape (channels, X, Y, Z).
        corner: First voxel of the patch, negative where it reaches out.
        out: Takes the patch; shape (channels, *patch).
    """
    first, last = np.maximum(corner, 0), np.minimum(corner + out.shape[1:], volume.shape[1:])
    inside = (slice(None), *map(slice, first - corner, last - corner))
    if out[inside].shape != out.shape:
        out[:] = 0
    out[inside] = volume[:, *map(slice, first, last)]


def _permutation(num_cases: int, number: int, seed: int) -> NDArray[np.int64]:
    return np.random.default_rng([seed, ORDER, number]).permutation(num_cases)


def _turn(case: torch.Tensor, draw: int) -> torch.Tensor:
    """One of the eight symmetries of the square."""
    upright = torch.flip(case, (-1,)) if draw % 2 else case
    return torch.rot90(upright, draw // 2, (-2, -1))


def _corner(
    room: NDArray[np.int64],
    positions: NDArray[np.int32],
    sides: NDArray[np.int64],
    share: float,
    rng: np.random.Generator,
) -> Corner:
    last = np.maximum(room, 0)
    if rng.random() < share and len(positions):
        corner = np.clip(positions[rng.integers(len(positions))] - sides // 2, 0, last)
    else:
        corner = rng.integers(0, last, endpoint=True)
    return np.asarray(np.where(room < 0, -(-room // 2), corner), dtype=np.int64)
