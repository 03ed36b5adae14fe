"""How long a further trial takes to start in a worker that is used again, in a real study on real Ray.

    python -m tests.benchmarks.training.trial_start [--quick]

A study of drawn images on one slot, with trainings of two steps, so that it consists of starts. The start of a trial is
the time from the end of the last step of the trial before it until its own model and data are ready to compute, in the
same process: the report's way to the driver, the ledger's transactions, the next claim, the worker's reset, opening the
dataset, drawing the weights, and looking for a checkpoint.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.tune import driver
from search.tune.trainable import CellTrainable
from studies.launch.start import prepare_study
from studies.spec import parse_spec
from tests.benchmarks.rounds import say, where

if TYPE_CHECKING:
    from models.training.training import Training

WANTED = 0.3  # seconds


class TimedTrainable(CellTrainable):
    """Ours, with the times of its steps written down."""

    def setup(self, config: dict[str, Any], assignment: Any, steps: str) -> None:
        """Take the file of steps beside the first claim."""
        self._steps = steps
        super().setup(config, assignment)

    def step(self) -> dict[str, Any]:
        """A step; when it was ready to compute, and when it ended."""
        result = super().step()
        with Path(self._steps).open("a") as file:
            file.write(f"{os.getpid()} {self._ready!r} {time.time()!r} {result['done']:d}\n")
        return result

    def _resumed(self) -> tuple[str | None, Training]:
        resumed = super()._resumed()
        self._ready = time.time()
        return resumed


def main() -> None:
    """Run the study, and print the table."""
    parser = argparse.ArgumentParser(description="Seconds that a further trial takes to start.")
    parser.add_argument("--quick", action="store_true", help="few cells: does it run?")
    seeds = 1 if parser.parse_args().quick else 8
    with tempfile.TemporaryDirectory() as scratch:
        steps = Path(scratch) / "steps"
        run_study(Path(scratch), steps, seeds)
        lines = [line.split() for line in steps.read_text().splitlines()]
    starts = [
        float(after[1]) - float(before[2])
        for before, after in pairwise(lines)
        if before[3] == "1" and before[0] == after[0]
    ]
    workers = len({line[0] for line in lines})
    median = statistics.median(starts)
    say(f"{where()}; {len(starts)} starts in {workers} worker(s)\n")
    say("| | median, s | range, s | wanted | |")
    say("| --- | --- | --- | --- | --- |")
    verdict = "met" if median <= WANTED else "MISSED"
    say(
        f"| start of a further trial | {median:.3f} | {min(starts):.3f} to {max(starts):.3f} | {WANTED:g} | {verdict} |"
    )


def run_study(folder: Path, steps: Path, seeds: int) -> None:
    """Train and test all cells on one slot, with the trainable that writes its steps down."""
    values = {
        "name": "starts",
        "data": {"kind": "phantom", "phantom_cases": 40},
        "grid": {"ratio": [0.25, 0.5, 1.0], "depth": [2], "seed": list(range(seeds))},
        "training": {"size": 16, "budget": 2, "evaluations": 2, "batch": 4, "channels": 4},
        "resources": {"max_trials": 1},
    }
    study = prepare_study(
        parse_spec(values, source=Path(__file__).name), f"sqlite:///{folder}/study.db", wait_for_others=False
    )
    with_parameters = driver.tune.with_parameters

    def timed(_trainable: type, **parameters: Any) -> Any:
        return with_parameters(TimedTrainable, steps=str(steps), **parameters)

    driver.tune.with_parameters = timed
    with study.ledger:
        driver.run_cells(study.ledger, study.study, study.job)


if __name__ == "__main__":
    main()
