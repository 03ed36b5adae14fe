"""The disk of checkpoints, held against real ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from models.networks.architectures import count_parameters
from models.protocol import TrainingSpec
from models.training.training import Training
from models.training.training_data import TrainingData
from storage.files.checkpoints import CheckpointFolder, kept_bytes, running_bytes
from storage.records import CellPlan

if TYPE_CHECKING:
    from pathlib import Path

    from storage.files.checkpoints import Keep

SPEC = TrainingSpec(size=32, channels=32, evaluations=3, budget=3, batch=2)


@pytest.mark.parametrize("keep", ["none", "best", "all"])
def test_it_is_what_checkpoints_take(tmp_path: Path, keep: Keep) -> None:
    """Within 3 %, while a cell runs and when it is closed."""
    every = np.arange(4)
    data = TrainingData(np.zeros((4, 1, 32, 32), np.uint8), np.ones((4, 1, 32, 32), np.uint8), every, every, every)
    training, folder = Training(SPEC, 4, 0, data, "cpu"), CheckpointFolder.of(str(tmp_path), "s", "c", 1)
    for evaluation in (1, 2):
        training.advance()
        folder.save(1, evaluation, training.state())
    plans = [CellPlan("c", 1.0, 4, 0, 4, count_parameters(SPEC, 4, 1))]
    assert size_of(tmp_path) * 3 / 2 == pytest.approx(running_bytes(plans, trials=1), rel=0.03)
    folder.close(keep)
    assert size_of(tmp_path) == pytest.approx(kept_bytes(plans, keep), rel=0.03, abs=1)


def test_trials_at_once_add_up() -> None:
    """The largest cells at once are the most that runs."""
    plans = [CellPlan(f"c{size}", 1.0, 3, 0, 4, size) for size in (10, 1000, 100)]
    assert running_bytes(plans, trials=2) == 3 * 16 * 1100
    assert kept_bytes(plans, "best") == 4 * 1110


def size_of(folder: Path) -> int:
    """Of all files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
