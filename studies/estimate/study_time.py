"""What a study will take before it starts: pure, from the seconds of a few steps and the cells that it lays out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from search.prices import training_price
from storage.variants import recipe_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from models.protocol import TrainingSpec
    from search.prices import Device, PriceSpec
    from storage.records import CellPlan
    from storage.variants import Recipe
    from studies.estimate.throughput import Speed

PERCENTILES = (5, 95)


@dataclass(frozen=True)
class Range:
    """A mean, and the 5th and 95th percentile of what it was taken from."""

    low: float
    mean: float
    high: float

    def times(self, factor: float) -> Range:
        """Each of them."""
        return Range(self.low * factor, self.mean * factor, self.high * factor)


def range_of(values: Sequence[float]) -> Range:
    """Of measured values, at least one."""
    low, high = np.percentile(values, PERCENTILES)
    return Range(float(low), float(np.mean(values)), float(high))


def cell_seconds(plan: CellPlan, speed: Speed, training: TrainingSpec, *, num_validation: int, num_test: int) -> Range:
    """Wall seconds of a cell: full budget, a validation an evaluation, and the test phase.

    A range takes all steps at its end of what was measured: what slows one step of a machine slows the others too.
    """
    steps = training.total_steps(plan.num_cases)
    scored = training.evaluations * num_validation + num_validation + num_test  # the test phase scores both
    step, case = range_of(speed.step_seconds), range_of(speed.case_seconds)
    return _sum([step.times(steps), case.times(scored)])


def study_seconds(
    plans: Sequence[CellPlan], speeds: Mapping[Recipe, Speed], seconds: Callable[[CellPlan, Speed], Range], slots: int
) -> tuple[Range, Range]:
    """Wall seconds of all cells one after the other, and those until the last of them ends with so many at once.

    Args:
        plans: The cells.
        speeds: By recipe, measured with as many trials at once as there will be.
        seconds: Of one cell.
        slots: Trials at once.
    """
    cells = [seconds(plan, speeds[recipe_of(plan)]) for plan in plans]
    total, longest = _sum(cells), max(cells, key=lambda cell: cell.mean)
    ends = [max(getattr(total, end) / slots, getattr(longest, end)) for end in ("low", "mean", "high")]
    return total, Range(*ends)


def price_of(device_seconds: Range, prices: PriceSpec, device: Device) -> Range:
    """Of device seconds."""
    return Range(
        *(
            training_price(prices, device=device, seconds=seconds)
            for seconds in (device_seconds.low, device_seconds.mean, device_seconds.high)
        )
    )


def _sum(ranges: Sequence[Range]) -> Range:
    return Range(*(sum(getattr(cell, end) for cell in ranges) for end in ("low", "mean", "high")))
