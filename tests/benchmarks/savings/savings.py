"""What every strategy spends on the same recorded surfaces, and what its answer is worth.

    python -m tests.benchmarks.savings.savings [--kind NAME] [--strategy NAME] [--jobs N] [--json FILE]

All answers are made by search/answer.py with the default prices, from cells measured at their best validation
evaluation. A pruned cell stays out of the answer, which is the best case for what pruned it. Set DICECURVE_TEST_DATA to
have surfaces of LCDB's data curves too.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, fields
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import optuna
import torch
from threadpoolctl import threadpool_limits

from tests.benchmarks.savings.kinds import kinds
from tests.benchmarks.savings.optuna_rivals import hyperband_pruner, median_pruner
from tests.benchmarks.savings.ours import lstm, policy_only, power_law, stopper_only, whole
from tests.benchmarks.savings.ray_rivals import asha, hyperband, median_stopping, trial_plateau
from tests.benchmarks.savings.rivals import HALF_LADDER, WHOLE_LADDER, constant, corner, full_grid, ladder, tpe
from tests.benchmarks.savings.scores import Scores, corner_counts, scores_of, summarise

if TYPE_CHECKING:
    from collections.abc import Iterable
    from concurrent.futures import Future

    from tests.benchmarks.savings.kinds import Kind
    from tests.benchmarks.savings.scores import Summary
    from tests.benchmarks.savings.surface import Strategy

SCORES = [each.name for each in fields(Scores)]
HEADINGS = ("share, %", "dsc_regret, 0.001", "cost_regret, %", "case_error, %", "plateau, %")
SLOWEST = "ours, stopper only"
CLAIM_HEADINGS = ("filled cells' MAE, 0.001", "new run covered, %", "risk of a stop, %", "lost by stops, 0.001")


def strategies(kind: Kind) -> dict[str, Strategy]:
    """All strategies by name, in the order of the table."""
    return {
        "full grid": full_grid,
        "Ray ASHA": asha,
        "Ray HyperBand": hyperband,
        "Ray median stopping": median_stopping,
        "Ray plateau stopper": trial_plateau,
        "Optuna median": median_pruner,
        "Optuna Hyperband": hyperband_pruner,
        "Optuna TPE": tpe(lambda *_: kind.budget_share),
        "corner": corner,
        "constant 0.8": constant,
        "ladder to 1/2, pow3": ladder(HALF_LADDER),
        "ladder to 1, pow3": ladder(WHOLE_LADDER),
        "ours": whole(lstm()),
        "ours, policy only": policy_only(lstm()),
        SLOWEST: stopper_only(lstm()),
        "ours with pow3": whole(power_law()),
    }


def main() -> None:
    """Run the strategies on every kind of surfaces, and print its tables."""
    arguments = _arguments()
    results = {}
    with ProcessPoolExecutor(arguments.jobs, get_context("spawn"), initializer=_one_thread) as pool:
        wanted = [(kind, _names(arguments.strategy, kind)) for kind in kinds(arguments.kind)]
        tasks = _begun(pool, [(kind.name, name) for kind, names in wanted for name in names])
        for kind, names in wanted:
            summaries = {name: tasks[kind.name, name].result() for name in names}
            _say("\n".join(["", about(kind), "", *table(summaries), "", *claims_table(summaries)]))
            results[kind.name] = {name: {s: _plain(each) for s, each in row.items()} for name, row in summaries.items()}
    if "DICECURVE_TEST_DATA" not in os.environ:
        sys.stderr.write("Without DICECURVE_TEST_DATA there are no surfaces of LCDB's data curves.\n")
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(results, indent=1, allow_nan=False) + "\n")


def _names(wanted: list[str] | None, kind: Kind) -> list[str]:
    every = list(strategies(kind))
    names = wanted or every
    if not set(names) <= set(every):
        sys.exit(f"--strategy must be one of: {'; '.join(every)}. Got: {'; '.join(names)}")
    return names


def _begun(
    pool: ProcessPoolExecutor, tasks: list[tuple[str, str]]
) -> dict[tuple[str, str], Future[dict[str, Summary]]]:
    """Every strategy of every kind as a task, what takes longest first."""
    return {task: pool.submit(_measured, *task) for task in sorted(tasks, key=lambda task: task[1] != SLOWEST)}


def _one_thread() -> None:
    """Processes that share the cores must not wait for each other's threads."""
    threadpool_limits(1)
    torch.set_num_threads(1)


