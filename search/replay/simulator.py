"""Recorded trainings run again through the real policy, stop rule and ledger, in simulated time: no Ray, no training.

A discrete-event loop in Tune's order of calls: an evaluation ends, the stop rule is asked, the ledger records, a free
GPU asks for the next cell. The driver does one thing at a time, and what its calls really take is added to the clock.
"""

from __future__ import annotations

import heapq
import math
import time
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from search.policy.bookkeeping import Bookkeeping
from search.policy.claim_queue import ClaimQueue
from search.policy.decisions import Decisions
from search.worker.reports import TestReport, TrainReport
from storage.ledger.cell_records import cell_record
from storage.ledger.leases import this_owner
from storage.records import CellPlan, Scores
from storage.variants import configuration_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from search.policy.decision_spec import DecisionSpec
    from storage.ledger.ledger import Ledger
    from storage.records import Cell, CellRecord, Claim, Evaluation, StudyRecord
    from storage.variants import ConfigurationKey

TEST_PER_VALIDATION = 2.0  # a test phase scores validation and test cases: as long as two validations, if not more
WHOLE = 1_000_000  # counts of one pretended case that has a given DSC


@dataclass(frozen=True)
class RecordedRun:
    """One training as it was recorded.

    Attributes:
        plan: Its cell.
        curve: Evaluations of the full budget.
        test_curve: Test DSC of each evaluation.
    """

    plan: CellPlan
    curve: tuple[Evaluation, ...]
    test_curve: tuple[float, ...]


@dataclass(frozen=True)
class ReplayedStudy:
    """What a replay measured besides what stands in its ledger.

    Attributes:
        wall_seconds: Simulated time from the first claim to the end.
        waiting_share: Share of that time for which GPUs stood idle while there was work.
        driver_seconds: What the driver's calls really took.
        claims: Cells that were given out, tests included.
        reports: Evaluations that were reported.
        reused: Cells of a fresh seed for which the surface has none, so that a recorded one was counted again.
    """

    wall_seconds: float
    waiting_share: float
    driver_seconds: float
    claims: int
    reports: int
    reused: tuple[str, ...]


def replay(
    ledger: Ledger,
    study: StudyRecord,
    runs: Iterable[RecordedRun],
    spec: DecisionSpec,
    gpus: int,
    *,
    until_seconds: float = math.inf,
    clock: Callable[[], float] = time.perf_counter,
) -> ReplayedStudy:
    """Run a laid-out study to its end from recorded trainings.

    Args:
        ledger: Holds the study.
        study: Its cells are those of the grid.
        runs: Every training that was recorded, further seeds for confirmations among them.
        spec: What decisions follow.
        gpus: Simulated GPUs, each for one trial.
        until_seconds: Break it off after so much simulated time.
        clock: Times the driver's calls; `time.process_time` leaves out what other processes of a busy machine take.
    """
    return _Simulation(ledger, study, _Surface(runs), spec, gpus, _Clock(clock)).run(until_seconds)


class _Surface:
    """The recorded trainings, and which of them take the place of seeds that are not recorded.

    Attributes:
        reused: Cells of a fresh seed whose configuration has no other seed left, so that one was counted again.
    """

    def __init__(self, runs: Iterable[RecordedRun]) -> None:
        self._by_configuration: dict[ConfigurationKey, list[RecordedRun]] = defaultdict(list)
        for run in runs:
            self._by_configuration[configuration_of(run.plan)].append(run)
        self._stand_ins: dict[str, RecordedRun] = {}  # by the cell of the fresh seed
        self.reused: list[str] = []

    def run_of(self, plan: CellPlan, laid_out: Callable[[], Iterable[Cell]]) -> RecordedRun:
        """The training of a cell; a fresh seed takes one that no cell has, if there is one."""
        runs = self._by_configuration[configuration_of(plan)]
        own = next((run for run in runs if run.plan.seed == plan.seed), None)
        if own is None and plan.key not in self._stand_ins:
            taken = {cell.plan.key for cell in laid_out()} | {run.plan.key for run in self._stand_ins.values()}
            self._stand_ins[plan.key] = self._stand_in(plan, runs, taken)
        return own or self._stand_ins[plan.key]

    def _stand_in(self, plan: CellPlan, runs: Sequence[RecordedRun], taken: set[str]) -> RecordedRun:
        fresh = next((run for run in runs if run.plan.key not in taken), None)
        if fresh is None:
            self.reused.append(plan.key)
        return fresh or runs[0]


@dataclass
class _Clock:
    """Simulated time, and how long GPUs and driver worked."""

    read: Callable[[], float]
    now: float = 0.0
    driver_free_at: float = 0.0
    driver_seconds: float = 0.0
    busy_seconds: float = 0.0

    def drive(self, call: Callable[[], Any]) -> Any:
        """Do something as the driver: it begins when the driver is free, and takes what it really takes."""
        started = self.read()
        result = call()
        took = self.read() - started
        self.driver_free_at = max(self.now, self.driver_free_at) + took
        self.driver_seconds += took
        return result


