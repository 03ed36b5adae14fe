"""Wall time of a short trial (10 reports, nothing trained): ours against bare Ray Tune, and Tune with OptunaSearch.

    python -m tests.benchmarks.cluster.trial_overhead [--trials 60] [--rounds 3]

All in one run on one private Ray, by turns; a trial of ours is a training with its test phase, so two of Tune's, each
recorded durably. Ray's OptunaSearch writes to a SQLite file too.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

from tests.benchmarks.cluster.trivial_trials import ours, rival
from tests.benchmarks.rounds import say, where

REPORTS = 10
MOST_DRIVER = 0.3  # seconds


def main() -> None:
    """Measure by turns, and print the table."""
    parser = argparse.ArgumentParser(description="Seconds that a short trial takes, against Ray Tune.")
    parser.add_argument("--trials", type=int, default=60, help="in each round (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    options = parser.parse_args()
    walls: dict[str, list[float]] = {}
    drivers: dict[str, list[float]] = {}
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            place = Path(folder)
            for name, (wall, driver) in {
                "dicecurve": ours(place, options.trials, REPORTS),
                "Tune with OptunaSearch": rival(place, options.trials, REPORTS, with_optuna=True),
                "bare Tune": rival(place, options.trials, REPORTS, with_optuna=False),
            }.items():
                walls.setdefault(name, []).append(wall)
                drivers.setdefault(name, []).append(driver)
    wall = {name: statistics.median(values) for name, values in walls.items()}
    driver = {name: statistics.median(values) for name, values in drivers.items()}
    say(f"{where()}; {options.rounds} rounds of {options.trials} trials of {REPORTS} reports\n")
    say("| | wall, s a trial | of Tune with OptunaSearch | driver's CPU, s a trial |")
    say("| --- | --- | --- | --- |")
    for name, value in wall.items():
        share = value / wall["Tune with OptunaSearch"]
        say(f"| {name} | {value:.3f} | {share:.2f} x | {driver[name]:.3f} |")
    met = wall["dicecurve"] <= wall["Tune with OptunaSearch"], driver["dicecurve"] <= MOST_DRIVER
    verdicts = ["met" if is_met else "MISSED" for is_met in met]
    say(f"\nwanted: at most 1.0 x ({verdicts[0]}); driver at most {MOST_DRIVER} s ({verdicts[1]})")


if __name__ == "__main__":
    main()
