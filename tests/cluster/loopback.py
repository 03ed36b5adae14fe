"""Clusters on this machine: several raylets, a small study on PostgreSQL, and drivers as processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from storage.database.schema import holds_studies
from storage.ledger.cell_records import cell_records
from storage.ledger.ledger import Ledger
from tests.helpers.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from storage.records import CellRecord

EVALUATIONS = 6
PATIENCE = 400.0  # seconds
STORE = 80 * 2**20
os.environ.setdefault("RAY_raylet_start_wait_time_s", "120")  # a busy machine starts one node after the other
SPEC = """
name = "clustered"
[data]
kind = "phantom"
phantom_cases = 40
[grid]
ratio = {ratios}
depth = [2]
[training]
size = 16
budget = {budget}
evaluations = 6
batch = 8
channels = 4
[resources]
lease_seconds = 6
max_losses = 10
[files]
checkpoints = "{place}/checkpoints"
cache = "{place}/cache"
artifacts = "{place}/artifacts"
"""


@dataclass
class ClusteredStudy:
    """A study whose drivers join the cluster at RAY_ADDRESS.

    Attributes:
        folder: Of its spec, logs and files.
        url: Its database.
    """

    folder: Path
    url: str
    budget: int = 120
    ratios: tuple[float, ...] = (0.25, 0.5, 0.75, 1.0)
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Write the spec."""
        text = SPEC.format(ratios=list(self.ratios), budget=self.budget, place=self.folder)
        (self.folder / "clustered.toml").write_text(text)
        (self.folder / "url").write_text(self.url)
        self.environment["DICECURVE_STORAGE_FILE"] = str(self.folder / "url")

    def command(self) -> list[str]:
        """The command line of a driver."""
        return [sys.executable, "-m", "studies", "run", str(self.folder / "clustered.toml")]

    @contextmanager
    def driver(self, address: str) -> Iterator[subprocess.Popen[bytes]]:
        """A driver in a process of its own; killed at the end if it still runs."""
        environment = (
            os.environ | {"PYTHONPATH": str(ROOT), "RAY_ADDRESS": address, "PYTHONFAULTHANDLER": "1"} | self.environment
        )
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(self.command(), cwd=self.folder, env=environment, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def log(self) -> str:
        """What all drivers said."""
        return (self.folder / "log").read_text()

    def records(self) -> list[CellRecord]:
        """What the ledger holds now."""
        if not holds_studies(self.url):
            return []
        with Ledger.open(self.url) as ledger:
            study = ledger.find_study("clustered")
            return [] if study is None else cell_records(ledger, study.study_id)

    def wait_for(self, moment: Callable[[list[CellRecord]], Any], process: subprocess.Popen[bytes]) -> Any:
        """Wait until the moment is true, while the driver lives; returns what it gave."""
        deadline = time.monotonic() + PATIENCE
        while not (found := moment(self.records())):
            assert process.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.25)
        return found

    def exit_code(self, process: subprocess.Popen[bytes]) -> int:
        """Wait for a driver's end; one that does not come to it fails with its log, its cells and its stacks."""
        try:
            return process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGABRT)  # a driver with Python's fault handler writes its stacks into the log
            process.wait(30)
            cells = "\n".join(f"{r.cell} after {len(r.curve)} evaluations" for r in self.records())
            pytest.fail(f"the driver does not end:\n{self.log()}\n{cells}")

    def assert_whole(self) -> list[CellRecord]:
        """Every cell is finished with one whole curve; returns them."""
        records = self.records()
        assert len(records) == len(self.ratios)
        for record in records:
            assert not record.cell.state.is_open, self.log()
            assert record.attempt.failure is None
            assert [e.evaluation for e in record.curve] == list(range(1, EVALUATIONS + 1))
            assert record.cell.attempt == 1
        return records


def under_way(records: list[CellRecord]) -> bool:
    """A cell is in mid-training."""
    return any(r.cell.owner is not None and 1 <= len(r.curve) < EVALUATIONS - 2 for r in records)
