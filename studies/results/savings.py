"""What a study has spent, beside what the full grid would cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.variants import configuration_of

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
    """None where nothing tells what a training takes, times were not recorded, or nothing was trained by the study."""
    if findings.is_imported:
        return None
    plans = [record.cell.plan for record in findings.records if record.cell.plan.role == "grid"]
    done = [findings.measurements[plan.key] for plan in plans if plan.key in findings.measurements]
    waiting = {configuration_of(planned): planned.budget_seconds for planned in findings.planned}
    unmeasured = [configuration_of(plan) for plan in plans if plan.key not in findings.measurements]
    missing = [waiting[configuration] for configuration in unmeasured if configuration in waiting]
    if not done or len(missing) < len(unmeasured):
        return None
    savings = Savings(
        device=done[0].device,
        cells=len(plans),
        spent=findings.spent_seconds,
        measured=sum(cell.budget_seconds for cell in done if not cell.seconds_estimated),
        predicted=sum(cell.budget_seconds for cell in done if cell.seconds_estimated) + sum(missing),
    )
    return savings if savings.whole > 0 else None
