"""How fast trials are side by side on this machine: real trainings, a process each, for some seconds.

A trial's worker does no more than these processes but for its checkpoint and its report, which run apart from what a
study counts as training.
"""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from threading import BrokenBarrierError
from typing import TYPE_CHECKING, Self

import numpy as np
import torch

from models.training.batches import VALIDATION_BATCH
from models.training.speed import CALM, STEPS_ON_GPU, drawn_data
from models.training.training import Training, TrainingFailed
from models.training.training_data import TrainingData
from storage.data.dataset import Dataset
from storage.variants import axis_values

if TYPE_CHECKING:
    from multiprocessing.synchronize import Barrier
    from types import TracebackType

    from models.protocol import TrainingSpec
    from search.prices import Device
    from storage.variants import Recipe

LEAST_PERIODS = 4
VALIDATED_VOLUMES = 2  # of a period in 3D: a whole validation would take minutes
DRAWN_VOLUME = 1.25  # sides of a drawn volume, in sides of the patch
CANNOT = (TrainingFailed, MemoryError, RuntimeError)  # torch's own errors, of a full device too, are the last
WAIT_SECONDS = 600.0  # for the processes beside it: to compile takes its time


@dataclass(frozen=True)
class TrialSetup:
    """What the trainings are measured on.

    Attributes:
        training: The protocol, whose variants are trained.
        channels: Of the images.
        folder: Prepared dataset; None: arrays are drawn.
        train: Names of training cases.
        validation: Names of validation cases.
    """

    training: TrainingSpec
    channels: int
    folder: str | None = None
    train: tuple[str, ...] = ()
    validation: tuple[str, ...] = ()


@dataclass(frozen=True)
class Speed:
    """What so many trials at once took, each on its own.

    Attributes:
        recipe: What was trained.
        batch: Cases a step.
        trials: At once.
        step_seconds: Wall seconds of an optimiser step, as often as it was measured, over all trials.
        case_seconds: Of the validation of one case, likewise.
        failure: Why it could not be measured, or None.
    """

    recipe: Recipe
    batch: int
    trials: int
    step_seconds: tuple[float, ...] = ()
    case_seconds: tuple[float, ...] = ()
    failure: str | None = None

    @property
    def cases_per_second(self) -> float:
        """Trained on by all trials together."""
        return self.trials * self.batch / float(np.mean(self.step_seconds))


class Trials:
    """So many processes that train at once, for a `with` block; each is started once, for all that it measures."""

    def __init__(self, setup: TrialSetup, *, trials: int, device: Device, threads: int) -> None:
        """Nothing is started yet."""
        self._setup, self._trials, self._device, self._threads = setup, trials, device, threads

    def __enter__(self) -> Self:
        """Make the pool; its processes start with the first measurement."""
        spawn = get_context("spawn")  # a fork would inherit the threads of torch
        begin = (spawn.Barrier(self._trials), self._setup, self._device, self._threads)
        self._pool = ProcessPoolExecutor(self._trials, spawn, _begin, begin)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the processes."""
        self._pool.shutdown(cancel_futures=True)

    def measure(self, recipe: Recipe, batch: int, seconds: float) -> Speed:
        """Train so many seconds after a warm-up, all trials in step."""
        try:
            running = [self._pool.submit(_measure, recipe, batch, seconds) for _ in range(self._trials)]
            measured = [trial.result() for trial in running]
        except BrokenProcessPool:
            return Speed(recipe, batch, self._trials, failure="a process was killed, as it is when memory runs out")
        steps, cases = list[float](), list[float]()
        for trial in measured:
            if isinstance(trial, str):
                return Speed(recipe, batch, self._trials, failure=trial)
            steps += trial[0]
            cases += trial[1]
        return Speed(recipe, batch, self._trials, tuple(steps), tuple(cases))


class _Worker:
    """What one process knows."""

    barrier: Barrier
    setup: TrialSetup
    device: Device
    data: TrainingData


def _begin(barrier: Barrier, setup: TrialSetup, device: Device, threads: int) -> None:
    torch.set_num_threads(threads)
    _Worker.barrier, _Worker.setup, _Worker.device = barrier, setup, device
    _Worker.data = _data(setup)


def _data(setup: TrialSetup) -> TrainingData:
    patch = setup.training.patch
    validated = VALIDATION_BATCH if patch is None else VALIDATED_VOLUMES
    if setup.folder is None:
        sides = setup.training.sides if patch is None else [int(DRAWN_VOLUME * side) for side in patch]
        return drawn_data(setup.training, validated, setup.channels, sides)
    dataset = Dataset.open(Path(setup.folder))
    return TrainingData(
        images=dataset.images(),
        masks=dataset.masks(),
        train=dataset.indices(setup.train),
        validation=dataset.indices(setup.validation[:validated]),
        test=dataset.indices(()),
        foreground=None if patch is None else dataset.foreground(),
    )


def _measure(recipe: Recipe, batch: int, seconds: float) -> tuple[list[float], list[float]] | str:
    """Seconds of steps, and of validated cases; or why not."""
    steps = 1 if _Worker.device == "cpu" else STEPS_ON_GPU
    failure = None
    if _Worker.device == "gpu":
        torch.cuda.empty_cache()  # what the last measurement needed, the processes beside this one may need now
    try:
        training = _training(recipe, batch, steps)
        training.advance()  # the warm-up
    except CANNOT as error:
        failure = _reason(error)
    try:
        _Worker.barrier.wait(WAIT_SECONDS)
    except BrokenBarrierError:
        failure = failure or f"a trial beside it was not ready within {WAIT_SECONDS:g} s"
    if failure is not None:
        return failure
    started = time.perf_counter()
    try:
        while len(training.curve) <= LEAST_PERIODS or time.perf_counter() - started < seconds:
            training.advance()
    except CANNOT as error:
        return _reason(error)
    points = training.curve[1:]
    cases = len(_Worker.data.validation)
    return [point.train_seconds / steps for point in points], [point.val_seconds / cases for point in points]


def _reason(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__


def _training(recipe: Recipe, batch: int, steps: int) -> Training:
    evaluations = 2000
    changes = {"unit": "steps", "budget": steps * evaluations, "evaluations": evaluations, "batch": batch}
    protocol = _Worker.setup.training.varied(axis_values(recipe.variant))
    timed = protocol.model_copy(update={**changes, "learning_rate": CALM, "record_test_curve": False})
    return Training(timed, recipe.depth, 0, _Worker.data, "cuda" if _Worker.device == "gpu" else "cpu")
