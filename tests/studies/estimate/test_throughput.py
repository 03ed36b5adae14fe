"""Trials side by side, in real processes."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from models.protocol import TrainingSpec
from storage.data.prepare import prepare
from storage.data.spec import DataSpec
from storage.variants import Recipe
from studies.estimate import throughput
from studies.estimate.throughput import LEAST_PERIODS, Trials, TrialSetup

if TYPE_CHECKING:
    from pathlib import Path

TINY = TrainingSpec(size=16, channels=4, batch=2)


def test_two_trials_are_measured_at_once(tmp_path: Path) -> None:
    """Each at least so many times, on the prepared data; and again in the same processes, another recipe.

    Where one of them dies, as when memory runs out, that is told, and nothing waits for it.
    """
    dataset = prepare(DataSpec(kind="phantom", phantom_cases=20), 16, tmp_path)
    setup = TrialSetup(TINY, 1, str(dataset.folder), dataset.names[:12], dataset.names[12:])
    with Trials(setup, trials=2, device="cpu", threads=1) as trials:
        for recipe, batch in ((Recipe("", 2), 2), (Recipe("loss=dice_ce", 3), 4)):
            speed = trials.measure(recipe, batch, 0.0)
            assert (speed.recipe, speed.batch, speed.trials, speed.failure) == (recipe, batch, 2, None)
            assert len(speed.step_seconds) == len(speed.case_seconds) == 2 * LEAST_PERIODS
            assert speed.cases_per_second > 0
        os.kill(next(iter(trials._pool._processes)), signal.SIGKILL)
        assert "was killed" in str(trials.measure(Recipe("", 2), 2, 0.0).failure)


def test_volumes_are_drawn_and_what_fails_is_told() -> None:
    """In 3D the drawn volumes are larger than a patch; a CPU refuses bf16 there, and the others do not wait for it."""
    patch = TrainingSpec(patch=(8, 8, 8), channels=4, batch=2)
    data = throughput._data(TrialSetup(patch, 2))
    assert data.images[0].shape == (2, 10, 10, 10)
    wrong = patch.model_copy(update={"precision": "bf16"})
    with Trials(TrialSetup(wrong, 2), trials=1, device="cpu", threads=1) as trials:
        speed = trials.measure(Recipe("", 2), 2, 0.0)
    assert speed.failure is not None
    assert "bf16 in 3D" in speed.failure
    assert speed.step_seconds == ()
