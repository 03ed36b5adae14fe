"""What a study has spent, beside what the full grid would cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.variants import recipe_of

if TYPE_CHECKING:
    from search.prices import Device
    from studies.results.findings import Findings


@dataclass(frozen=True)
class Savings:
    """Device seconds.

    Attributes:
        device: That all are of.
        cells: Of the grid, without repeats and confirmations.
        spent: By the whole study, lost work included.
        measured: Full trainings of the grid that ran to their end.
        predicted: Of the others: estimated for those that were stopped, predicted for those that were not trained.
    """

    device: Device
    cells: int
    spent: float
    measured: float
    predicted: float

    @property
    def whole(self) -> float:
        """The full grid."""
        return self.measured + self.predicted

    @property
    def share(self) -> float:
        """Spent, as a share of the full grid."""
        return self.spent / self.whole


def savings_of(findings: Findings) -> Savings | None:
    """None where nothing tells what a training takes, or times were not recorded."""
    grid = [record for record in findings.records if record.cell.plan.role == "grid"]
    keys = [record.cell.plan.key for record in grid]
    done = [findings.measurements[key] for key in keys if key in findings.measurements]
    waiting = {(recipe_of(each), each.num_cases): each.budget_seconds for each in findings.planned}
    plans = [record.cell.plan for record in grid if record.cell.plan.key not in findings.measurements]
    missing = [waiting[where] for plan in plans if (where := (recipe_of(plan), plan.num_cases)) in waiting]
    if not done or len(missing) < len(plans):
        return None
    found = Savings(
        device=done[0].device,
        cells=len(grid),
        spent=findings.spent_seconds,
        measured=sum(each.budget_seconds for each in done if not each.seconds_estimated),
        predicted=sum(each.budget_seconds for each in done if each.seconds_estimated) + sum(missing),
    )
    return found if found.whole > 0 else None
