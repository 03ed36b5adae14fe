"""A driver without Ray: the real ledger, searcher, stopper, leases and checkpoints, over processes that draw curves.

It calls searcher and stopper in the order in which Tune does. Its workers are processes of their own, which save real
checkpoints and report over a pipe, as an actor does; only the training is a short sleep and a drawn value.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import signal
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import count
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any

from models.forecaster.baselines.parametric import ParametricForecaster
from models.protocol import TrainingSpec
from search.policy.decision_spec import DecisionSpec
from search.policy.decisions import Decisions
from search.policy.stop_rule import StopSpec
from search.prices import PriceSpec
from search.resources import ResourceSpec
from search.tune import searcher
from search.tune.callbacks import ForecastStopper
from search.tune.held_claims import HeldClaims, LeaseKeeper
from search.tune.job import Job
from search.tune.run_end import RunEnd, StopSignal
from search.tune.searcher import DriverState, LedgerSearcher
from search.tune.trainable import DISK_IS_FULL
from search.worker.assignment import Assignment
from search.worker.reports import FailureReport, TestReport, TrainReport
from storage.data.spec import DataSpec
from storage.database.retry import RetryPolicy
from storage.errors import LostLease, StorageError
from storage.ledger import optuna_rows
from storage.ledger.leases import LeaseWatch, this_owner
from storage.ledger.ledger import Ledger
from storage.records import CellPlan, Claim, Evaluation, Scores, StudyRecord

if TYPE_CHECKING:
    from pathlib import Path

EVALUATIONS = 4
SLOTS = 2
LEASE_SECONDS = 0.5
WORKER = {"device": "cpu", "device_share": 1.0, "device_name": "drawn", "planned_steps": 40, "versions": {}}
BYTES_OF_A_FULL_DISK = 64
STARTED_AGAIN_SECONDS = 60.0
GRID = DecisionSpec(
    policy="grid",
    stop=StopSpec(),
    forecaster=ParametricForecaster(),
    d0=0.2,
    evaluations=EVALUATIONS,
    total_steps=lambda _: WORKER["planned_steps"],
    tolerance=0.01,
    target=None,
    num_train=100,
    held_out_cases=30,
    prices=PriceSpec(),
    device="cpu",
)


@dataclass(frozen=True)
class Setting:
    """What a driver is told.

    Attributes:
        url: Database.
        folder: Of checkpoints and journal.
        study: Its name.
        cells: How many there are.
        host: A made-up machine, or None: this one.
        evaluation_seconds: How long an evaluation takes.
    """

    url: str
    folder: Path
    study: str
    cells: int
    host: str | None = None
    evaluation_seconds: float = 0.01

    @property
    def plans(self) -> list[CellPlan]:
        """The grid."""
        return [CellPlan(f"ratio0.{i:02d}-depth3-seed0", i / 100, 3, 0, i, 1000) for i in range(1, self.cells + 1)]


def drawn_dsc(key: str, evaluation: int) -> float:
    """The validation DSC that every training of a cell measures at an evaluation."""
    return int.from_bytes(hashlib.sha256(f"{key} {evaluation}".encode()).digest()[:4]) / 2**33 + 0.4


def make_study(ledger: Ledger, name: str) -> StudyRecord:
    """The study, made or found."""
    return ledger.create_study(
        name,
        identity={},
        running={"policy": "grid"},
        fingerprint="f",
        split={"train": [], "validation": ["v"], "test": ["t"]},
        groups={},
        facts={"d0": 0.2},
    )


def drive(setting: Setting) -> None:
    """Run a study to its end, or to whatever befalls this process. Exit code 3: the disk was full."""
    os.setsid()
    searcher.POLL_SECONDS = 0.03
    stop = StopSignal()
    signal.signal(signal.SIGTERM, lambda *_: stop.set(RunEnd.INTERRUPTED))
    signal.signal(signal.SIGUSR1, lambda *_: _jump_an_hour())
    with _open(setting.url) as ledger:
        study = make_study(ledger, setting.study)
        ledger.layout(study.study_id, setting.plans)
        driver = _driver_state(setting, ledger, study, stop)
        keeper = LeaseKeeper(ledger, driver.held, every_seconds=LEASE_SECONDS / 12)
        try:
            with keeper:
                _Loop(driver, setting).run()
        finally:
            for claim in driver.held.remove_all():
                ledger.release(claim)
    if stop.end == RunEnd.DISK_FULL:
        raise SystemExit(3)


def _open(url: str) -> Ledger:
    """Open the ledger; a start while the database is away is refused at once, and started again here."""
    until = time.monotonic() + STARTED_AGAIN_SECONDS
    while True:
        try:
            return Ledger.open(url, create=True, retry_policy=RetryPolicy(60))
        except StorageError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def _jump_an_hour() -> None:
    """The wall clock jumps, as far as this process can see."""
    seconds = 3600.0 if os.getpid() % 2 else -3600.0
    true_time, true_now = time.time, optuna_rows.utc_now
    time.time = lambda: true_time() + seconds
    optuna_rows.utc_now = lambda: true_now().fromtimestamp(true_now().timestamp() + seconds)


def _driver_state(setting: Setting, ledger: Ledger, study: StudyRecord, stop: StopSignal) -> DriverState:
    owner = this_owner()
    return DriverState(
        ledger=ledger,
        study=study,
        job=_job(setting),
        decisions=Decisions(ledger, study, GRID, lambda: SLOTS),
        owner=owner if setting.host is None else f"{setting.host}/{owner.partition('/')[2]}",
        held=HeldClaims(device_share=1.0),
        watch=LeaseWatch(LEASE_SECONDS),
        stop=stop,
        slots=lambda: SLOTS,
    )


def _job(setting: Setting) -> Job:
    assignment = Assignment(
        study=setting.study,
        dataset_folder="",
        data=DataSpec(kind="phantom"),
        size=32,
        fingerprint="",
        split={},
        groups={},
        training=TrainingSpec(),
        checkpoints=str(setting.folder),
    )
    return Job(
        assignment=assignment,
        decision_spec=GRID,
        resources=ResourceSpec(max_attempts=3, max_losses=100),
        keep="best",
        wait_for_others=True,
    )


class _Loop:
    """Tune's loop, in its order: ask for a trial, then take one report; the stopper hears of it before the searcher."""

    def __init__(self, driver: DriverState, setting: Setting) -> None:
        self._driver, self._setting = driver, setting
        self._searcher = LedgerSearcher(driver)
        self._stopper = ForecastStopper(driver.decisions, driver.held, driver.stop)
        self._at_work: dict[Connection, str] = {}
        self._idle: list[Connection] = []
        self._pids: dict[Connection, int] = {}
        self._numbers = count(1)

    def run(self) -> None:
        """Until the searcher has finished and no worker is left, or the run is stopped."""
        finished = False
        while not (finished and not self._at_work) and not self._stopper.stop_all():
            if not finished and len(self._at_work) < SLOTS:
                finished = not self._start_one()
            for ready in wait(list(self._at_work), timeout=0.005):
                assert isinstance(ready, Connection)
                self._hear(ready)
        for pid in self._pids.values():
            os.kill(pid, signal.SIGKILL)

    def _start_one(self) -> bool:
        name = f"trial{next(self._numbers)}"
        config = self._searcher.suggest(name)
        if config is None:
            return True
        if not isinstance(config, dict):
            return False
        worker = self._idle.pop() if self._idle else self._new_worker()
        self._driver.held.mark_working(name)
        self._at_work[worker] = name
        with suppress(OSError):  # it was killed while it was idle: heard of below
            worker.send(config["claim"])
        return True

    def _new_worker(self) -> Connection:
        ours, theirs = Pipe()
        pid = os.fork()
        if pid == 0:
            for other in (ours, *self._pids):
                other.close()
            _be_worker(self._driver.job.assignment, theirs, self._setting)
        theirs.close()
        self._pids[ours] = pid
        return ours

    def _hear(self, worker: Connection) -> None:
        name = self._at_work[worker]
        try:
            result: dict[str, Any] = worker.recv()
        except (EOFError, OSError):
            del self._at_work[worker]
            os.waitpid(self._pids.pop(worker), 0)
            self._searcher.on_trial_complete(name, error=True)
            return
        if self._stopper(name, result) or result["done"]:
            del self._at_work[worker]
            self._idle.append(worker)
            self._searcher.on_trial_complete(name, result)
            return
        self._searcher.on_trial_result(name, result)
        with suppress(OSError):
            worker.send("go on")


