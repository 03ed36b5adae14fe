"""A recorded surface through the real policy, stop rule and ledger: what it would have cost and answered."""

from __future__ import annotations

import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from models.networks.architectures import count_parameters
from models.protocol import MAX_DEPTH, MIN_DEPTH, TrainingSpec
from search.analysis.answer import answer
from search.curves.measurements import Planned
from search.policy.decision_spec import WORTH, DecisionSpec
from search.replay.recorded_surface import recorded_runs
from search.replay.regret import regret
from search.replay.simulator import replay, steps_by_cases
from storage.errors import InputError
from storage.ledger.cell_records import cell_records, spent_seconds
from storage.ledger.ledger import Ledger
from storage.variants import configuration_of
from studies.results.findings import measurement

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from models.forecaster.interface import Forecaster
    from search.analysis.answer import Answer
    from search.analysis.ranking import RankedConfiguration
    from search.policy.decision_spec import PolicyName
    from search.policy.stop_rule import StopSpec
    from search.prices import PriceSpec
    from search.replay.simulator import RecordedRun, ReplayedStudy
    from storage.records import CellRecord
    from storage.variants import ConfigurationKey

REPLICATES = 500


@dataclass(frozen=True)
class ReplaySpec:
    """How a surface is replayed.

    Attributes:
        policy: Which cells, and whether trainings may end early.
        gpus: Simulated GPUs.
        tolerance: In DSC.
        target: DSC to reach, or None.
        prices: Of hours and cases.
        stop: The stop rule's settings.
        forecaster: What the stop rule asks.
        d0: DSC of "everything is foreground".
        held_out_cases: Validation and test cases, part of every price.
        seeds: Those of the grid; the others are fresh seeds.
        worth: As in `DecisionSpec`.
        seed: As in `DecisionSpec`.
        clock: As in `replay`.
    """

    policy: PolicyName
    gpus: int
    tolerance: float
    target: float | None
    prices: PriceSpec
    stop: StopSpec
    forecaster: Forecaster
    d0: float
    held_out_cases: int
    seeds: tuple[int, ...] = (0,)
    worth: float = WORTH
    seed: int = 0
    clock: Callable[[], float] = time.perf_counter


@dataclass(frozen=True, eq=False)
class Replayed:
    """A replay and its answer.

    Attributes:
        run: What the replay measured.
        records: Every cell as the ledger holds it.
        answer: Of what was measured; the rest is forecast.
        gpu_seconds: Spent, tests and confirmations included.
        grid_gpu_seconds: That training every cell of the grid takes.
    """

    run: ReplayedStudy
    records: tuple[CellRecord, ...]
    answer: Answer
    gpu_seconds: float
    grid_gpu_seconds: float


def read_surface(path: Path) -> list[RecordedRun]:
    """Every training of a CSV file.

    Raises:
        InputError: It cannot be read, or is no surface.
    """
    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path} as CSV: {error}") from None
    depths = range(MIN_DEPTH, MAX_DEPTH + 1)
    parameters = {depth: count_parameters(TrainingSpec(size=256), depth, 3) for depth in depths}
    return recorded_runs(table, str(path), parameters)


def replay_surface(runs: Sequence[RecordedRun], spec: ReplaySpec) -> Replayed:
    """Replay a surface in a ledger of its own, which is thrown away.

    Raises:
        InputError: No run has a seed of the grid.
    """
    grid = [run for run in runs if run.plan.seed in spec.seeds]
    if not grid:
        seeds = sorted({run.plan.seed for run in runs})
        raise InputError(
            f"no run has a seed of {list(spec.seeds)}, the surface has {seeds}; choose among them (--seed)"
        )
    num_train = _num_train(grid)
    with (
        tempfile.TemporaryDirectory(prefix="dicecurve-replay-") as folder,
        Ledger.open(f"sqlite:///{Path(folder) / 'replay.db'}", create=True) as ledger,
    ):
        study = ledger.create_study("replay", **_study_parts(num_train, spec))
        ledger.layout(study.study_id, [run.plan for run in grid])
        decision_spec = _decision_spec(runs, num_train, spec)
        replayed = replay(ledger, study, runs, decision_spec, spec.gpus, clock=spec.clock)
        records = tuple(cell_records(ledger, study.study_id))
        spent = spent_seconds(ledger, study.study_id)
    return Replayed(
        run=replayed,
        records=records,
        answer=_answer(records, grid, num_train, spec),
        gpu_seconds=spent,
        grid_gpu_seconds=sum(_seconds(run) for run in grid),
    )


