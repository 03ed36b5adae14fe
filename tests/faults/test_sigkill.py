"""The driver dies by SIGKILL at three moments of a real study; the same command goes on and nothing is lost or twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import optuna
import pytest

from storage.ledger import Ledger, holds_studies
from storage.reads import cell_records, spent_seconds
from storage.records import CellState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from storage.records import CellRecord

ROOT = Path(__file__).parents[2]
EVALUATIONS = 5
SPEC = f"""
name = "faults"
[data]
kind = "phantom"
phantom_cases = 60
[grid]
ratio = [0.5, 1.0]
depth = [2, 3]
[training]
size = 32
budget = 100
evaluations = {EVALUATIONS}
batch = 16
[resources]
lease_seconds = 6
[files]
keep = "all"
"""


class Study:
    """A study in a folder of its own, run by the command line as a person would."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        (folder / "faults.toml").write_text(SPEC)
        self.folder = folder
        self.url = f"sqlite:///{folder}/dicecurve.db"

    def start(self) -> subprocess.Popen[bytes]:
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "studies", "run", "faults.toml"]
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(command, cwd=self.folder, env=environment, stdout=log, stderr=log)

    def run_to_end(self) -> None:
        with self.start() as process:
            assert process.wait(timeout=300) == 0, (self.folder / "log").read_text()

    def kill_when(self, moment: Callable[[list[CellRecord]], bool]) -> list[CellRecord]:
        """Start, send SIGKILL at the moment, and return what the ledger then holds."""
        with self.start() as process:
            deadline = time.monotonic() + 200
            while not moment(self.records()):
                assert process.poll() is None, (self.folder / "log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.02)
            process.send_signal(signal.SIGKILL)
            process.wait()
        return self.records()

    def records(self) -> list[CellRecord]:
        if not holds_studies(self.url):
            return []
        with Ledger.open(self.url) as ledger:
            study = ledger.find_study("faults")
            return [] if study is None else cell_records(ledger, study.study_id)

    def spent(self) -> float:
        with Ledger.open(self.url) as ledger:
            study = ledger.find_study("faults")
            assert study is not None
            return spent_seconds(ledger, study.study_id)

    def checkpointed(self, record: CellRecord) -> int:
        """The evaluation of the newest whole checkpoint; 0 without any."""
        folder = self.folder / "dicecurve-files/checkpoints/faults" / record.cell.plan.key / "1"
        return max((int(manifest.parent.name.split("-")[1]) for manifest in folder.glob("*/manifest.json")), default=0)


def in_training(records: list[CellRecord]) -> bool:
    """A cell is under way: some of its evaluations are recorded, others are not."""
    return any(r.cell.state == CellState.CLAIMED and 1 <= len(r.curve) < EVALUATIONS - 1 for r in records)


def with_one_done(records: list[CellRecord]) -> bool:
    """A cell is finished while another trains."""
    return any(r.cell.state == CellState.DONE for r in records) and in_training(records)


def between_stop_and_test(records: list[CellRecord]) -> bool:
    """A new cell has stopped training and waits for its test phase, or is in it."""
    return sum(not r.cell.state.is_open for r in records) >= 1 and any(r.cell.state == CellState.TEST for r in records)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Study:
    study = Study(tmp_path_factory.mktemp("faults") / "undisturbed")
    study.run_to_end()
    return study


@pytest.fixture(scope="module")
def kills(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Study, list[list[CellRecord]]]]:
    """A study killed three times and then run to its end, with what the ledger held after each kill."""
    study = Study(tmp_path_factory.mktemp("faults") / "killed")
    snapshots = [study.kill_when(moment) for moment in (in_training, with_one_done, between_stop_and_test)]
    study.run_to_end()
    yield study, snapshots


Killed = tuple[Study, list[list["CellRecord"]]]


def test_every_cell_is_finished_exactly_once(kills: Killed) -> None:
    """After three kills every cell of the grid is done, with one trial, complete in Optuna's eyes."""
    study, _ = kills
    records = study.records()
    assert sorted(r.cell.plan.key for r in records) == [
        f"ratio{ratio}-depth{depth}-seed0" for ratio in ("0.5", "1") for depth in (2, 3)
    ]
    assert all(not r.cell.state.is_open and r.cell.owner is None for r in records)
    trials = optuna.load_study(study_name="faults", storage=study.url).trials
    assert [t.state for t in trials] == [optuna.trial.TrialState.COMPLETE] * 4
    assert sorted(t.user_attrs["cell"] for t in trials) == sorted(r.cell.plan.key for r in records)


def test_values_are_bit_equal_to_an_undisturbed_run(kills: Killed, undisturbed: Study) -> None:
    """With policy grid on a CPU, every curve and every test count is that of an undisturbed run, to the last bit."""
    study, _ = kills
    for killed, whole in zip(study.records(), undisturbed.records(), strict=True):
        assert killed.cell.plan == whole.cell.plan
        assert [(e.evaluation, e.step, e.val_dsc) for e in killed.curve] == [
            (e.evaluation, e.step, e.val_dsc) for e in whole.curve
        ]
        assert killed.attempt.scores == whole.attempt.scores
        assert killed.cell.state == whole.cell.state


def test_recorded_evaluations_are_never_trained_again(kills: Killed) -> None:
    """What a kill found in the ledger is there at the end, measured seconds included: it was neither lost nor redone."""
    study, snapshots = kills
    final = {r.cell.plan.key: r for r in study.records()}
    assert any(len(r.curve) for r in snapshots[0])
    for snapshot in snapshots:
        for record in snapshot:
            assert final[record.cell.plan.key].curve[: len(record.curve)] == record.curve


def test_each_evaluation_counts_once_in_the_cost(kills: Killed) -> None:
    """Device seconds are those of each evaluation once; what a kill cost beyond that is under one evaluation a cell."""
    study, snapshots = kills
    records = study.records()
    assert all([e.evaluation for e in r.curve] == list(range(1, EVALUATIONS + 1)) for r in records)
    longest = max(e.train_seconds + e.val_seconds for r in records for e in r.curve)
    killed_at_work = sum(r.cell.owner is not None for snapshot in snapshots for r in snapshot)
    lost = study.spent() - sum(r.device_seconds for r in records)
    assert -1e-6 <= lost <= killed_at_work * longest
