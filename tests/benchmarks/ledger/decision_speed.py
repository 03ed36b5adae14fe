"""What decisions cost the driver: a report of a running cell, and a new agenda, with many finished cells behind them.

    python -m tests.benchmarks.ledger.decision_speed [--cells 10000] [--reports 60]

A drawn study of five depths and four seeds is filled into a SQLite file, all of it finished but two hundred cells.
Goal: at most 5 ms a report with 10,000 finished cells.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from statistics import median

import numpy as np
import sqlalchemy as sa

from models.forecaster.baselines.parametric import ParametricForecaster
from models.forecaster.lstm.forecaster import load
from search.grid import cell_key
from search.policy.decision_spec import DecisionSpec
from search.policy.decisions import Decisions
from search.policy.stop_rule import StopSpec
from search.prices import PriceSpec
from storage.database.tables import attempts, cells, evaluations
from storage.ledger.ledger import Ledger
from storage.records import CellPlan, CellState, Evaluation

DEPTHS, SEEDS, EVALUATIONS, OPEN, NUM_TRAIN = 5, 4, 30, 200, 100_000


def main() -> None:
    """Measure, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=10_000, help="finished ones (default: %(default)s)")
    parser.add_argument("--reports", type=int, default=60, help="that are timed (default: %(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Ledger.open(f"sqlite:///{folder}/speed.db", create=True) as ledger:
        study_id = fill(ledger, options.cells)
        for name, forecaster in (("lstm", load()), ("parametric", ParametricForecaster())):
            study = ledger.find_study("speed")
            assert study is not None
            spec = DecisionSpec(
                policy="forecast",
                stop=StopSpec(),
                forecaster=forecaster,
                d0=0.2,
                evaluations=EVALUATIONS,
                total_steps=lambda cases: cases,
                tolerance=0.01,
                target=None,
                num_train=NUM_TRAIN,
                held_out_cases=300,
                prices=PriceSpec(),
            )
            decisions = Decisions(ledger, study, spec, lambda: 1)
            first, later = agendas(decisions, ledger, study_id)
            told = reports(decisions, ledger, study_id, options.reports)
            print(
                f"{name:<11} {options.cells:>6} finished cells: report {1e3 * median(told):6.1f} ms "
                f"(95 % {1e3 * float(np.percentile(told, 95)):6.1f}), first agenda {first:6.2f} s, later {later:6.2f} s"
            )


def agendas(decisions: Decisions, ledger: Ledger, study_id: int) -> tuple[float, float]:
    """Seconds of an agenda after a start, and of later ones: the median of three, each after one more claim."""
    took = []
    for number in range(4):
        now = ledger.cells(study_id)
        started = time.perf_counter()
        wanted = decisions.next_cells(now)
        took.append(time.perf_counter() - started)
        key = wanted[0] if wanted else next(c.plan.key for c in now if c.state is CellState.WAITING)
        ledger.claim(study_id, [key], f"host/boot/ns/{number}/1")
    return took[0], median(took[1:])


def reports(decisions: Decisions, ledger: Ledger, study_id: int, number: int) -> list[float]:
    """Seconds of the stop rule for reports of running cells, at every length of a curve that it looks at."""
    rng = np.random.default_rng(1)
    running = [cell.plan for cell in ledger.cells(study_id) if cell.state is CellState.CLAIMED]
    took = []
    for index in range(number):
        plan = running[index % len(running)]
        curve = drawn_curve(plan, rng)[: 6 + index % (EVALUATIONS - 6)]
        started = time.perf_counter()
        decisions.stop(plan, curve)
        took.append(time.perf_counter() - started)
    return took


def fill(ledger: Ledger, finished: int) -> int:
    """A study with so many finished cells, and a few that wait."""
    study = ledger.create_study(
        "speed",
        identity={},
        running={},
        fingerprint="f",
        split={"train": [], "validation": [], "test": []},
        groups={},
        facts={"d0": 0.2},
    )
    plans = grid(finished + OPEN)
    ledger.layout(study.study_id, plans)
    rng = np.random.default_rng(0)
    ended = rng.permutation(len(plans))[:finished]
    with ledger.engine.begin() as connection:
        rows = connection.execute(sa.select(cells.c.id, attempts.c.id).join(attempts, attempts.c.cell_id == cells.c.id))
        ids = sorted(tuple(row) for row in rows)
        connection.execute(
            cells.update().where(cells.c.id == sa.bindparam("b_id")).values(state=CellState.DONE, claims=2),
            [{"b_id": ids[index][0]} for index in ended],
        )
        for index in ended:
            curve = drawn_curve(plans[index], rng)
            connection.execute(evaluations.insert(), [vars(p) | {"attempt_id": ids[index][1]} for p in curve])
    return study.study_id


def grid(number: int) -> list[CellPlan]:
    """Cells of five depths, four seeds, and as many ratios as that takes."""
    ratios = np.unique(np.linspace(0.01, 1.0, -(-number // (DEPTHS * SEEDS))).round(6))
    return [
        CellPlan(cell_key(ratio, depth, seed), ratio, depth, seed, round(NUM_TRAIN * ratio), 1000 * 4**depth)
        for ratio in ratios.tolist()
        for depth in range(2, 2 + DEPTHS)
        for seed in range(SEEDS)
    ][:number]


def drawn_curve(plan: CellPlan, rng: np.random.Generator) -> list[Evaluation]:
    """A curve that rises to a plateau of its depth and cases."""
    level = 0.7 + 0.02 * plan.depth - 0.05 * (NUM_TRAIN / plan.num_cases) ** 0.3 + rng.normal(0, 0.01)
    number = np.arange(1, EVALUATIONS + 1)
    dsc = np.clip(level * (1 - np.exp(-number / 5)) + rng.normal(0, 0.01, EVALUATIONS), 0, 1)
    steps = max(1, plan.num_cases // EVALUATIONS)
    return [
        Evaluation(int(i), float(i), steps * int(i), float(y), 0.01 * steps, 0.5)
        for i, y in zip(number, dsc, strict=True)
    ]


if __name__ == "__main__":
    main()
