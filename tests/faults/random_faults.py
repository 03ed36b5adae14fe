"""Draws a small study, drivers and faults from a seed, injects them, and counts what was lost or done twice."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import optuna
import sqlalchemy as sa
from optuna.trial import TrialState
from sqlalchemy.exc import DBAPIError

from storage.database.postgres_server import PrivateServer
from storage.database.retry import RetryPolicy
from storage.errors import StorageError
from storage.ledger.cell_records import cell_records, spent_seconds
from storage.ledger.ledger import Ledger
from storage.records import CellState
from tests.faults.replayed_driver import EVALUATIONS, LEASE_SECONDS, Setting, drawn_dsc, drive

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.process import BaseProcess

    from storage.records import CellRecord

SECONDS_A_DRAW = 120
DISK_WAS_FULL = 3
FORKSERVER = multiprocessing.get_context("forkserver")
FORKSERVER.set_forkserver_preload(["tests.faults.replayed_driver"])


class Database(Protocol):
    """A database that can go away and come back."""

    url: str

    def away(self, seconds: float) -> None:
        """Let nobody in for so long."""

    def restart(self) -> None:
        """Stop and start it."""


class PostgresDatabase:
    """A server of its own, which restarts, and stays away, for real."""

    def __init__(self, folder: Path) -> None:
        """Make and start it."""
        self.server = PrivateServer(folder)
        self.server.start()
        self.url = f"{self.server.url}?passfile={self.server.password_file}"

    def away(self, seconds: float) -> None:
        """It dies, and comes back after a while."""
        self.server.stop("immediate")
        time.sleep(seconds)
        self.server.start()

    def restart(self) -> None:
        """It is restarted in order; its clients are disconnected."""
        self.server.stop()
        self.server.start()


class SqliteDatabase:
    """A file. It cannot restart; away means that another process holds its lock."""

    def __init__(self, file: Path) -> None:
        """Nothing is made yet."""
        self.url = f"sqlite:///{file}"

    def away(self, seconds: float) -> None:
        """Hold the write lock, as a backup or a hanging process would."""
        engine = sa.create_engine(self.url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout = 30000")
            connection.exec_driver_sql("BEGIN EXCLUSIVE")
            time.sleep(seconds)
            connection.exec_driver_sql("ROLLBACK")
        engine.dispose()

    def restart(self) -> None:
        """The nearest there is: the lock is held for a moment."""
        self.away(0.05)


@dataclass
class Outcome:
    """What a draw did, and what it counted.

    Attributes:
        seed: It can be drawn again.
        injected: Faults that took place.
        cells_lost: Cells of the grid that are not there, or not finished.
        cells_repeated: Cells that count twice: several complete trials, or trained after they were finished.
        evaluations_lost: Evaluations that the ledger once held, and at the end not, or with other values.
        problems: What else is wrong, in words.
        trained_again: Evaluations trained once more because nothing had been saved of them.
    """

    seed: int
    injected: Counter[str] = field(default_factory=Counter)
    cells_lost: int = 0
    cells_repeated: int = 0
    evaluations_lost: int = 0
    problems: list[str] = field(default_factory=list)
    trained_again: int = 0

    @property
    def is_clean(self) -> bool:
        """Nothing lost, nothing twice."""
        return not (self.cells_lost or self.cells_repeated or self.evaluations_lost or self.problems)


def run_draw(seed: int, database: Database, folder: Path) -> Outcome:
    """One study under faults, to its end."""
    draw = _Draw(seed, database, folder)
    try:
        draw.run()
        draw.audit()
    finally:
        draw.end()
    return draw.outcome


class _Draw:
    def __init__(self, seed: int, database: Database, folder: Path) -> None:
        self.random = random.Random(seed)  # noqa: S311 - a seed that can be drawn again is the point
        self.database = database
        self.outcome = Outcome(seed)
        folder.mkdir()
        self.setting = Setting(database.url, folder, f"draw{seed}", self.random.choice((3, 4, 6)))
        self.drivers: list[BaseProcess] = []
        self.paused: list[int] = []
        self.seen: dict[tuple[str, int], dict[int, tuple[float, float]]] = {}
        self._ledger: Ledger | None = None
        self.deadline = time.monotonic() + SECONDS_A_DRAW

    def run(self) -> None:
        """Start drivers, inject faults, and let fresh drivers finish what is left."""
        number = self.random.choices((1, 2, 8), (5, 5, 1))[0]
        if number > 1:
            self.outcome.injected[f"{number} drivers at once"] += 1
        for i in range(number):
            self.start(None if self.random.random() < 0.5 else f"host{i}")
        faults = self.random.choices(list(FAULTS), k=self.random.choice((1, 1, 2, 3)))
        for name in faults:
            lines = self.random.randrange(self.setting.cells * EVALUATIONS * 2)
            self.wait_for(lambda: self.lines() >= lines, 10)  # noqa: B023 - it is called at once
            self.look()
            if FAULTS[name](self):
                self.outcome.injected[name] += 1
            self.look()
        self.finish()

    def start(self, host: str | None = None) -> BaseProcess:
        """A driver more."""
        setting = Setting(**vars(self.setting) | {"host": host})
        driver = FORKSERVER.Process(target=drive, args=(setting,))
        driver.start()
        self.drivers.append(driver)
        return driver

    def finish(self) -> None:
        """Wait for the drivers; start one more as long as cells are open."""
        while True:
            for driver in self.drivers:
                driver.join(max(0.0, self.deadline - time.monotonic()))
                if driver.is_alive():
                    self.outcome.problems.append("a driver hangs")
                    return
                if driver.exitcode not in {0, DISK_WAS_FULL, -signal.SIGKILL}:
                    self.outcome.problems.append(f"a driver ended with {driver.exitcode}")
            self.drivers.clear()
            self.mend_disk()
            records = self.records()
            if records and not any(r.cell.state.is_open for r in records):
                return
            if time.monotonic() > self.deadline:
                self.outcome.problems.append("the study does not end")
                return
            self.start()

    def end(self) -> None:
        """Leave no process and no connection behind."""
        if self._ledger is not None:
            self._ledger.close()
        for pid in self.paused:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        for driver in self.drivers:
            self.kill_group(driver)
            driver.join(10)
        for entry in self.journal("start"):
            with suppress(ProcessLookupError, PermissionError):
                if _is_worker(entry["pid"]):
                    os.kill(entry["pid"], signal.SIGKILL)

    def look(self) -> None:
        """Remember what the ledger holds now."""
        for record in self.records():
            known = self.seen.setdefault((record.cell.plan.key, record.cell.attempt), {})
            for point in record.curve:
                known.setdefault(point.evaluation, (point.val_dsc, point.train_seconds))

    def records(self) -> list[CellRecord]:
        """What the ledger holds now."""
        ledger = self.ledger()
        study = ledger and ledger.find_study(self.setting.study)
        return cell_records(ledger, study.study_id) if ledger and study else []

    def ledger(self) -> Ledger | None:
        """The ledger, or None where no driver has made it yet."""
        if self._ledger is None:
            with suppress(StorageError, DBAPIError):
                self._ledger = Ledger.open(self.setting.url, retry_policy=RetryPolicy(30))
        return self._ledger

    def journal(self, event: str) -> list[dict[str, Any]]:
        """What the workers wrote; a line that a kill tore, or that is half written, is none."""
        file = self.setting.folder / "journal"
        lines = file.read_text().splitlines() if file.exists() else []
        return [entry for line in lines if line.endswith("}") and (entry := json.loads(line))["event"] == event]

    def lines(self) -> int:
        """How far the workers have come."""
        file = self.setting.folder / "journal"
        return file.read_bytes().count(b"\n") if file.exists() else -1

    def alive(self) -> list[BaseProcess]:
        """Drivers that run and are not paused."""
        return [d for d in self.drivers if d.is_alive() and d.pid not in self.paused]

    def kill_group(self, driver: BaseProcess) -> None:
        """The driver with its workers."""
        assert driver.pid is not None
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(driver.pid, signal.SIGKILL)
        driver.kill()

    def worker(self) -> int | None:
        """A worker that runs."""
        pids = [entry["pid"] for entry in self.journal("start") if _is_worker(entry["pid"])]
        return self.random.choice(pids) if pids else None

    def wait_for(self, seen: Callable[[], bool], seconds: float = 5.0) -> bool:
        """Whether something is seen in time."""
        until = time.monotonic() + seconds
        while not seen():
            if time.monotonic() > until or not self.alive():
                return False
            time.sleep(0.005)
        return True

    def mend_disk(self) -> None:
        """Make room again."""
        (self.setting.folder / "disk-is-full").unlink(missing_ok=True)

    def audit(self) -> None:
        """Count cells, evaluations and costs at the end."""
        out = self.outcome
        records = {r.cell.plan.key: r for r in self.records()}
        for plan in self.setting.plans:
            record = records.get(plan.key)
            if record is None or record.cell.state != CellState.DONE:
                out.cells_lost += 1
                continue
            self._audit_cell(record)
        for (key, attempt), points in self.seen.items():
            held = self._points(records[key], attempt)
            out.evaluations_lost += sum(held.get(number) != point for number, point in points.items())
        self._audit_trials(records)
        self._audit_costs(records)
        measured = [(e["cell"], e["evaluation"]) for e in self.journal("measured")]
        out.trained_again = len(measured) - len(set(measured))

    def _audit_cell(self, record: CellRecord) -> None:
        out, key = self.outcome, record.cell.plan.key
        if [e.evaluation for e in record.curve] != list(range(1, EVALUATIONS + 1)):
            out.problems.append(f"{key} has evaluations {[e.evaluation for e in record.curve]}")
        if any(e.val_dsc != drawn_dsc(key, e.evaluation) for e in record.curve):
            out.problems.append(f"{key} holds values that nobody measured")
        best = max(range(1, EVALUATIONS + 1), key=lambda number: drawn_dsc(key, number))
        if record.attempt.scores is None or record.attempt.scores.best_evaluation != best:
            out.problems.append(f"{key} was not tested at its best evaluation")
        if record.cell.owner is not None:
            out.problems.append(f"{key} is done and held")
        measured = {(e["evaluation"], e["seconds"]) for e in self.journal("measured") if e["cell"] == key}
        if any((e.evaluation, e.train_seconds) not in measured for e in record.curve):
            out.problems.append(f"{key} counts seconds that nobody spent")
        closing = max(e["claim"] for e in self.journal("tested") if e["cell"] == key)
        late = [e for e in self.journal("saved") if e["cell"] == key and e["claim"] > closing]
        out.cells_repeated += bool(late)
        self._audit_files(key, record.cell.attempt)

    def _audit_files(self, key: str, attempt: int) -> None:
        folder = self.setting.folder / self.setting.study / key / str(attempt)
        names = sorted(path.name for path in folder.iterdir())
        # A kill between the closing transaction and the sweep of files leaves the last two, whole.
        if len([name for name in names if "claim" not in name]) > 2:
            self.outcome.problems.append(f"{key} left the files {names}")

    def _points(self, record: CellRecord, attempt: int) -> dict[int, tuple[float, float]]:
        if record.cell.attempt == attempt:
            return {e.evaluation: (e.val_dsc, e.train_seconds) for e in record.curve}
        return self.seen[record.cell.plan.key, attempt]  # of a failed attempt; its rows are never touched again

    def _audit_trials(self, records: dict[str, CellRecord]) -> None:
        storage = optuna.storages.RDBStorage(self.setting.url)
        trials = optuna.load_study(study_name=self.setting.study, storage=storage).trials
        storage.engine.dispose()
        complete = Counter(t.user_attrs["cell"] for t in trials if t.state == TrialState.COMPLETE)
        self.outcome.cells_repeated += sum(number > 1 for number in complete.values())
        if [t.number for t in trials] != list(range(len(trials))):
            self.outcome.problems.append("trial numbers have gaps")
        for trial in trials:
            if trial.state in {TrialState.RUNNING, TrialState.WAITING}:
                self.outcome.problems.append(f"trial {trial.number} is {trial.state.name} in Optuna")
            curve = {e.evaluation: e.val_dsc for e in records[trial.user_attrs["cell"]].curve}
            if trial.state == TrialState.COMPLETE and trial.intermediate_values != curve:
                self.outcome.problems.append(f"trial {trial.number} has another curve than its cell")

    def _audit_costs(self, records: dict[str, CellRecord]) -> None:
        recorded = sum(e.train_seconds for r in records.values() for e in r.curve)
        tested = sum(r.attempt.scores.seconds for r in records.values() if r.attempt.scores)
        lost = sum(r.attempt.lost_seconds for r in records.values())
        ledger = self.ledger()
        study = ledger and ledger.find_study(self.setting.study)
        assert ledger
        assert study
        spent = spent_seconds(ledger, study.study_id)
        first_attempts = all(r.cell.attempt == 1 for r in records.values())
        if lost < 0 or spent < recorded + tested - 1e-6:
            self.outcome.problems.append("work is missing in the cost")
        if first_attempts and abs(spent - recorded - tested - lost) > 1e-6:
            self.outcome.problems.append("the cost is not the sum of what was recorded, tested and lost")


def _is_worker(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        return b"forkserver" in Path(f"/proc/{pid}/cmdline").read_bytes() and stat.rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# Faults: each returns whether it took place.


def _kill_driver(draw: _Draw) -> bool:
    for driver in draw.alive()[:1]:
        driver.kill()
        return True
    return False


def _kill_worker(draw: _Draw) -> bool:
    pid = draw.worker()
    if pid is not None:
        os.kill(pid, signal.SIGKILL)
    return pid is not None


def _kill_both(draw: _Draw) -> bool:
    for driver in draw.alive()[:1]:
        draw.kill_group(driver)
        return True
    return False


def _terminate(draw: _Draw) -> bool:
    """A driver that has begun is asked to drain; one that has not would just end, as any process does."""
    for driver in draw.alive()[:1]:
        assert driver.pid is not None
        if draw.wait_for(partial(_catches, driver.pid, signal.SIGTERM)):
            driver.terminate()
            return True
    return False


def _catches(pid: int, number: signal.Signals) -> bool:
    """Whether a process has set its handler of a signal by now."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return False
    caught = next((int(line.split()[1], 16) for line in lines if line.startswith("SigCgt:")), 0)
    return bool(caught >> (number - 1) & 1)