def _measured(kind: str, name: str) -> dict[str, Summary]:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    found = _kind(kind)
    return summaries_of(found, name, strategies(found)[name])


@cache
def _kind(name: str) -> Kind:
    return next(kind for kind in kinds([name]) if kind.name == name)


def summaries_of(kind: Kind, name: str, strategy: Strategy) -> dict[str, Summary]:
    """Every score of a strategy over the surfaces and orders of a kind."""
    started = time.perf_counter()
    values = np.array(
        [
            [
                list(asdict(scores_of(surface, strategy(surface, number * kind.orders + order))).values())
                for order in range(kind.orders)
            ]
            for number, surface in enumerate(kind.surfaces)
        ]
    )
    sys.stderr.write(f"{kind.name}: {name} took {time.perf_counter() - started:.1f} s\n")
    return {score: summarise(values[..., place]) for place, score in enumerate(SCORES)}


def about(kind: Kind) -> str:
    """What the surfaces are, and how many of them a rule of thumb would hit."""
    right, best = corner_counts(kind.surfaces)
    total = len(kind.surfaces)
    return (
        f"{kind.name}: surfaces: {total}, orders of each: {kind.orders}; the deepest network with all cases is the "
        f"right answer on {right}, and the best DSC on {best} of them"
    )


def table(summaries: dict[str, dict[str, Summary]]) -> list[str]:
    """Cost and regrets: mean [90 % interval over surfaces and orders], and of the two regrets the worst."""
    rows = [
        (
            name,
            _interval(row["share"], 100),
            _with_worst(row["dsc_regret"], 1000),
            _with_worst(row["cost_regret"], 100),
            _interval(row["case_error"], 100),
            _interval(row["plateau_error"], 100),
        )
        for name, row in summaries.items()
    ]
    return _markdown(("strategy", *HEADINGS), rows)


def claims_table(summaries: dict[str, dict[str, Summary]]) -> list[str]:
    """What strategies claim of cells that they filled or stopped; those that do neither are left out."""
    rows = [
        (
            name,
            _interval(row["filled_error"], 1000),
            _interval(row["filled_coverage"], 100),
            _interval(row["risk"], 100),
            _interval(row["lost_dsc"], 1000),
        )
        for name, row in summaries.items()
        if row["filled_error"].count or row["risk"].count
    ]
    return _markdown(("strategy", *CLAIM_HEADINGS), rows) if rows else []


def _markdown(headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    lines = [headings, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    padded = ["| " + " | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + " |" for line in lines]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return [padded[0], rule, *padded[1:]]


def _interval(summary: Summary, scale: float) -> str:
    if not summary.count:
        return "-"
    mean, lower, upper = (_number(value * scale) for value in (summary.mean, summary.lower, summary.upper))
    return f"{mean} [{lower}, {upper}]"


def _with_worst(summary: Summary, scale: float) -> str:
    return f"{_interval(summary, scale)} {_number(summary.worst * scale)}"


def _number(value: float) -> str:
    """Two digits, and no minus before a nought."""
    return f"{round(value, 1) + 0.0:.1f}" if abs(value) < 9.95 else f"{value:.0f}"


def _plain(summary: Summary) -> dict[str, float | int | None]:
    return {key: None if math.isnan(value) else value for key, value in asdict(summary).items()}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Every strategy on the same recorded surfaces.")
    parser.add_argument("--kind", action="append", help="kinds of surfaces whose names begin so; all unless given")
    parser.add_argument("--strategy", action="append", help="strategies, by the table's names; all unless given")
    parser.add_argument("--jobs", type=int, default=1, help="processes at once (default: 1)")
    parser.add_argument("--json", metavar="FILE", help="also write every score to this file")
    return parser.parse_args()


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
