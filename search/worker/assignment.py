"""What a worker is told of its study, and what it reports after each step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from storage.files.checkpoints import CheckpointFolder

if TYPE_CHECKING:
    from models.protocol import TrainingSpec
    from storage.data.spec import DataSpec
    from storage.records import Artifact, Claim, Evaluation, Scores


@dataclass(frozen=True)
class Assignment:
    """What every worker of a study needs to know; it travels once, through Ray's object store.

    Attributes:
        study: Name of the study.
        dataset_folder: Prepared dataset; a node that lacks it prepares it there, from `data`.
        data: Which cases, their path absolute.
        size: Side of resized images in 2D.
        fingerprint: Of the study's dataset.
        split: Case names of "train", "validation" and "test".
        groups: Group number by case.
        training: The protocol, whose own variant this is.
        checkpoints: fsspec URL under which checkpoints lie.
        device: "cpu" or "gpu".
        device_share: GPU fraction, or CPUs, that a trial holds.
        threads: CPU threads of torch.
        artifacts: fsspec URL under which overlays lie; None: none are made.
        spacing: Sides of a voxel in mm that all volumes were resampled to, or None.
        versions: What every node must run, by `node_versions`; empty where the driver's own processes work.
    """

    study: str
    dataset_folder: str
    data: DataSpec
    size: int | None
    fingerprint: str
    split: dict[str, list[str]]
    groups: dict[str, int]
    training: TrainingSpec
    checkpoints: str
    device: str
    device_share: float
    threads: int
    artifacts: str | None = None
    spacing: tuple[float, ...] | None = None
    versions: dict[str, str] = field(default_factory=dict)

    def checkpoint_folder(self, claim: Claim) -> CheckpointFolder:
        """Where the checkpoints of a claimed cell lie."""
        return CheckpointFolder.of(self.checkpoints, self.study, claim.plan.key, claim.attempt)


@dataclass(frozen=True)
class TrainReport:
    """After one evaluation: the curve so far, and the checkpoint that holds it."""

    curve: tuple[Evaluation, ...]
    test_curve: dict[int, float]
    checkpoint: str
    worker: dict[str, Any]
    finished: bool
    note: str | None = None


@dataclass(frozen=True)
class TestReport:
    """After the test phase: pixel counts at the best-validation weights, and the overlays that were written."""

    scores: Scores
    artifacts: tuple[Artifact, ...] = ()
    note: str | None = None


@dataclass(frozen=True)
class FailureReport:
    """The cell cannot go on, and why; a full disk, or a node that lacks something, is no fault of the cell."""

    reason: str
    disk_is_full: bool = False
    node_is_unfit: bool = False