def _wake_late_driver(draw: _Draw) -> bool:
    """A driver stands still until its lease was given away, and then goes on."""
    for driver in draw.alive()[:1]:
        assert driver.pid is not None
        return _pause(draw, driver.pid, then=lambda: None)
    return False


def _wake_late_worker(draw: _Draw) -> bool:
    """A worker stands still while its driver dies and another takes the cell, and then goes on."""
    pid = draw.worker()
    return pid is not None and _pause(draw, pid, then=lambda: _kill_parent(draw, pid))


def _pause(draw: _Draw, pid: int, then: Callable[[], None]) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
        draw.paused.append(pid)
        then()
        draw.start()
        time.sleep(LEASE_SECONDS * 2.5)
        os.kill(pid, signal.SIGCONT)
        draw.paused.remove(pid)
        return True
    return False


def _kill_parent(draw: _Draw, pid: int) -> None:
    parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    for driver in draw.drivers:
        if driver.pid == parent:
            driver.kill()
            driver.join(10)


def _restart_database(draw: _Draw) -> bool:
    draw.database.restart()
    return True


def _database_away(draw: _Draw) -> bool:
    draw.database.away(draw.random.uniform(0.2, 0.8))
    return True


def _fill_disk(draw: _Draw) -> bool:
    (draw.setting.folder / "disk-is-full").touch()
    hit = draw.wait_for(lambda: any(d.exitcode == DISK_WAS_FULL for d in draw.drivers), 0.5)
    draw.mend_disk()
    return hit