def to_dict(replayed: Replayed, runs: Sequence[RecordedRun], spec: ReplaySpec) -> dict[str, Any]:
    """Everything that `--json` prints."""
    row = replayed.answer.recommended
    return {
        "gpu_seconds": replayed.gpu_seconds,
        "grid_gpu_seconds": replayed.grid_gpu_seconds,
        "share": replayed.gpu_seconds / replayed.grid_gpu_seconds,
        "recommended": row and _recommended(row),
        **_regrets(replayed, runs, spec),
        "replay": asdict(replayed.run),
        "cells": [_cell(record) for record in replayed.records],
    }


def _recommended(row: RankedConfiguration) -> dict[str, Any]:
    named = {"variant": row.variant} if row.variant else {}
    return {"ratio": row.ratio, "depth": row.depth, **named, "dsc": row.estimate.value}


def _study_parts(num_train: int, spec: ReplaySpec) -> dict[str, Any]:
    held_out = [f"held-out-{index}" for index in range(spec.held_out_cases)]
    return {
        "identity": {},
        "running": {"policy": spec.policy, "tolerance": spec.tolerance},
        "fingerprint": "replay",
        "split": {"train": [str(n) for n in range(num_train)], "validation": held_out[:1], "test": held_out[1:]},
        "groups": {},
        "facts": {"d0": spec.d0},
    }


def _num_train(grid: Sequence[RecordedRun]) -> int:
    largest = max((run.plan for run in grid), key=lambda plan: plan.num_cases)
    return round(largest.num_cases / largest.ratio)


def _decision_spec(runs: Sequence[RecordedRun], num_train: int, spec: ReplaySpec) -> DecisionSpec:
    """What is asked for, with what the surface itself tells."""
    return DecisionSpec(
        policy=spec.policy,
        stop=spec.stop,
        forecaster=spec.forecaster,
        d0=spec.d0,
        evaluations=len(runs[0].curve),
        total_steps=steps_by_cases(runs).__getitem__,
        tolerance=spec.tolerance,
        target=spec.target,
        num_train=num_train,
        held_out_cases=spec.held_out_cases,
        prices=spec.prices,
        worth=spec.worth,
        seed=spec.seed,
    )


def _answer(records: Sequence[CellRecord], grid: Sequence[RecordedRun], num_train: int, spec: ReplaySpec) -> Answer:
    measured = [measurement(record) for record in records if record.attempt.scores is not None]
    known = {configuration_of(cell) for cell in measured}
    waiting = [run for run in grid if configuration_of(run.plan) not in known and run.plan.seed == spec.seeds[0]]
    return answer(
        measured,
        num_train=num_train,
        num_validation=spec.held_out_cases,
        num_test=0,
        prices=spec.prices,
        tolerance=spec.tolerance,
        target=spec.target,
        replicates=REPLICATES,
        planned=[_planned(run) for run in waiting],
    )


def _planned(run: RecordedRun) -> Planned:
    plan = run.plan
    return Planned(plan.depth, plan.ratio, plan.num_cases, plan.parameters, "gpu", _seconds(run), variant=plan.variant)


def _regrets(replayed: Replayed, runs: Sequence[RecordedRun], spec: ReplaySpec) -> dict[str, float | None]:
    """Against the mean of everything that was recorded of each configuration."""
    row = replayed.answer.recommended
    if row is None:
        return {"dsc_regret": None, "cost_regret": None, "case_error": None}
    ranked = sorted(replayed.answer.ranking, key=configuration_of)
    return asdict(
        regret(
            ranked.index(row),
            np.array([_recorded_dsc(runs, configuration_of(configuration)) for configuration in ranked]),
            np.array([configuration.price for configuration in ranked]),
            np.array([float(configuration.num_cases) for configuration in ranked]),
            num_train=replayed.answer.num_train,
            tolerance=spec.tolerance,
            target=spec.target,
        )
    )


def _recorded_dsc(runs: Sequence[RecordedRun], configuration: ConfigurationKey) -> float:
    own = [run for run in runs if configuration_of(run.plan) == configuration]
    return float(np.mean([_best_test(run) for run in own]))


def _best_test(run: RecordedRun) -> float:
    best = max(range(len(run.curve)), key=lambda index: run.curve[index].val_dsc)
    return run.test_curve[best]


def _seconds(run: RecordedRun) -> float:
    return sum(point.train_seconds + point.val_seconds for point in run.curve)


def _cell(record: CellRecord) -> dict[str, Any]:
    cell, attempt = record.cell, record.attempt
    forecast = cell.skip or attempt.forecast
    return {
        "cell": cell.plan.key,
        "role": cell.plan.role,
        "state": "skipped" if cell.skip is not None else cell.state.value,
        "evaluations": len(record.curve),
        "measured_val_dsc": None if record.best is None else record.best.val_dsc,
        "forecast_val_dsc": None if forecast is None else [forecast.mean, forecast.lower, forecast.upper],
        "reason": cell.skip.reason if cell.skip is not None else attempt.stop_reason,
    }
