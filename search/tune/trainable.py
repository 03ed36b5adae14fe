"""What runs on a worker: one cell at a time, train or test, as a Ray Tune Trainable that is used again and again."""

from __future__ import annotations

import errno
import os
import platform
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import monai
import ray
import torch
from ray import tune

from models.training.training import Training
from models.training.training_data import TrainingData
from search.worker.overlays import draw_overlays
from search.worker.reports import FailureReport, TestReport, TrainReport
from search.worker.versions import node_versions, version_differences
from storage.data.dataset import Dataset
from storage.data.prepare import prepare
from storage.data.splits import nested_order
from storage.data.staging import ABOUT
from storage.errors import DataError, InputError
from storage.files.artifacts import ArtifactFolder
from storage.records import Evaluation, Scores
from storage.variants import axis_values

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from models.training.training import MeasuredPoint
    from search.worker.assignment import Assignment
    from storage.records import Artifact, Claim


NOTE_LENGTH = 1000
DISK_IS_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class CellTrainable(tune.Trainable):
    """Trains the cell of its claim to the end, and then tests it; `reset_config` hands it the next one.

    A training that the driver stops gets no further step: its cell is claimed once more, for the test alone.
    """

    def setup(self, config: dict[str, Any], assignment: Assignment) -> None:
        """Take the first claim."""
        self._assignment = assignment
        self._device_is_broken = False
        self._differs = version_differences(assignment.versions, node_versions()) if assignment.versions else None
        torch.set_num_threads(assignment.threads)
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Take the next claim. Nothing heavy happens here, so that `step` can report whatever goes wrong.

        Raises:
            RuntimeError: An earlier cell broke the device; Tune then starts a new worker.
        """
        if self._device_is_broken:
            raise RuntimeError("an earlier cell left the device unusable; this worker ends")
        self._claim: Claim = new_config["claim"]
        self._training: Training | None = None
        self._note: str | None = None
        self._evaluations_before = 0
        return True

    def step(self) -> dict[str, Any]:
        """Train to the next evaluation and checkpoint it, or run the test phase."""
        report: TrainReport | TestReport | FailureReport
        try:
            report = self._work()
        except InputError as error:
            report = FailureReport(f"on node {platform.node()}: {error}"[:NOTE_LENGTH], node_is_unfit=True)
        except Exception as error:  # noqa: BLE001 - whatever a cell dies of is its recorded reason, not the study's end
            self._device_is_broken = isinstance(error, torch.AcceleratorError)
            is_full = isinstance(error, OSError) and error.errno in DISK_IS_FULL
            report = FailureReport(f"{type(error).__name__}: {error}"[:NOTE_LENGTH], is_full)
        return {"report": report, "done": not isinstance(report, TrainReport)}

    def cleanup(self) -> None:
        """Let go of the model."""
        self._training = None

    def _work(self) -> TrainReport | TestReport:
        if self._differs is not None:  # from the driver's versions: what this node measured would not compare
            raise InputError(self._differs)
        trained = self._training is not None and self._training.is_finished
        return self._train() if self._claim.phase == "train" and not trained else self._test()

    def _train(self) -> TrainReport:
        name, training = self._resumed()
        if name is None or not training.is_finished:  # a finished one was checkpointed, but its report was lost
            training.advance()
            folder = self._assignment.checkpoint_folder(self._claim)
            name = folder.save(self._claim.number, len(training.curve), training.state())
        return TrainReport(
            curve=tuple(_evaluation(point) for point in training.curve),
            test_curve={point.evaluation: point.test_dsc for point in training.curve if point.test_dsc is not None},
            checkpoint=name,
            worker=self._worker(training),
            finished=training.is_finished,
            note=self._note,
        )

    def _test(self) -> TestReport:
        training = self._resumed()[1]
        if not training.curve:
            raise FileNotFoundError("no whole checkpoint is left to test; retrain the cell")
        started = time.perf_counter()
        while len(training.curve) < self._evaluations_before:  # the newest checkpoint is damaged
            training.advance()
        best = max(training.curve, key=lambda point: point.val_dsc)
        validation, test = training.score_best()
        artifacts, note = self._show(training, test)
        seconds = time.perf_counter() - started
        scores = Scores(best.evaluation, _triples(validation.tolist()), _triples(test.tolist()), seconds)
        return TestReport(scores, artifacts, note)

    def _show(self, training: Training, counts: ArrayLike) -> tuple[tuple[Artifact, ...], str | None]:
        """Write the overlays, or say why there are none: a cell is measured without them too."""
        assignment, claim = self._assignment, self._claim
        if assignment.artifacts is None:
            return (), None
        dataset = Dataset.open(Path(assignment.dataset_folder))
        try:
            overlays = draw_overlays(training, dataset, assignment.split["test"], counts, assignment.data.spacing)
            assignment.checkpoint_folder(claim).refuse_late(claim.number)
            folder = ArtifactFolder.of(assignment.artifacts, assignment.study, claim.plan.key, claim.attempt)
            return folder.save(claim.number, overlays), None
        except OSError as error:
            return (), f"its overlays could not be written: {error}"[:NOTE_LENGTH]

    def _resumed(self) -> tuple[str | None, Training]:
        """The training of this claim, and the checkpoint that it was resumed from when it had not begun here."""
        self._note = None  # a note goes out once, with the first report
        if self._training is not None:
            return None, self._training
        folder = self._assignment.checkpoint_folder(self._claim)
        folder.begin(self._claim.number)
        newest = folder.load_newest()
        self._note, self._evaluations_before = newest.note, newest.evaluation
        self._training = _begin(self._assignment, self._claim)
        if newest.name is not None:
            self._training.resume(newest.files)
        return newest.name, self._training

    def _worker(self, training: Training) -> dict[str, Any]:
        return {
            "device": self._assignment.device,
            "device_share": self._assignment.device_share,
            "device_name": _device_name(self._assignment.device),
            "planned_steps": training.total_steps,
            "versions": {"torch": torch.__version__, "monai": monai.__version__, "ray": ray.__version__},
        }


def _begin(assignment: Assignment, claim: Claim) -> Training:
    dataset = _dataset(assignment)
    order = nested_order(assignment.split["train"], assignment.groups, claim.plan.seed)
    data = TrainingData(
        images=dataset.images(),
        masks=dataset.masks(),
        train=dataset.indices(order[: claim.plan.num_cases]),
        validation=dataset.indices(assignment.split["validation"]),
        test=dataset.indices(assignment.split["test"]),
        foreground=dataset.foreground() if dataset.dimensions == 3 else None,  # noqa: PLR2004 - axes
    )
    device = "cuda" if assignment.device == "gpu" else "cpu"
    protocol = assignment.training.varied(axis_values(claim.plan.variant))
    return Training(protocol, claim.plan.depth, claim.plan.seed, data, device)


def _dataset(assignment: Assignment) -> Dataset:
    """The prepared dataset; a node that lacks it makes it on first use, one process for all, the others wait.

    Raises:
        InputError: This node cannot read the data, or they are not those of the study.
    """
    folder = Path(assignment.dataset_folder)
    if not (folder / ABOUT).exists():
        dataset = prepare(assignment.data, assignment.size, folder.parent)
        if dataset.fingerprint != assignment.fingerprint:
            raise DataError(
                f"the data in {assignment.data.path} are not those of the study (fingerprint "
                f"{dataset.fingerprint[:12]}, not {assignment.fingerprint[:12]}); bring the same files to every node "
                "([data] path)"
            )
        return dataset
    return Dataset.open(folder)


def _evaluation(point: MeasuredPoint) -> Evaluation:
    return Evaluation(point.evaluation, point.epoch, point.step, point.val_dsc, point.train_seconds, point.val_seconds)


def _triples(counts: list[list[int]]) -> tuple[tuple[int, int, int], ...]:
    return tuple((tp, fp, fn) for tp, fp, fn in counts)


def _device_name(device: str) -> str:
    if device == "gpu":
        return torch.cuda.get_device_name()
    return platform.processor() or f"{platform.machine()}, {os.cpu_count()} cores"
