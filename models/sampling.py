"""Which cases go into which batch: a pure function of seed and step, so that a resume needs no state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

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


def _permutation(num_cases: int, number: int, seed: int) -> NDArray[np.int64]:
    return np.random.default_rng([seed, 3, number]).permutation(num_cases)