@dataclass
class _Slot:
    """A simulated GPU and what runs on it, as its worker would report it."""

    claim: Claim
    run: RecordedRun
    done: int = 0  # evaluations

    @property
    def phase_seconds(self) -> float:
        """Until its next report."""
        if self.claim.phase == "test":
            return TEST_PER_VALIDATION * self.run.curve[0].val_seconds
        point = self.run.curve[self.done]
        return point.train_seconds + point.val_seconds

    def train_report(self, spec: DecisionSpec) -> TrainReport:
        """After the evaluation that was just done."""
        return TrainReport(
            curve=self.run.curve[: self.done],
            test_curve={self.done: self.run.test_curve[self.done - 1]},
            checkpoint=None,
            worker={
                "device": spec.device,
                "device_share": spec.device_share,
                "planned_steps": self.run.curve[-1].step,
            },
            finished=self.done == len(self.run.curve),
        )

    def test_report(self, record: CellRecord) -> TestReport:
        """After the test of what the cell's curve holds."""
        best = record.best
        assert best is not None
        test_dsc = self.run.test_curve[best.evaluation - 1]
        counts = (counts_of(best.val_dsc),), (counts_of(test_dsc),)
        return TestReport(Scores(best.evaluation, *counts, self.phase_seconds))


@dataclass
class _Simulation:
    """The event loop: an event is a GPU's next report."""

    ledger: Ledger
    study: StudyRecord
    surface: _Surface
    spec: DecisionSpec
    gpus: int
    clock: _Clock
    claims: int = 0
    reports: int = 0
    slots: dict[int, _Slot] = field(default_factory=dict)  # by GPU
    events: list[tuple[float, int]] = field(default_factory=list)  # at which time, of which GPU

    def __post_init__(self) -> None:
        self._decisions = Decisions(self.ledger, self.study, self.spec, lambda: self.gpus)
        self._queue = ClaimQueue(self.ledger, self.study.study_id, this_owner(), self._decisions)
        self._books = Bookkeeping(self.ledger, self.spec.d0, close_checkpoints=lambda _claim: None)

    def run(self, until_seconds: float) -> ReplayedStudy:
        """Until nothing is left to be done, or so much time has passed."""
        self._fill()
        while self.events and self.clock.now < until_seconds:
            self.clock.now, gpu = heapq.heappop(self.events)
            self._advance(gpu)
            self._fill()
        if not self.events:
            self._decisions.close()
        end = max(self.clock.now, self.clock.driver_free_at)
        return ReplayedStudy(
            wall_seconds=end,
            waiting_share=self._idle_share(end),
            driver_seconds=self.clock.driver_seconds,
            claims=self.claims,
            reports=self.reports,
            reused=tuple(self.surface.reused),
        )

    def _idle_share(self, end: float) -> float:
        """Of all GPUs from the start to the end."""
        beyond = sum(max(0.0, at - end) for at, _ in self.events)
        return 1.0 - (self.clock.busy_seconds - beyond) / (end * self.gpus) if end else 0.0

    def _fill(self) -> None:
        """Give every idle GPU a cell, as long as there are any."""
        for gpu in range(self.gpus):
            if gpu in self.slots:
                continue
            claim = self.clock.drive(self._claim)
            if claim is None:
                return
            self.slots[gpu] = _Slot(claim, self.surface.run_of(claim.plan, self._cells))
            self._begin(gpu)

    def _cells(self) -> list[Cell]:
        return self.ledger.cells(self.study.study_id)

    def _claim(self) -> Claim | None:
        claim = self._queue.claim(self._cells)
        self.claims += claim is not None
        return claim

    def _begin(self, gpu: int) -> None:
        seconds = self.slots[gpu].phase_seconds
        self.clock.busy_seconds += seconds
        heapq.heappush(self.events, (max(self.clock.now, self.clock.driver_free_at) + seconds, gpu))

    def _advance(self, gpu: int) -> None:
        """Hear what a GPU reports; it goes on, or is idle again."""
        slot = self.slots[gpu]
        ends = self._finish if slot.claim.phase == "test" else self._report
        if self.clock.drive(lambda: ends(slot)):
            del self.slots[gpu]
        else:
            self._begin(gpu)

    def _report(self, slot: _Slot) -> bool:
        """Record an evaluation; whether the training was stopped. At its end the GPU goes on to the test."""
        slot.done += 1
        self.reports += 1
        report = slot.train_report(self.spec)
        decision = None if report.finished else self._decisions.stop(slot.claim.plan, report.curve)
        if decision is not None:
            self._books.end_training(slot.claim, report, decision)
            return True
        self._books.record(slot.claim, report)
        if report.finished:
            slot.claim = replace(slot.claim, phase="test")
        return False

    def _finish(self, slot: _Slot) -> bool:
        """Close a tested cell; its GPU is idle."""
        record = cell_record(self.ledger, self.study.study_id, slot.claim.plan.key)
        self._books.finish(slot.claim, record, slot.test_report(record))
        return True


def counts_of(dsc: float) -> tuple[int, int, int]:
    """(true positives, false positives, false negatives) of one pretended case with this DSC."""
    hit = round(WHOLE * dsc)
    return hit, WHOLE - hit, WHOLE - hit


def steps_by_cases(runs: Iterable[RecordedRun]) -> Mapping[int, int]:
    """Optimiser steps of the full budget, by number of training cases."""
    return {run.plan.num_cases: run.curve[-1].step for run in runs}
