"""What a driver does per trial and per report with 10,000 cells on 512 simulated GPUs, and how long these wait for it.

    python -m tests.benchmarks.cluster.cluster_scale [--cells 10000] [--gpus 512] [--minutes 15] [--postgres]
        [--ray-trials N]

Trainings of 30 evaluations of 20 s are replayed through the real policy `grid` and a real ledger; what the driver's
calls take is added to the simulated clock. A part of the study is enough: 15 simulated minutes from the start, whose
claims all come at once, hold every GPU's first training and its end. With --ray-trials trials of two trivial steps run
on real Ray, by the real searcher, which tells what Tune itself costs.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from models.forecaster.baselines.parametric import ParametricForecaster
from search.grid import cell_key
from search.policy.decision_spec import DecisionSpec
from search.policy.stop_rule import StopSpec
from search.prices import PriceSpec
from search.replay.simulator import RecordedRun, replay
from storage.database.postgres_server import PrivateServer
from storage.ledger.ledger import Ledger
from storage.records import CellPlan, Evaluation
from tests.benchmarks.rounds import say, where

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from storage.records import StudyRecord

EVALUATIONS, SECONDS, NUM_TRAIN, DEPTHS, SEEDS = 30, 20.0, 100_000, 5, 10
MOST_WAITING = 0.02


def main() -> None:
    """Replay, and print the table."""
    parser = argparse.ArgumentParser(description="A driver's time per trial and report, and the wait for it.")
    parser.add_argument("--cells", type=int, default=10_000, help="default: %(default)s")
    parser.add_argument("--gpus", type=int, default=512, help="simulated (default: %(default)s)")
    parser.add_argument("--minutes", type=float, default=15.0, help="simulated time (default: %(default)s)")
    parser.add_argument("--postgres", action="store_true", help="PostgreSQL in place of SQLite")
    parser.add_argument("--cpu", action="store_true", help="count CPU seconds, where the machine has other work too")
    parser.add_argument("--ray-trials", type=int, default=0, help="trivial trials on real Ray (default: none)")
    options = parser.parse_args()
    say(f"{where()}; {options.cells} cells, {options.gpus} simulated GPUs, {SECONDS:g} s an evaluation\n")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        with database(Path(folder), postgres=options.postgres) as url, Ledger.open(url, create=True) as ledger:
            simulate(ledger, options.cells, options.gpus, 60 * options.minutes, cpu=options.cpu)
        if options.ray_trials:
            from tests.benchmarks.cluster.trivial_trials import ours

            took, driver = ours(Path(folder), options.ray_trials, reports=2)
            say(
                f"\nreal Ray, {options.ray_trials} trials of two trivial steps: {1e3 * took:.0f} ms a trial, of which "
                f"{1e3 * driver:.0f} ms CPU of the driver"
            )


@contextmanager
def database(folder: Path, *, postgres: bool) -> Iterator[str]:
    """URL of an empty database."""
    if not postgres:
        yield f"sqlite:///{folder}/scale.db"
        return
    server = PrivateServer(folder / "server")
    server.start()
    password = server.password_file.read_text().strip().rpartition(":")[2]
    yield server.url.replace("@", f":{password}@")
    server.stop("immediate")


def simulate(ledger: Ledger, cells: int, gpus: int, seconds: float, *, cpu: bool) -> None:
    """Replay the first part of a study, and tell what it took."""
    study, runs = fill(ledger, cells)
    timed: dict[str, list[float]] = {}
    clock = time.process_time if cpu else time.perf_counter
    for name in ("cells", "claim", "record", "begin_test", "finish"):
        setattr(ledger, name, with_time(getattr(ledger, name), timed.setdefault(name, []), clock))
    run = replay(ledger, study, runs, decision_spec(), gpus, until_seconds=seconds, clock=clock)
    for name in timed:
        delattr(ledger, name)
    say("| | | wanted |")
    say("| --- | --- | --- |")
    say(f"| simulated minutes, claims, reports | {run.wall_seconds / 60:.1f}, {run.claims}, {run.reports} | |")
    verdict = "met" if run.waiting_share <= MOST_WAITING else "MISSED"
    say(f"| GPUs wait | {run.waiting_share:.2%} | <= {MOST_WAITING:.0%} {verdict} |")
    say(f"| the driver works | {run.driver_seconds / run.wall_seconds:.0%} of the time{' (CPU)' if cpu else ''} | |")
    reports = timed["record"]
    mean, high = 1e3 * float(np.mean(reports)), 1e3 * float(np.percentile(reports, 95))
    say(f"| a report | {mean:.1f} ms (95 %: {high:.1f}) | |")
    others = run.driver_seconds - sum(reports)
    say(f"| a claim and its end, reports left out | {1e3 * others / max(1, run.claims):.0f} ms | |")
    calls = sum(len(values) for values in timed.values())
    say(f"| calls of the database | {calls / run.wall_seconds:.1f} a simulated second | |")
    for name, values in timed.items():
        say(f"| of these {name} | {len(values)}, {1e3 * float(np.mean(values or [0.0])):.1f} ms each | |")


def with_time(function: Any, times: list[float], clock: Callable[[], float]) -> Any:
    """The same function, its seconds written down."""

    def timed(*args: Any, **kwargs: Any) -> Any:
        started = clock()
        try:
            return function(*args, **kwargs)
        finally:
            times.append(clock() - started)

    return timed


def fill(ledger: Ledger, number: int) -> tuple[StudyRecord, list[RecordedRun]]:
    """A study of so many cells, and a recorded training for each."""
    parts = {"identity": {}, "running": {}, "fingerprint": "f", "groups": {}, "facts": {"d0": 0.2}}
    split: dict[str, list[str]] = {"train": [], "validation": [], "test": []}
    study = ledger.create_study("scale", split=split, **parts)
    ratios = np.linspace(0.01, 1.0, -(-number // (DEPTHS * SEEDS))).round(6).tolist()
    plans = [
        CellPlan(cell_key(ratio, depth, seed), ratio, depth, seed, round(NUM_TRAIN * ratio), 1000 * 4**depth)
        for ratio in ratios
        for depth in range(2, 2 + DEPTHS)
        for seed in range(SEEDS)
    ][:number]
    ledger.layout(study.study_id, plans)
    rng = np.random.default_rng(0)
    return study, [recorded(plan, rng) for plan in plans]


def recorded(plan: CellPlan, rng: np.random.Generator) -> RecordedRun:
    """Evaluations of about 20 s each; no two cells keep step."""
    seconds = SECONDS * rng.uniform(0.7, 1.3, EVALUATIONS)
    curve = tuple(
        Evaluation(i + 1, float(i + 1), i + 1, 0.8 * (1 - 0.8 ** (i + 1)), 0.9 * float(took), 0.1 * float(took))
        for i, took in enumerate(seconds)
    )
    return RecordedRun(plan, curve, tuple(point.val_dsc for point in curve))


def decision_spec() -> DecisionSpec:
    """Every cell, to its full budget."""
    return DecisionSpec(
        policy="grid",
        stop=StopSpec(),
        forecaster=ParametricForecaster(),
        d0=0.2,
        evaluations=EVALUATIONS,
        total_steps=lambda cases: cases,
        tolerance=0.01,
        target=None,
        num_train=NUM_TRAIN,
        held_out_cases=300,
        prices=PriceSpec(),
    )


if __name__ == "__main__":
    main()
