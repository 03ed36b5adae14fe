"""Seconds and size of the report of a large study, stage by stage.

    python -m tests.benchmarks.ledger.report_speed [--keep FILE] [--seeds 10]

10,000 cells by default: 5 depths, 200 ratios, 10 seeds; 100 evaluations, 100 validation and 200 test cases a cell, on
SQLite. The report is that of `dicecurve report`, in a process of its own, the start of Python included.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import sqlalchemy as sa

from storage.database.tables import attempts, cells, evaluations
from storage.ledger.ledger import Ledger
from storage.records import CellPlan, CellState

DEPTHS, RATIOS, EVALUATIONS, NUM_TRAIN, HELD_OUT = range(2, 7), 200, 100, 2000, (100, 200)
MOST_SECONDS, MOST_BYTES = 10, 15_000_000


def main() -> None:
    """Make the study, report it, and tell how long that took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", metavar="FILE", help="database that is made, or used again")
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = Path(options.keep) if options.keep else Path(folder) / "study.db"
        url = f"sqlite:///{database.absolute()}"
        if not database.exists():
            make_study(url, options.seeds)
        page = Path(folder) / "report.html"
        started = time.perf_counter()
        arguments = [sys.executable, "-m", "studies", "report", "--storage", url, "-o", str(page)]
        subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL, env=os.environ)
        seconds = time.perf_counter() - started
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        size = page.stat().st_size
    print(f"| report of {5 * RATIOS * options.seeds:,} cells | wanted |\n| --- | --- |")
    print(f"| {seconds:.1f} s, of CPU {used.ru_utime + used.ru_stime:.1f} s | < {MOST_SECONDS} s |")
    print(f"| {size / 1e6:.1f} MB | < {MOST_BYTES / 1e6:.0f} MB |")


def make_study(url: str, seeds: int) -> None:
    """A finished study whose DSC rises with cases and depth, some of its cells flagged."""
    sizes = np.unique(np.geomspace(20, NUM_TRAIN, RATIOS + 40).round().astype(int))[-RATIOS:]
    plans = [
        CellPlan(f"n{n}-depth{d}-seed{s}", round(float(n / NUM_TRAIN), 6), d, s, int(n), 1000 * 4**d)
        for s in range(seeds)
        for d in DEPTHS
        for n in sizes
    ]
    names = [f"case{number}" for number in range(NUM_TRAIN + sum(HELD_OUT))]
    parts = np.split(np.array(names), [NUM_TRAIN, NUM_TRAIN + HELD_OUT[0]])
    split = {part: some.tolist() for part, some in zip(("train", "validation", "test"), parts, strict=True)}
    running = {"policy": "grid", "tolerance": 0.01, "target_dsc": None, "prices": {"currency": "EUR"}}
    with Ledger.open(url, create=True) as ledger:
        study = ledger.create_study(
            "large",
            identity={"data": {"kind": "folder"}, "training": {"size": 64}},
            running=running,
            fingerprint="f" * 64,
            split=split,
            groups={name: number // 4 for number, name in enumerate(names)},
            facts={"d0": 0.2, "channels": 3},
        )
        ledger.layout(study.study_id, plans)
        _finish(ledger, {plan.key: plan for plan in plans})


def _finish(ledger: Ledger, plans: dict[str, CellPlan]) -> None:
    """Curves and scores of all cells, in bulk."""
    rng = np.random.default_rng(0)
    query = sa.select(cells.c.id, cells.c.key, attempts.c.id.label("attempt")).join(
        attempts, attempts.c.cell_id == cells.c.id
    )
    number = np.arange(1, EVALUATIONS + 1)
    with ledger.engine.begin() as connection:
        for row in connection.execute(query).all():
            plan = plans[row.key]
            dsc = 0.75 + 0.03 * plan.depth - 0.9 * plan.num_cases**-0.45 + rng.normal(0, 0.01)
            flagged = rng.random() < 0.02
            curve = np.clip(dsc * (1 - np.exp(-number / 12)) + rng.normal(0, 0.01, EVALUATIONS), 0, 1)
            told = {
                "device": "gpu",
                "device_name": "a GPU",
                "planned_steps": 10 * EVALUATIONS,
                "best_evaluation": int(curve.argmax()) + 1,
                "validation_counts": _counts(dsc, HELD_OUT[0], rng),
                "test_counts": _counts(dsc, HELD_OUT[1], rng),
                "test_seconds": 1.0,
            }
            connection.execute(attempts.update().where(attempts.c.id == row.attempt).values(told))
            state = CellState.COLLAPSED if flagged else CellState.DONE
            connection.execute(cells.update().where(cells.c.id == row.id).values(state=state))
            points = [
                {
                    "attempt_id": row.attempt,
                    "evaluation": int(i),
                    "epoch": float(i),
                    "step": 10 * int(i),
                    "val_dsc": float(y),
                    "train_seconds": 0.4 * 1.3**plan.depth,
                    "val_seconds": 0.1,
                }
                for i, y in zip(number, curve, strict=True)
            ]
            connection.execute(evaluations.insert(), points)


def _counts(dsc: float, number: int, rng: np.random.Generator) -> list[list[int]]:
    hits = (1000 * np.clip(dsc + rng.normal(0, 0.1, number), 0.05, 0.98)).astype(int)
    return [[int(hit), 1000 - int(hit), 1000 - int(hit)] for hit in hits]


if __name__ == "__main__":
    main()
