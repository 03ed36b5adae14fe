"""Writes halves.csv: the groups of each set of curves, half for tuning and half for the tables.

    DICECURVE_TEST_DATA=DIR python -m tests.benchmarks.forecast.halve_groups

Done once, before anything was tuned. The groups of a set, in alphabetical order, are shuffled by a fixed seed; the
first half, rounded down, is for tuning. Recorded surfaces are of one data set each, and only reported.
"""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pandas as pd

SEED = 20261122
CURVES = Path(os.environ["DICECURVE_TEST_DATA"], "curves", "development_curves.parquet")
HALVES = Path(__file__).with_name("halves.csv")


def main() -> None:
    """Halve, and write a row a group."""
    groups = pd.read_parquet(CURVES, columns=["set", "group"]).drop_duplicates().sort_values(["set", "group"])
    rows = [row for name, members in groups.groupby("set") for row in halve(str(name), members["group"].tolist())]
    with HALVES.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("set", "group", "half"), *rows])


def halve(name: str, groups: list[str]) -> list[tuple[str, str, str]]:
    """Rows (set, group, half) of one set."""
    shuffled = np.random.default_rng(SEED).permutation(len(groups))
    tuning = set(shuffled[: len(groups) // 2].tolist())
    return [(name, group, "tuning" if i in tuning else "reporting") for i, group in enumerate(groups)]


if __name__ == "__main__":
    main()
