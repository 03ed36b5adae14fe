"""What a training will take, predicted from the seconds of those that ran."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from storage.variants import recipe_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from storage.records import CellPlan, Evaluation
    from storage.variants import Recipe

PER_DEPTH = 1.3  # times as long with each further level, where nothing is known of it


@dataclass(frozen=True)
class CostModel:
    """Device seconds of full-budget trainings.

    Attributes:
        step_seconds: Of one optimiser step, by recipe; empty before any evaluation, when seconds are relative.
        validation_seconds: Of one validation, by recipe.
        evaluations: In a full budget.
        total_steps: Optimiser steps of a full budget, by number of training cases.
    """

    step_seconds: dict[Recipe, float]
    validation_seconds: dict[Recipe, float]
    evaluations: int
    total_steps: Callable[[int], int]

    def seconds(self, plan: CellPlan) -> float:
        """Of one full-budget training."""
        steps = self.total_steps(plan.num_cases)
        step = _at(self.step_seconds, recipe_of(plan), default=1.0)
        validation = _at(self.validation_seconds, recipe_of(plan), default=0.0)
        return steps * step + self.evaluations * validation


def cost_model(
    trainings: Iterable[tuple[CellPlan, Sequence[Evaluation]]],
    *,
    device_share: float,
    evaluations: int,
    total_steps: Callable[[int], int],
) -> CostModel:
    """Medians over all evaluations that were recorded, in device seconds."""
    steps: dict[Recipe, list[float]] = defaultdict(list)
    validations: dict[Recipe, list[float]] = defaultdict(list)
    for plan, curve in trainings:
        before, recipe = 0, recipe_of(plan)
        for point in curve:
            steps[recipe].append(point.train_seconds / max(1, point.step - before))
            validations[recipe].append(point.val_seconds)
            before = point.step
    return CostModel(
        {recipe: device_share * median(values) for recipe, values in steps.items()},
        {recipe: device_share * median(values) for recipe, values in validations.items()},
        evaluations,
        total_steps,
    )


def _at(known: dict[Recipe, float], recipe: Recipe, default: float) -> float:
    """Of the recipe; else of the nearest depth of its variant, and before any of that, of another variant."""
    if not known:
        return default * PER_DEPTH**recipe.depth
    same = [timed for timed in known if timed.variant == recipe.variant] or list(known)
    nearest = min(same, key=lambda timed: (abs(timed.depth - recipe.depth), timed.depth, timed.variant))
    return known[nearest] * PER_DEPTH ** (recipe.depth - nearest.depth)
