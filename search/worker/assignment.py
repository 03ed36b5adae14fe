"""What a worker is told of its study."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from storage.files.checkpoints import CheckpointFolder

if TYPE_CHECKING:
    from models.protocol import TrainingSpec
    from search.prices import Device
    from storage.data.spec import DataSpec
    from storage.records import Claim


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """What every worker of a study needs to know; it travels once, through Ray's object store.

    Attributes:
        study: Name of the study.
        dataset_folder: Prepared dataset; a node that lacks it prepares it there, from `data`.
        data: Which cases, their path absolute.
        size: Side of resized images in 2D, None in 3D.
        fingerprint: Of the study's dataset.
        split: Case names of "train", "validation" and "test".
        groups: Group number by case.
        training: The protocol, whose own variant this is.
        checkpoints: fsspec URL under which checkpoints lie.
        artifacts: fsspec URL under which overlays lie; None: none are made.
        threads: CPU threads of torch.
        device: What the trial runs on.
        device_share: GPU fraction, or CPUs, that it holds.
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
    artifacts: str | None = None
    threads: int = 1
    device: Device = "cpu"
    device_share: float = 1.0
    versions: dict[str, str] = field(default_factory=dict)

    def checkpoint_folder(self, claim: Claim) -> CheckpointFolder:
        """Where the checkpoints of a claimed cell lie."""
        return CheckpointFolder.of(self.checkpoints, self.study, claim.plan.key, claim.attempt)
