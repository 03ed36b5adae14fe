"""Two drivers work one study: each cell is trained once, and one takes over what the other leaves."""

from __future__ import annotations

import signal
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.faults.disturbed_study import EVALUATIONS, PATIENCE, DisturbedStudy, in_training

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(1800)  # several drivers, one after the other, on a machine that may be busy


def test_two_drivers_share_the_cells(tmp_path: Path) -> None:
    """Started at once on a study that is not there yet, both end with success, and no cell was taken twice."""
    study = DisturbedStudy(tmp_path / "study")
    with study.start() as one, study.start() as other:
        assert [one.wait(PATIENCE), other.wait(PATIENCE)] == [0, 0], (study.folder / "log").read_text()
    records = study.records()
    assert len(records) == 4
    for record in records:
        assert not record.cell.state.is_open
        assert record.cell.claims == 1
        assert [e.evaluation for e in record.curve] == list(range(1, EVALUATIONS + 1))


def test_one_takes_over_when_the_other_dies(tmp_path: Path) -> None:
    """SIGKILL of one driver in mid-training: the other finishes its cells, and nothing recorded is trained again."""
    study = DisturbedStudy(tmp_path / "study")
    with study.start() as doomed, study.start() as survivor, closing(study.looks()) as looks:
        deadline = time.monotonic() + PATIENCE
        while not (held := [r for r in next(looks) if _held_by(r.cell.owner, doomed.pid) and in_training([r])]):
            assert time.monotonic() < deadline, (study.folder / "log").read_text()
            time.sleep(0.005)
        doomed.send_signal(signal.SIGKILL)
        assert survivor.wait(PATIENCE) == 0, (study.folder / "log").read_text()
    final = {r.cell.plan.key: r for r in study.records()}
    assert all(not r.cell.state.is_open and len(r.curve) == EVALUATIONS for r in final.values())
    for record in held:
        assert final[record.cell.plan.key].curve[: len(record.curve)] == record.curve


def _held_by(owner: str | None, pid: int) -> bool:
    return owner is not None and owner.split("/")[-2] == str(pid)
