"""The doctor finds what no run mends by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from storage.files.checkpoints import CheckpointFolder
from storage.ledger.ledger import Ledger
from storage.records import CellPlan, CellState, Evaluation
from studies.monitor.doctor import examine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from storage.records import StudyRecord
    from studies.monitor.doctor import Finding

GONE = "a-host/a-boot/a-namespace/1/100"
PLANS = [CellPlan(f"ratio0.{i}-depth3-seed0", i / 10, 3, 0, i, 1000) for i in (1, 2, 3)]


@pytest.fixture
def ledger(storage_url: str) -> Iterator[Ledger]:
    """A study of three cells; one is held by a process on another machine."""
    with Ledger.open(storage_url, create=True) as opened:
        study = opened.create_study(
            "s",
            identity={},
            running={},
            fingerprint="f",
            split={},
            groups={},
            facts={"versions": {"torch": "2.8.0", "numpy": "2.0"}},
        )
        opened.layout(study.study_id, PLANS)
        yield opened


def findings(ledger: Ledger, tmp_path: Path, watch_seconds: float = 0.0, torch: str = "2.8.0") -> list[Finding]:
    """What the doctor finds."""
    versions = {"torch": torch, "numpy": "2.0"}
    return examine(ledger, study(ledger), checkpoints=str(tmp_path), versions=versions, watch_seconds=watch_seconds)


def study(ledger: Ledger) -> StudyRecord:
    """The study."""
    record = ledger.find_study("s")
    assert record is not None
    return record


def train(ledger: Ledger, tmp_path: Path, *, whole: bool, torch: str = "2.8.0", plan: CellPlan = PLANS[0]) -> None:
    """A cell trained to its test phase, with or without its checkpoint."""
    claim = ledger.claim(study(ledger).study_id, [plan.key], GONE)
    assert claim is not None
    worker = {
        "device": "cpu",
        "device_share": 1.0,
        "device_name": "x",
        "planned_steps": 9,
        "versions": {"torch": torch},
    }
    ledger.record(claim, [Evaluation(1, 1, 1, 0.5, 1, 1)], checkpoint="0001-00001", worker=worker)
    if whole:
        CheckpointFolder.of(str(tmp_path), "s", plan.key, 1).save(1, 1, {"best.pt": b"weights"})
    ledger.send_to_test(claim, stop_reason=None, forecast=None)


def test_a_study_that_is_well(ledger: Ledger, tmp_path: Path) -> None:
    """Nothing is found, with a trained cell and its checkpoint too."""
    train(ledger, tmp_path, whole=True)
    assert findings(ledger, tmp_path) == []


def test_a_silent_owner_is_found_by_watching(ledger: Ledger, tmp_path: Path) -> None:
    """Without watching another machine's cell is only listed; with it the stale lease is found, and mended."""
    ledger.claim(study(ledger).study_id, [PLANS[0].key], GONE)
    (listed,) = findings(ledger, tmp_path)
    assert (listed.kind, listed.mend) == ("held elsewhere", None)
    (stale,) = findings(ledger, tmp_path, watch_seconds=2.0)  # no look may be late by half of it
    assert stale.kind == "stale lease"
    assert stale.mend is not None
    assert stale.mend()
    assert ledger.cells(study(ledger).study_id)[0].state == CellState.WAITING
    assert not stale.mend()  # once is enough


def test_a_cell_without_checkpoint_trains_anew(ledger: Ledger, tmp_path: Path) -> None:
    """It could not be tested: the attempt fails with that reason, and a new one waits."""
    train(ledger, tmp_path, whole=False)
    (finding,) = findings(ledger, tmp_path)
    assert finding.kind == "no checkpoint"
    assert finding.mend is not None
    assert finding.mend()
    cell = ledger.cells(study(ledger).study_id)[0]
    assert (cell.state, cell.attempt) == (CellState.WAITING, 2)
    assert findings(ledger, tmp_path) == []


def test_drift_is_told(ledger: Ledger, tmp_path: Path) -> None:
    """Other versions than at the start, and cells trained under different ones."""
    train(ledger, tmp_path, whole=True)
    train(ledger, tmp_path, whole=True, torch="2.13.0", plan=PLANS[1])
    texts = [finding.text for finding in findings(ledger, tmp_path, torch="2.13.0")]
    assert texts == [
        "the study began with torch 2.8.0; installed is 2.13.0",
        "cells were trained with torch 2.13.0 and 2.8.0",
    ]
