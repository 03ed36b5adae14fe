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

from search.policy.claim_queue import ClaimQueue
from search.policy.decisions import Decisions
from search.policy.stop_rule import outcome
from storage.ledger.cell_records import cell_record
from storage.ledger.leases import this_owner
from storage.records import CellPlan, Scores
from storage.variants import recipe_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from search.policy.decisions import DecisionSpec
    from search.policy.stop_rule import StopDecision
    from storage.ledger.ledger import Ledger
    from storage.records import Claim, Evaluation, StudyRecord
    from storage.variants import Recipe

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
    return _Replay(ledger, study, runs, spec, gpus, until_seconds, _Clock(clock)).run()


@dataclass
class _Slot:
    """A simulated GPU and what runs on it."""

    claim: Claim
    run: RecordedRun
    done: int = 0  # evaluations


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
class _Replay:
    ledger: Ledger
    study: StudyRecord
    runs: Iterable[RecordedRun]
    spec: DecisionSpec
    gpus: int
    until_seconds: float = math.inf
    clock: _Clock = field(default_factory=lambda: _Clock(time.perf_counter))
    claims: int = 0
    reports: int = 0
    reused: list[str] = field(default_factory=list)

    def run(self) -> ReplayedStudy:
        self._decisions = Decisions(self.ledger, self.study, self.spec, lambda: self.gpus)
        self._queue = ClaimQueue(self.ledger, self.study.study_id, this_owner(), self._decisions)
        self._by_configuration: dict[tuple[Recipe, int], list[RecordedRun]] = defaultdict(list)
        for each in self.runs:
            self._by_configuration[recipe_of(each.plan), each.plan.num_cases].append(each)
        self._stand_ins: dict[str, RecordedRun] = {}  # by the fresh seed whose place they take
        self._slots: dict[int, _Slot] = {}
        self._events: list[tuple[float, int]] = []
        self._fill()
        while self._events and self.clock.now < self.until_seconds:
            self.clock.now, gpu = heapq.heappop(self._events)
            self._advance(gpu)
            self._fill()
        if not self._events:
            self._decisions.close()
        end = max(self.clock.now, self.clock.driver_free_at)
        beyond = sum(max(0.0, at - end) for at, _ in self._events)
        idle = 1.0 - (self.clock.busy_seconds - beyond) / (end * self.gpus) if end else 0.0
        return ReplayedStudy(end, idle, self.clock.driver_seconds, self.claims, self.reports, tuple(self.reused))

    def _fill(self) -> None:
        """Give every idle GPU a cell, as long as there are any."""
        for gpu in range(self.gpus):
            if gpu in self._slots:
                continue
            claim = self.clock.drive(self._claim)
            if claim is None:
                return
            self._slots[gpu] = _Slot(claim, self._recorded(claim.plan))
            self._begin(gpu)

    def _claim(self) -> Claim | None:
        claim = self._queue.claim(lambda: self.ledger.cells(self.study.study_id))
        self.claims += claim is not None
        return claim

    def _recorded(self, plan: CellPlan) -> RecordedRun:
        """The training of a cell; a fresh seed takes one that no cell has, if the surface has it."""
        found = self._by_configuration[recipe_of(plan), plan.num_cases]
        same = next((run for run in found if run.plan.seed == plan.seed), None)
        if same is None and plan.key not in self._stand_ins:
            self._stand_ins[plan.key] = self._stand_in(plan, found)
        return same or self._stand_ins[plan.key]

    def _stand_in(self, plan: CellPlan, found: Sequence[RecordedRun]) -> RecordedRun:
        taken = {cell.plan.key for cell in self.ledger.cells(self.study.study_id)}
        taken |= {run.plan.key for run in self._stand_ins.values()}
        fresh = next((run for run in found if run.plan.key not in taken), None)
        if fresh is None:
            self.reused.append(plan.key)
        return fresh or found[0]

    def _begin(self, gpu: int) -> None:
        slot = self._slots[gpu]
        seconds = self._phase_seconds(slot)
        self.clock.busy_seconds += seconds
        heapq.heappush(self._events, (max(self.clock.now, self.clock.driver_free_at) + seconds, gpu))

    def _phase_seconds(self, slot: _Slot) -> float:
        """Until the slot's next report."""
        if slot.claim.phase == "test":
            return TEST_PER_VALIDATION * slot.run.curve[0].val_seconds
        point = slot.run.curve[slot.done]
        return point.train_seconds + point.val_seconds

    def _advance(self, gpu: int) -> None:
        slot = self._slots[gpu]
        if slot.claim.phase == "test":
            self.clock.drive(lambda: self._finish(slot))
            del self._slots[gpu]
            return
        slot.done += 1
        self.reports += 1
        if self.clock.drive(lambda: self._report(slot)):
            del self._slots[gpu]
        else:
            self._begin(gpu)

    def _report(self, slot: _Slot) -> bool:
        """Record an evaluation; whether the training was stopped. At its end the GPU goes on to the test."""
        curve = slot.run.curve[: slot.done]
        whole = slot.done == len(slot.run.curve)
        decision = None if whole else self._decisions.stop(slot.claim.plan, curve)
        self.ledger.record(
            slot.claim,
            curve,
            checkpoint=None,
            worker={
                "device": self.spec.context.device,
                "device_share": self.spec.context.device_share,
                "planned_steps": slot.run.curve[-1].step,
            },
            test_curve={slot.done: slot.run.test_curve[slot.done - 1]},
        )
        if whole:
            self.ledger.begin_test(slot.claim)
            slot.claim = replace(slot.claim, phase="test")
        elif decision is not None:
            self._end_training(slot.claim, decision)
        return decision is not None

    def _end_training(self, claim: Claim, decision: StopDecision) -> None:
        if decision.kind == "cannot_matter":
            self.ledger.prune(claim, decision.reason, decision.forecast)
        else:
            self.ledger.send_to_test(claim, stop_reason=decision.reason, forecast=decision.forecast)

    def _finish(self, slot: _Slot) -> None:
        record = cell_record(self.ledger, self.study.study_id, slot.claim.plan.key)
        best = record.best
        assert best is not None
        test = slot.run.test_curve[best.evaluation - 1]
        scores = Scores(best.evaluation, (counts_of(best.val_dsc),), (counts_of(test),), self._phase_seconds(slot))
        state = outcome(record.curve, self.spec.d0)
        self.ledger.finish(slot.claim, state, value=best.val_dsc, scores=scores, facts={})


def counts_of(dsc: float) -> tuple[int, int, int]:
    """(true positives, false positives, false negatives) of one pretended case with this DSC."""
    hit = round(WHOLE * dsc)
    return hit, WHOLE - hit, WHOLE - hit


def steps_by_cases(runs: Iterable[RecordedRun]) -> Mapping[int, int]:
    """Optimiser steps of the full budget, by number of training cases."""
    return {run.plan.num_cases: run.curve[-1].step for run in runs}
