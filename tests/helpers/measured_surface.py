"""Measurements drawn from known data curves, and the answer to them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from search.analysis.answer import Answer, answer
from search.curves.measurements import Measurement
from search.prices import PriceSpec

if TYPE_CHECKING:
    from collections.abc import Iterable

RATIOS = (0.05, 0.1, 0.2, 0.4, 0.7, 1.0)
ASYMPTOTES = {2: 0.65, 3: 0.78, 4: 0.80}
NUM_TRAIN = 700


def cell(depth: int, ratio: float, *, seed: int = 0, noise: float = 0.01, **changes: Any) -> Measurement:
    """A finished cell of a surface that rises with depth and cases; 40 validation and 60 test cases."""
    num_cases = round(NUM_TRAIN * ratio)
    rng = np.random.default_rng([depth, num_cases, seed])
    dsc = ASYMPTOTES[depth] - 1.2 * num_cases**-0.5 + rng.normal(0, noise)
    difficulty = np.random.default_rng(0).normal(0, 0.1, 100)
    cases = dsc + difficulty - difficulty.mean() + rng.normal(0, noise, 100)
    plain = Measurement(
        key=f"depth={depth}/ratio={ratio}/seed={seed}",
        depth=depth,
        ratio=ratio,
        num_cases=num_cases,
        seed=seed,
        parameters=1000 * 4**depth,
        device="gpu",
        budget_seconds=20.0 * num_cases * depth,
        seconds_estimated=False,
        validation=cases[:40],
        test=cases[40:],
    )
    return dataclasses.replace(plain, **changes)


def surface(*, seeds: int = 1) -> list[Measurement]:
    """Every depth at every ratio."""
    return [cell(depth, ratio, seed=seed) for depth in ASYMPTOTES for ratio in RATIOS for seed in range(seeds)]


def ask(measurements: Iterable[Measurement], **changes: Any) -> Answer:
    """The answer with default prices and few replicates."""
    known: dict[str, Any] = {"num_train": NUM_TRAIN, "num_validation": 40, "num_test": 60, "prices": PriceSpec()}
    return answer(list(measurements), **known | {"replicates": 300} | changes)


def decisions(given: Answer) -> list[tuple[object, ...]]:
    """Everything in the ranking that somebody might act upon."""
    return [
        (row.rank, row.depth, row.num_cases, row.p_floor, row.eligible, row.safe, row.cost_per_dsc, row.price)
        for row in given.ranking
    ]
