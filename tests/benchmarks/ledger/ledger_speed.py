"""Speed of the ledger against raw Optuna, in the same run, on the same database files: a table in Markdown.

    python -m tests.benchmarks.ledger.ledger_speed [--quick] [--postgres] [--part claims|reads|trials]

10,000 cells of 100 evaluations, 100 validation and 200 test cases. Rows that take milliseconds are medians of rounds in
which both take turns. Where raw Optuna would take minutes it does a part, and the table says how much. Trials per
second: each worker is a process; a trial has 20 evaluations and 3 facts; "plain RDBStorage" is Optuna's default,
without our settings of SQLite.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
import warnings
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import optuna
import sqlalchemy as sa
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from optuna.trial import TrialState, create_trial

from search.policy.next_cell import free_cells
from search.tune.held_claims import HeldClaims
from storage.database.postgres_server import PrivateServer
from storage.database.tables import attempts
from storage.frames.study_frames import cells_frame, costs_frame, curves_frame
from storage.ledger import attempt_rows
from storage.ledger.cell_records import cell_totals, spent_seconds
from storage.ledger.count_rows import study_counts
from storage.ledger.leases import this_owner
from storage.ledger.ledger import Ledger
from storage.records import CellPlan, CellState, Claim, Evaluation, Scores, StudyRecord
from studies.monitor.status import render_status, status_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from multiprocessing.synchronize import Barrier

AXES = {"ratio": FloatDistribution(1e-6, 1.0), "depth": IntDistribution(2, 8)}
WORKER = {"device": "cpu", "device_share": 1.0, "device_name": "x", "planned_steps": 200, "versions": {}}
PARTS = ("claims", "reads", "trials")
REPORTS, FACTS = 20, {"a": 1.0, "b": 2.0, "c": "text"}
OURS, THEIRS = "ours", "theirs"


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    cells: int = 10_000
    evaluations: int = 100
    laid_out_by_optuna: int = 200
    claims: int = 40
    trials: int = 48
    rounds: int = 3


@dataclass(frozen=True)
class Row:
    """A line of the table; wall seconds, or trials a second. `cpu` are processor seconds of ours, in one process."""

    what: str
    ours: float
    theirs: float
    unit: str
    wanted: str
    is_met: bool
    cpu: float | None = None

    def text(self) -> str:
        """A row of Markdown."""
        ratio = self.ours / self.theirs if self.unit == "trials/s" else self.theirs / self.ours
        verdict = "met" if self.is_met else "MISSED"
        wanted = f"{self.wanted} {verdict}" if self.wanted else ""
        cpu = "" if self.cpu is None else f"{self.cpu:.2g}"
        return f"| {self.what} | {self.ours:.2g} | {cpu} | {self.theirs:.2g} | {self.unit} | {ratio:.3g} | {wanted} |"


def main() -> None:
    """Measure, print each line as it comes, then all."""
    parser = argparse.ArgumentParser(description="speed of the ledger against raw Optuna")
    parser.add_argument("--quick", action="store_true", help="a twentieth of everything")
    parser.add_argument("--postgres", action="store_true", help="on a private PostgreSQL server, not on SQLite files")
    parser.add_argument("--part", choices=PARTS, action="append", help="only this; may be given again")
    options = parser.parse_args()
    size = Size(cells=500, laid_out_by_optuna=50, claims=10, trials=16, rounds=1) if options.quick else Size()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")  # of Optuna, about its own experimental parts
    with tempfile.TemporaryDirectory(prefix="dicecurve-ledger-") as folder, _databases(Path(folder), options) as urls:
        load = os.getloadavg()[0] / (os.cpu_count() or 1)
        _say(f"{os.cpu_count()} cores; {load:.1f} processes waiting for each when it began\n")
        _say("| what | ours | of that CPU | raw Optuna | unit | times better | wanted |")
        _say("| --- | --- | --- | --- | --- | --- | --- |")
        for row in _rows(size, urls, options.part or PARTS):
            _say(row.text())


@contextmanager
def _databases(folder: Path, options: argparse.Namespace) -> Iterator[Callable[[str], str]]:
    """A function that names new databases."""
    if not options.postgres:
        yield lambda name: f"sqlite:///{folder}/{name}.db"
        return
    server = PrivateServer(folder / "server")
    server.start()
    query = f"?passfile={server.password_file}"

    def made(name: str) -> str:
        engine = sa.create_engine(server.url + query, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return server.url.rpartition("/")[0] + f"/{name}{query}"

    yield made
    server.stop()


def _rows(size: Size, urls: Callable[[str], str], parts: Collection[str]) -> Iterator[Row]:
    url = urls("whole")
    if "claims" in parts:
        yield _layout(size, url, urls("layout"))
        yield from _claims(size, url)
        yield _resume(size, url)
    if "reads" in parts:
        with Ledger.open(url, create=True) as ledger:
            ledger.layout(_study(ledger).study_id, _plans(size.cells))
        _fill(size, url)
        yield from _frames(size, url)
    for workers in (4, 16) if "trials" in parts else ():
        yield _throughput(size, workers, urls)


def _layout(size: Size, url: str, other: str) -> Row:
    with Ledger.open(url, create=True) as ledger:
        study = _study(ledger)
        before = time.process_time()
        ours = _seconds(lambda: ledger.layout(study.study_id, _plans(size.cells)))
        cpu = time.process_time() - before
    storage = RDBStorage(other)
    study_there = optuna.create_study(storage=storage, study_name="bench")
    trials = [
        create_trial(state=TrialState.WAITING, params={"ratio": p.ratio, "depth": p.depth}, distributions=AXES)
        for p in _plans(size.laid_out_by_optuna)
    ]
    theirs = _seconds(lambda: study_there.add_trials(trials)) * size.cells / len(trials)
    storage.engine.dispose()
    what = f"laying out {size.cells:,} cells (`add_trials`: {len(trials)}, scaled)"
    return Row(what, ours, theirs, "s", "<= 5 s", ours <= 5, cpu)


def _claims(size: Size, url: str) -> Iterator[Row]:
    storage = RDBStorage(url)
    study_there = optuna.load_study(storage=storage, study_name="bench")
    owner, alone, decided, theirs = this_owner(), [], [], []
    with Ledger.open(url) as ledger:
        study = ledger.find_study("bench")
        assert study is not None
        for _ in range(size.claims):
            cell = free_cells(ledger.cells(study.study_id))[0]
            alone.append(_seconds(partial(ledger.claim, study.study_id, [cell.plan.key], owner)))
            decided.append(_seconds(lambda: _decide_and_claim(ledger, study, owner)))
            theirs.append(_seconds(study_there.ask))
    storage.engine.dispose()
    rival = statistics.median(theirs)
    ours = statistics.median(alone)
    yield Row(f"a claim among {size.cells:,} cells (`ask`)", ours, rival, "s", "<= 0.02 s", ours <= 0.02)
    ours = statistics.median(decided)
    yield Row("the same with reading all cells and choosing", ours, rival, "s", "", is_met=True)


def _decide_and_claim(ledger: Ledger, study: StudyRecord, owner: str) -> None:
    """What the searcher does for one free slot."""
    live = HeldClaims(device_share=1.0)
    cell = free_cells(ledger.cells(study.study_id))[0]
    claim = ledger.claim(study.study_id, [cell.plan.key], owner)
    assert claim is not None
    live.add("trial", claim)


def _resume(size: Size, url: str) -> Row:
    ours, theirs, cpu = [], [], []
    for _ in range(size.rounds):
        before = time.process_time()
        ours.append(_seconds(lambda: _resume_ours(size, url)))
        cpu.append(time.process_time() - before)
        theirs.append(_seconds(lambda: _resume_theirs(url)))
    seconds = statistics.median(ours)
    what = f"resume of {size.cells:,} cells to the first claim (`load_study`, `ask`)"
    return Row(what, seconds, statistics.median(theirs), "s", "<= 5 s", seconds <= 5, statistics.median(cpu))


def _resume_ours(size: Size, url: str) -> None:
    with Ledger.open(url, create=True) as ledger:
        study = _study(ledger)
        ledger.layout(study.study_id, _plans(size.cells))
        spent_seconds(ledger, study.study_id)
        _decide_and_claim(ledger, study, this_owner())


def _resume_theirs(url: str) -> None:
    storage = RDBStorage(url)
    optuna.load_study(storage=storage, study_name="bench").ask()
    storage.engine.dispose()


def _fill(size: Size, url: str) -> None:
    """Give every cell its curve, in both tables, and the scores of its test phase, in bulk."""
    with Ledger.open(url) as ledger, ledger.engine.begin() as connection:
        ids = connection.execute(sa.select(attempts.c.id, attempts.c.trial_id)).all()
        numbers = range(1, size.evaluations + 1)
        values = [0.5 + number / 1000 for number in numbers]
        connection.execute(
            attempts.update().values(
                best_evaluation=1,
                validation_counts=[[500 + case, case, 2 * case] for case in range(100)],
                test_counts=[[500 + case, case, 2 * case] for case in range(200)],
            )
        )
        for start in range(0, len(ids), 500):
            some = ids[start : start + 500]
            curves = [
                vars(Evaluation(n, n / 2, 10 * n, v, 1.5, 0.25)) | {"attempt_id": attempt.id}
                for attempt in some
                for n, v in zip(numbers, values, strict=True)
            ]
            attempt_rows.insert_curves(connection, curves, {attempt.id: attempt.trial_id for attempt in some})


def _frames(size: Size, url: str) -> Iterator[Row]:
    with Ledger.open(url) as ledger:
        study = ledger.find_study("bench")
        assert study is not None
        number = study.study_id
        frames = _rounds(size, lambda: [read(ledger, number) for read in (cells_frame, curves_frame, costs_frame)])
        status = _rounds(size, lambda: _status(ledger, study))
    storage = RDBStorage(url)
    study_there = optuna.load_study(storage=storage, study_name="bench")
    theirs = _seconds(lambda: study_there.get_trials(deepcopy=False))
    storage.engine.dispose()
    for what, (ours, cpu) in (("frames: cells, curves, costs", frames), ("status", status)):
        named = f"{what}, of {size.cells:,} x {size.evaluations} (`get_trials`)"
        yield Row(named, ours, theirs, "s", "<= 5 s", ours <= 5, cpu)


def _rounds(size: Size, work: Callable[[], object]) -> tuple[float, float]:
    """Median wall seconds and mean CPU seconds of some rounds."""
    before = time.process_time()
    rounds = [_seconds(work) for _ in range(size.rounds)]
    return statistics.median(rounds), (time.process_time() - before) / size.rounds


def _status(ledger: Ledger, study: StudyRecord) -> str:
    """What `dicecurve status` does."""
    number = study.study_id
    records, counts = cell_totals(ledger, number), study_counts(ledger, number)
    return render_status(status_of(study, records, counts, spent_seconds(ledger, number)))


def _throughput(size: Size, workers: int, urls: Callable[[str], str]) -> Row:
    ours_url, their_url = urls(f"ours{workers}"), urls(f"theirs{workers}")
    with Ledger.open(ours_url, create=True) as ledger:
        ledger.layout(_study(ledger).study_id, _plans(size.trials))
    storage = RDBStorage(their_url)
    optuna.create_study(storage=storage, study_name="bench", direction="maximize")
    storage.engine.dispose()
    ours = size.trials / _together(_work_on_ours, ours_url, workers, size.trials)
    theirs = size.trials / _together(_work_on_theirs, their_url, workers, size.trials)
    what = f"trials/s, {workers} workers, {size.trials} trials (plain `RDBStorage`)"
    return Row(what, ours, theirs, "trials/s", ">= 2 x", ours >= 2 * theirs)


def _together(work: Callable[..., None], url: str, workers: int, trials: int) -> float:
    """Seconds from the moment when all workers are ready until the last has ended."""
    start = multiprocessing.get_context("forkserver")
    start.set_forkserver_preload(["tests.benchmarks.ledger.ledger_speed"])
    barrier = start.Barrier(workers + 1)
    processes = [start.Process(target=work, args=(url, trials // workers, barrier)) for _ in range(workers)]
    for process in processes:
        process.start()
    barrier.wait(120)
    seconds = _seconds(lambda: [process.join() for process in processes])
    assert all(process.exitcode == 0 for process in processes)
    return seconds


def _work_on_ours(url: str, _trials: int, barrier: Barrier) -> None:
    owner = this_owner()
    with Ledger.open(url) as ledger:
        study = ledger.find_study("bench")
        assert study is not None
        barrier.wait(120)
        while free := free_cells(ledger.cells(study.study_id)):
            claim = ledger.claim(study.study_id, [cell.plan.key for cell in free], owner)
            if claim is not None:
                _work_on_claim(ledger, claim)


def _work_on_claim(ledger: Ledger, claim: Claim) -> None:
    """A cell from its claim to its end, as the searcher records it."""
    points: list[Evaluation] = []
    for number in range(1, REPORTS + 1):
        points.append(Evaluation(number, number / 2, 10 * number, 0.5, 1.0, 0.1))
        ledger.record(claim, points, checkpoint=f"0001-{number:05d}", worker=WORKER)
    ledger.begin_test(claim)
    scores = Scores(1, ((1, 1, 1),), ((1, 1, 1),), 0.1)
    ledger.finish(claim, CellState.DONE, value=0.5, scores=scores, facts=FACTS)


def _work_on_theirs(url: str, trials: int, barrier: Barrier) -> None:
    storage = RDBStorage(url)
    study = optuna.load_study(storage=storage, study_name="bench")
    barrier.wait(120)
    done = 0
    while done < trials:
        with suppress(StorageInternalError):  # "database is locked": it gives up after five seconds
            trial = study.ask(AXES)
            for number in range(1, REPORTS + 1):
                trial.report(0.5, number)
            for name, value in FACTS.items():
                trial.set_user_attr(name, value)
            study.tell(trial, 0.5)
            done += 1
    storage.engine.dispose()


def _study(ledger: Ledger) -> StudyRecord:
    return ledger.create_study(
        "bench", identity={}, running={"policy": "grid"}, fingerprint="f", split={}, groups={}, facts={}
    )


def _plans(number: int) -> list[CellPlan]:
    return [CellPlan(f"cell{i}", (i + 1) / (number + 1), 2 + i % 7, 0, i + 1, 1000) for i in range(number)]


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