def _be_worker(assignment: Assignment, pipe: Connection, setting: Setting) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        message = pipe.recv()
        while True:
            message = _Worker(message, assignment, pipe, setting).work()
    except (OSError, EOFError):
        pass  # the driver is gone
    finally:
        os._exit(0)  # of the driver's things this process must touch nothing


class _Worker:
    """What `CellTrainable` does, with drawn values."""

    def __init__(self, claim: Claim, assignment: Assignment, pipe: Connection, setting: Setting) -> None:
        self._claim, self._pipe, self._setting = claim, pipe, setting
        self._folder = assignment.checkpoint_folder(claim)
        self._curve: list[Evaluation] = []
        self._note: str | None = None
        self._evaluations_before = 0
        self._journal = os.open(setting.folder / "journal", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def work(self) -> Claim:
        """Report as `step` does, until the driver hands over the next claim, which is returned."""
        self._write(event="start", pid=os.getpid())
        message: Any = "go on"
        while message == "go on":
            report = self._step()
            self._pipe.send({"report": report, "done": not isinstance(report, TrainReport)})
            message = self._pipe.recv()
        os.close(self._journal)
        claim: Claim = message
        return claim

    def _step(self) -> TrainReport | TestReport | FailureReport:
        try:
            return self._resume() or (self._train() if self._trains else self._test())
        except LostLease as error:
            self._write(event="refused")
            return FailureReport(str(error))
        except OSError as error:
            return FailureReport(str(error), error.errno in DISK_IS_FULL)

    @property
    def _trains(self) -> bool:
        return self._claim.phase == "train" and len(self._curve) < EVALUATIONS

    def _resume(self) -> TrainReport | None:
        if self._curve:
            self._note = None
            return None
        self._folder.begin(self._claim.number)
        newest = self._folder.load_newest()
        self._note, self._evaluations_before = newest.note, newest.evaluation
        if newest.name is not None:
            self._curve = [Evaluation(**point) for point in json.loads(newest.files["best.pt"])]
        finished = len(self._curve) == EVALUATIONS and self._claim.phase == "train"
        return self._report(str(newest.name)) if finished else None

    def _train(self) -> TrainReport:
        number, started = len(self._curve) + 1, time.perf_counter()
        time.sleep(self._setting.evaluation_seconds)
        seconds = time.perf_counter() - started
        value = drawn_dsc(self._claim.plan.key, number)
        self._curve.append(Evaluation(number, number / 2, 10 * number, value, seconds, 0.0))
        self._write(event="measured", evaluation=number, seconds=seconds)
        if (self._setting.folder / "disk-is-full").exists():
            resource.setrlimit(resource.RLIMIT_FSIZE, (BYTES_OF_A_FULL_DISK, resource.RLIM_INFINITY))
        state = json.dumps([asdict(point) for point in self._curve]).encode()
        name = self._folder.save(self._claim.number, number, {"state.pt": os.urandom(2000), "best.pt": state})
        self._write(event="saved", evaluation=number)
        return self._report(name)

    def _report(self, name: str) -> TrainReport:
        return TrainReport(tuple(self._curve), {}, name, WORKER, len(self._curve) == EVALUATIONS, self._note)

    def _test(self) -> TestReport | FailureReport:
        if not self._curve:
            return FailureReport("no whole checkpoint is left to test; retrain the cell")
        for number in range(len(self._curve) + 1, self._evaluations_before + 1):  # the newest checkpoint is damaged
            value = drawn_dsc(self._claim.plan.key, number)
            self._curve.append(Evaluation(number, number / 2, 10 * number, value, 0.0, 0.0))
        best = max(self._curve, key=lambda point: point.val_dsc).evaluation
        time.sleep(self._setting.evaluation_seconds)
        self._write(event="tested")
        return TestReport(Scores(best, ((best, 1, 1),), ((best, 2, 2),), self._setting.evaluation_seconds))

    def _write(self, **entry: Any) -> None:
        line = entry | {"cell": self._claim.plan.key, "claim": self._claim.number}
        with_limit = resource.getrlimit(resource.RLIMIT_FSIZE)
        if with_limit[0] == resource.RLIM_INFINITY:  # the journal is not on the full disk
            os.write(self._journal, b"\n" + json.dumps(line).encode())  # the newline first: a kill can tear a line
