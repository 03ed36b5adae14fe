"""Ctrl-C and SIGTERM end a run in order, and the same command goes on."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.faults.disturbed_study import EVALUATIONS, DisturbedStudy, in_training

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_run_releases_its_cells_and_goes_on(tmp_path: Path, number: signal.Signals) -> None:
    """It exits with 130 and says what to do; no cell stays claimed; a second start keeps every evaluation and ends."""
    study = DisturbedStudy(tmp_path / "study")
    aftermath = study.signal_when(in_training, number)
    log = (study.folder / "log").read_text()
    assert aftermath.code == 130, log
    assert "the same command goes on from here" in log
    assert "Traceback" not in log
    assert all(r.cell.owner is None for r in aftermath.records)
    study.run_to_end()
    for before, after in zip(aftermath.records, study.records(), strict=True):
        assert after.curve[: len(before.curve)] == before.curve
        assert len(after.curve) == EVALUATIONS
