"""What the ledger hands out: frozen records, standard library only.

None of the records that a decision reads has a field for test scores; these stand apart in `Scores`, which only the
answer reads.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from storage.variants import OWN

NORMAL_90 = 1.645  # half a 90 % interval, in standard deviations
Role = Literal["grid", "repeat", "confirm"]


class CellState(StrEnum):
    """Where a cell stands. The first three are open, the others are ends."""

    WAITING = "waiting"
    CLAIMED = "claimed"
    TEST = "test"
    DONE = "done"
    PRUNED = "pruned"
    NOT_LEARNED = "not_learned"
    COLLAPSED = "collapsed"
    FAILED = "failed"

    @property
    def is_open(self) -> bool:
        """Whether the cell still has work to do."""
        return self in {CellState.WAITING, CellState.CLAIMED, CellState.TEST}


@dataclass(frozen=True)
class CellPlan:
    """One point of the grid, as it is laid out.

    Attributes:
        key: Unique within the study, made of the axis values.
        ratio: Share of the training split, in (0, 1].
        depth: Depth of the U-Net.
        seed: Draws initialisation, batch order and the order of the nested subsets.
        num_cases: Training cases that the ratio stands for.
        parameters: Trainable parameters of the network at this depth.
        role: Whether it belongs to the grid, repeats a flagged run, or confirms a recommendation with a fresh seed.
        variant: What further axes change in the protocol, as `storage/variants.py` names it.
    """

    key: str
    ratio: float
    depth: int
    seed: int
    num_cases: int
    parameters: int
    role: Role = "grid"
    variant: str = OWN


@dataclass(frozen=True)
class SkipForecast:
    """Why a cell is not trained, and the validation DSC that is forecast for one run of it; never a measured value."""

    reason: str
    mean: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Cell:
    """One cell as it stands in the ledger.

    Attributes:
        plan: What it is.
        state: Where it stands.
        attempt: Number of the current attempt, from 1.
        claims: How often it was given to a driver; the fence of every write.
        owner: Who holds it, or None.
        counter: Renewals of its lease.
        losses: Claims that ended with a lost worker.
        trial_number: Optuna's number of the current attempt.
        skip: Why it is not trained, and what is forecast instead; None for a cell that is, or may yet be, trained.
    """

    plan: CellPlan
    state: CellState
    attempt: int
    claims: int
    owner: str | None
    counter: int
    losses: int
    trial_number: int
    skip: SkipForecast | None = None


@dataclass(frozen=True)
class Claim:
    """The right to work on one cell; every write of the holder is checked against it."""

    study_id: int
    plan: CellPlan
    attempt: int
    number: int
    owner: str
    phase: str


@dataclass(frozen=True)
class Evaluation:
    """One point of a training curve.

    Attributes:
        evaluation: 1-based number of the evaluation.
        epoch: Passes over the cell's training cases so far.
        step: Optimiser steps so far.
        val_dsc: Mean DSC over validation cases.
        train_seconds: Wall seconds of training for this evaluation alone.
        val_seconds: Wall seconds of validation for this evaluation alone.
    """

    evaluation: int
    epoch: float
    step: int
    val_dsc: float
    train_seconds: float
    val_seconds: float


@dataclass(frozen=True)
class PlateauForecast:
    """What was forecast for the last evaluation when a trial was stopped; never a measured value."""

    mean: float
    lower: float
    upper: float
    method: str

    @property
    def sigma(self) -> float:
        """Standard deviation, its interval read as a normal one."""
        return (self.upper - self.lower) / (2 * NORMAL_90)


@dataclass(frozen=True)
class Scores:
    """Pixel counts at the best-validation checkpoint, for estimates only.

    Attributes:
        best_evaluation: The evaluation whose weights were scored.
        validation: (true positives, false positives, false negatives) per validation case, in the order of the split.
        test: Likewise per test case.
        seconds: Wall seconds that the test phase took.
    """

    best_evaluation: int
    validation: tuple[tuple[int, int, int], ...]
    test: tuple[tuple[int, int, int], ...]
    seconds: float


@dataclass(frozen=True)
class AttemptRecord:
    """Everything known of a cell's current attempt, for status and report.

    Attributes:
        device: "cpu" or "gpu", once a worker has reported.
        device_share: GPU fraction (or CPUs) that the trial held; device seconds = wall seconds × this.
        device_name: Name of the processor.
        lost_seconds: Device seconds that were spent and lost with a worker or driver.
        planned_steps: Optimiser steps of the full budget.
        stop_reason: Why training ended early, or None.
        forecast: What was forecast when it was stopped, or None.
        failure: Why it failed, or None.
        scores: Pixel counts, once the test phase is over.
        versions: Of the packages on the worker.
        checkpoint: Name of the newest checkpoint that the ledger knows.
        notes: What befell it: lost workers and drivers, damaged checkpoints.
        told_dsc: DSC of an imported table, a number without cases behind it.
    """

    device: str | None = None
    device_share: float = 1.0
    device_name: str | None = None
    lost_seconds: float = 0.0
    planned_steps: int = 0
    stop_reason: str | None = None
    forecast: PlateauForecast | None = None
    failure: str | None = None
    scores: Scores | None = None
    versions: dict[str, str] = field(default_factory=dict)
    checkpoint: str | None = None
    notes: tuple[str, ...] = ()
    told_dsc: float | None = None


@dataclass(frozen=True)
class CurveTotals:
    """A training curve summed up.

    Attributes:
        evaluations: How many are recorded.
        last_step: Optimiser steps up to the last of them.
        best_val_dsc: The best of them; None without any.
        train_seconds: Wall seconds of training.
        val_seconds: Wall seconds of validation.
    """

    evaluations: int = 0
    last_step: int = 0
    best_val_dsc: float | None = None
    train_seconds: float = 0.0
    val_seconds: float = 0.0


@dataclass(frozen=True)
class CellRecord:
    """A cell with its current attempt and its training curve.

    Attributes:
        cell: The cell.
        attempt: Its current attempt.
        curve: Its evaluations; left out where only their totals were read.
        test_curve: Test DSC by evaluation, of recorded surfaces only.
        known_totals: Of the curve, where that is left out.
    """

    cell: Cell
    attempt: AttemptRecord
    curve: tuple[Evaluation, ...] = ()
    test_curve: dict[int, float] = field(default_factory=dict)
    known_totals: CurveTotals | None = None

    @property
    def totals(self) -> CurveTotals:
        """The curve summed up."""
        if self.known_totals is not None or not self.curve:
            return self.known_totals or CurveTotals()
        return CurveTotals(
            len(self.curve),
            self.curve[-1].step,
            max(point.val_dsc for point in self.curve),
            sum(point.train_seconds for point in self.curve),
            sum(point.val_seconds for point in self.curve),
        )

    @property
    def device_seconds(self) -> float:
        """Device seconds of the evaluations that stand in the ledger."""
        if self.known_totals is not None:
            return self.attempt.device_share * (self.known_totals.train_seconds + self.known_totals.val_seconds)
        return self.attempt.device_share * sum(point.train_seconds + point.val_seconds for point in self.curve)

    @property
    def spent_seconds(self) -> float:
        """Device seconds with the test phase and lost work."""
        tested = 0.0 if self.attempt.scores is None else self.attempt.scores.seconds * self.attempt.device_share
        return self.device_seconds + tested + self.attempt.lost_seconds

    @property
    def best(self) -> Evaluation | None:
        """The evaluation with the best validation DSC, the first of equals."""
        return max(self.curve, key=lambda point: point.val_dsc, default=None)


@dataclass(frozen=True)
class StudyRecord:
    """One study as the ledger keeps it.

    Attributes:
        study_id: Optuna's number.
        name: Its name.
        identity: What results depend on; may only gain axis values.
        running: What may change at any start.
        fingerprint: Of the dataset.
        split: Case names of "train", "validation" and "test".
        groups: Group number of every case, in the order of train, validation, test; cases of a group stay together.
        facts: Measured once on the data: channels, `d0` (the score of "everything is foreground"), flops by depth.
    """

    study_id: int
    name: str
    identity: dict[str, Any]
    running: dict[str, Any]
    fingerprint: str
    split: dict[str, list[str]]
    groups: dict[str, int]
    facts: dict[str, Any]


@dataclass(frozen=True)
class Artifact:
    """What Optuna knows of a file.

    Attributes:
        artifact_id: Its number, and its name in the store.
        filename: What a person sees of it.
        mimetype: What it is.
    """

    artifact_id: str
    filename: str
    mimetype: str = "image/png"
