"""The disk that a study's checkpoints take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.checkpoints import KEPT_WHILE_RUNNING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storage.checkpoints import Keep
    from storage.records import CellPlan

WEIGHTS = 4  # bytes a parameter, float32
WHOLE = 4 * WEIGHTS  # weights, two moments of Adam, best weights
KEPT: dict[Keep, int] = {"none": 0, "best": WEIGHTS, "all": KEPT_WHILE_RUNNING * WHOLE}


def kept_bytes(plans: Sequence[CellPlan], keep: Keep) -> int:
    """What stays of all cells when they are done."""
    return KEPT[keep] * sum(plan.parameters for plan in plans)


def running_bytes(plans: Sequence[CellPlan], trials: int) -> int:
    """The most that so many cells take while they run: those that are kept, and one that is being written."""
    largest = sorted((plan.parameters for plan in plans), reverse=True)[:trials]
    return (KEPT_WHILE_RUNNING + 1) * WHOLE * sum(largest)