def _truncate_checkpoint(draw: _Draw) -> bool:
    files = sorted(draw.setting.folder.glob(f"{draw.setting.study}/*/*/*-*/state.pt"))
    newest = {file.parent.parent: file for file in files}
    for file in draw.random.sample(sorted(newest.values()), k=min(1, len(newest))):
        with suppress(OSError):
            os.truncate(file, 7)
            return True
    return False


def _jump_clock(draw: _Draw) -> bool:
    for driver in draw.alive()[:1]:
        assert driver.pid is not None
        if draw.wait_for(partial(_catches, driver.pid, signal.SIGUSR1)):
            os.kill(driver.pid, signal.SIGUSR1)
            return True
    return False


def _kill_before_test(draw: _Draw) -> bool:
    if not draw.wait_for(lambda: any(r.cell.state == CellState.TEST for r in draw.records()), 1.0):
        return False
    return _kill_both(draw)


FAULTS: dict[str, Callable[[_Draw], bool]] = {
    "SIGKILL of a driver": _kill_driver,
    "SIGKILL of a worker": _kill_worker,
    "SIGKILL of both": _kill_both,
    "SIGTERM": _terminate,
    "driver wakes after its lease": _wake_late_driver,
    "worker wakes after its lease": _wake_late_worker,
    "database restarted": _restart_database,
    "database away": _database_away,
    "disk full at a checkpoint": _fill_disk,
    "checkpoint truncated": _truncate_checkpoint,
    "clock jumps an hour": _jump_clock,
    "killed between stop and test": _kill_before_test,
}
