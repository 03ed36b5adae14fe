"""Ctrl-C and SIGTERM end a run in order, and the same command goes on."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.faults.disturbed_study import EVALUATIONS, DisturbedStudy, in_training

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(1800)  # several drivers, one after the other, on a machine that may be busy


def test_interrupted_run_releases_its_cells_and_goes_on(tmp_path: Path) -> None:
    """It exits with 130 and says what to do; no cell stays claimed; another start keeps every evaluation and ends."""
    study = DisturbedStudy(tmp_path / "study")
    aftermaths = [study.signal_when(in_training, number) for number in (signal.SIGINT, signal.SIGTERM)]
    log = (study.folder / "log").read_text()
    assert [aftermath.code for aftermath in aftermaths] == [130, 130], log
    assert log.count("the same command goes on from here") == 2
    assert "Traceback" not in log
    study.run_to_end()
    for aftermath in aftermaths:
        assert all(r.cell.owner is None for r in aftermath.records)
        for before, after in zip(aftermath.records, study.records(), strict=True):
            assert after.curve[: len(before.curve)] == before.curve
            assert len(after.curve) == EVALUATIONS
