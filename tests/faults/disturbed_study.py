"""A small study that tests start by the command line, as a person would, and disturb."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from storage.database.schema import holds_studies
from storage.files.checkpoints import CheckpointFolder
from storage.ledger.cell_records import cell_records, spent_seconds
from storage.ledger.ledger import Ledger
from storage.records import CellState
from tests.helpers.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from storage.records import CellRecord

EVALUATIONS = 5
PATIENCE = 500.0  # seconds: on a busy machine a driver takes a minute or two to start
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


@dataclass(frozen=True)
class Aftermath:
    """What a signal left behind: the driver's exit code, the ledger's cells, and the newest checkpoints' curves."""

    code: int
    records: list[CellRecord]
    checkpoint_curves: dict[str, list[dict[str, float]]]


class DisturbedStudy:
    """A study in a folder of its own, run by the command line as a person would."""

    def __init__(self, folder: Path, *, trials: int = 1) -> None:
        """Write the spec into a new folder; ``trials`` at once."""
        folder.mkdir()
        (folder / "faults.toml").write_text(SPEC)
        self.folder, self.trials = folder, trials
        self.url = f"sqlite:///{folder}/dicecurve.db"

    def start(self) -> subprocess.Popen[bytes]:
        """Start the run, in a process group of its own."""
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        at_once = f"resources.max_trials={self.trials}"
        command = [sys.executable, "-m", "studies", "run", "faults.toml", "--set", at_once]
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                command, cwd=self.folder, env=environment, stdout=log, stderr=log, start_new_session=True
            )

    def run_to_end(self) -> None:
        """Run undisturbed, and expect success."""
        with self.start() as process:
            assert process.wait(PATIENCE) == 0, (self.folder / "log").read_text()

    def signal_when(
        self, moment: Callable[[list[CellRecord]], bool], number: signal.Signals = signal.SIGKILL
    ) -> Aftermath:
        """Start, send a signal at the moment, and return what it left behind.

        An interrupt goes to the whole process group, as a terminal sends it.
        """
        with self.start() as process, closing(self.looks()) as looks:
            deadline = time.monotonic() + PATIENCE
            while not moment(next(looks)):
                assert process.poll() is None, (self.folder / "log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.005)
            if number == signal.SIGINT:
                os.killpg(process.pid, number)
            else:
                process.send_signal(number)
            code = process.wait(timeout=60)
        time.sleep(2)  # Ray's processes die with their driver, but not in the same instant
        return Aftermath(code, self.records(), self.checkpoint_curves())

    def looks(self) -> Generator[list[CellRecord]]:
        """What the ledger holds, again and again, by one connection: some moments are short."""
        while not holds_studies(self.url):
            yield []
        with Ledger.open(self.url) as ledger:
            while (study := ledger.find_study("faults")) is None:
                yield []
            while True:
                yield cell_records(ledger, study.study_id)

    def records(self) -> list[CellRecord]:
        """What the ledger holds now."""
        if not holds_studies(self.url):
            return []
        with Ledger.open(self.url) as ledger:
            study = ledger.find_study("faults")
            return [] if study is None else cell_records(ledger, study.study_id)

    def spent(self) -> float:
        """Device seconds, lost work included."""
        with Ledger.open(self.url) as ledger:
            study = ledger.find_study("faults")
            assert study is not None
            return spent_seconds(ledger, study.study_id)

    def checkpoint_curves(self) -> dict[str, list[dict[str, float]]]:
        """The curve in the newest whole checkpoint of every cell that has one."""
        found = {}
        for cell in (self.folder / "dicecurve-files/checkpoints/faults").iterdir():
            newest = CheckpointFolder(str(cell / "1")).load_newest()
            if newest.name is not None:
                found[cell.name] = torch.load(io.BytesIO(newest.files["state.pt"]), weights_only=True)["curve"]
        return found


def in_training(records: list[CellRecord]) -> bool:
    """A cell is under way: some of its evaluations are recorded, others are not."""
    return any(r.cell.state == CellState.CLAIMED and 1 <= len(r.curve) < EVALUATIONS - 1 for r in records)
