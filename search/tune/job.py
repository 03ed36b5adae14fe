"""What a driver is told to run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from search.policy.decision_spec import DecisionSpec
    from search.prices import Device
    from search.resources import ResourceSpec
    from search.worker.assignment import Assignment
    from storage.files.checkpoints import Keep
    from storage.records import Claim


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is to be run of a study, beside what its ledger holds.

    Attributes:
        assignment: What every worker is told.
        decision_spec: What decisions follow.
        resources: What a trial holds, and how long silence and losses are borne.
        keep: What stays of a closed cell's checkpoints.
        wait_for_others: Whether to wait for cells that other drivers hold.
    """

    assignment: Assignment
    decision_spec: DecisionSpec
    resources: ResourceSpec
    keep: Keep
    wait_for_others: bool

    def on(self, device: Device, share: float, versions: dict[str, str] | None = None) -> Job:
        """The same on a cluster, once it is known what a trial runs on there.

        Args:
            device: Of the trials.
            share: GPU fraction, or CPUs, of a trial.
            versions: What every node must run; None where the driver's own processes work.
        """
        return replace(
            self,
            assignment=replace(self.assignment, device=device, device_share=share, versions=versions or {}),
            decision_spec=replace(self.decision_spec, device=device, device_share=share),
        )

    def close_checkpoints(self, claim: Claim) -> None:
        """Leave of a closed cell's checkpoints what is to be kept."""
        self.assignment.checkpoint_folder(claim).close(self.keep)
