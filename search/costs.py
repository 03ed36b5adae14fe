"""What a training will take, predicted from the seconds of those that ran."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from storage.records import CellPlan, Evaluation

PER_DEPTH = 1.3  # times as long with each further level, where nothing is known of it


@dataclass(frozen=True)
class CostModel:
    """Device seconds of full-budget trainings.

    Attributes:
        step_seconds: Of one optimiser step, by depth; empty before any evaluation, when seconds are relative.
        validation_seconds: Of one validation, by depth.
        evaluations: In a full budget.
        total_steps: Optimiser steps of a full budget, by number of training cases.
    """

    step_seconds: dict[int, float]
    validation_seconds: dict[int, float]
    evaluations: int
    total_steps: Callable[[int], int]

    def seconds(self, plan: CellPlan) -> float:
        """Of one full-budget training."""
        steps = self.total_steps(plan.num_cases)
        step = _at(self.step_seconds, plan.depth, default=1.0)
        validation = _at(self.validation_seconds, plan.depth, default=0.0)
        return steps * step + self.evaluations * validation


def cost_model(
    trainings: Iterable[tuple[CellPlan, Sequence[Evaluation]]],
    *,
    device_share: float,
    evaluations: int,
    total_steps: Callable[[int], int],
) -> CostModel:
    """Medians over all evaluations that were recorded, in device seconds."""
    steps, validations = defaultdict(list), defaultdict(list)
    for plan, curve in trainings:
        before = 0
        for point in curve:
            steps[plan.depth].append(point.train_seconds / max(1, point.step - before))
            validations[plan.depth].append(point.val_seconds)
            before = point.step
    return CostModel(
        {depth: device_share * median(values) for depth, values in steps.items()},
        {depth: device_share * median(values) for depth, values in validations.items()},
        evaluations,
        total_steps,
    )


def _at(known: dict[int, float], depth: int, default: float) -> float:
    if not known:
        return default * PER_DEPTH**depth
    nearest = min(known, key=lambda each: (abs(each - depth), each))
    return known[nearest] * PER_DEPTH ** (depth - nearest)
