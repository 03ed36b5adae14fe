"""Prints the widths of models/forecaster/calibration.py, from the tuning half of the forecast benchmark.

    DICECURVE_TEST_DATA=DIR python -m tests.benchmarks.forecast.calibrate [--weights FILE]

Every group counts alike, among curves over time and among curves over cases (LCDB).
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np

from models.forecaster.lstm import interval_widths
from models.forecaster.lstm.forecaster import WEIGHTS, LstmForecaster, load
from models.forecaster.lstm.interval_widths import distances, needed_width
from tests.benchmarks.forecast.curves import SHARES, Curve, development_curves, siblings_of

MOST = 300  # curves a set


def main() -> None:
    """Forecast the tuning half with neutral widths, and print what would have covered 90 %."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    forecaster = load(parser.parse_args().weights)
    interval_widths.FACTORS.update(dict.fromkeys(interval_widths.FACTORS, (1.0,) * len(SHARES)))
    curves = development_curves(Path(os.environ["DICECURVE_TEST_DATA"]), "tuning")
    for even, beside in interval_widths.FACTORS:
        kind = [c for c in curves if c.collection.startswith("lcdb") != even]
        found = [width(forecaster, kind, share, beside=beside) for share in sorted(SHARES, reverse=True)]
        print(f"    ({even}, {beside}): ({', '.join(f'{value:.2f}' for value in found)}),")


def width(forecaster: LstmForecaster, curves: list[Curve], share: float, *, beside: bool) -> float:
    """The factor of one kind of curves at one share seen."""
    scores, weights = [], []
    for collection in sorted({c.collection for c in curves}):
        mine = [c for c in curves if c.collection == collection]
        some = [mine[i] for i in np.random.default_rng(0).permutation(len(mine))[:MOST]]
        for curve in some:
            n = curve.seen(share)
            others = [(c.x, c.y) for c in siblings_of(curve, mine)] if beside else []
            found = forecaster.forecast(curve.x[:n], curve.y[:n], curve.x[-1:], forecaster.context(others))
            scores.append(distances(curve.y[-1:], found.mean, found.lower, found.upper)[0])
            weights.append(1 / sum(c.group == curve.group for c in some))
    return needed_width(np.array(scores), np.array(weights))


if __name__ == "__main__":
    main()
