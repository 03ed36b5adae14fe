"""Prints the widths of models/forecaster/lstm/interval_widths.py, from the tuning half of the forecast benchmark.

    DICECURVE_TEST_DATA=DIR python -m tests.benchmarks.forecast.calibrate [--weights FILE]

Every group counts alike, among curves over time and among curves over cases (LCDB).
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from models.forecaster.lstm import interval_widths
from models.forecaster.lstm.forecaster import WEIGHTS, LstmForecaster, load
from tests.benchmarks.forecast.curves import SHARES, Curve, development_curves, siblings_of

if TYPE_CHECKING:
    from models.forecaster.curves import Floats

MOST_CURVES = 300  # a set


def main() -> None:
    """Forecast the tuning half with neutral widths, and print what would have covered 90 %."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    forecaster = load(parser.parse_args().weights)
    interval_widths.FACTORS.update(dict.fromkeys(interval_widths.FACTORS, (1.0,) * len(SHARES)))
    curves = development_curves(Path(os.environ["DICECURVE_TEST_DATA"]), "tuning")
    for even, beside in interval_widths.FACTORS:
        kind = [curve for curve in curves if curve.collection.startswith("lcdb") != even]
        factors = [width(forecaster, kind, share, beside=beside) for share in sorted(SHARES, reverse=True)]
        print(f"    ({even}, {beside}): ({', '.join(f'{value:.2f}' for value in factors)}),")


def width(forecaster: LstmForecaster, curves: list[Curve], share: float, *, beside: bool) -> float:
    """The factor of one kind of curves at one share seen."""
    scores, weights = [], []
    for collection in sorted({curve.collection for curve in curves}):
        mine = [curve for curve in curves if curve.collection == collection]
        some = [mine[i] for i in np.random.default_rng(0).permutation(len(mine))[:MOST_CURVES]]
        for curve in some:
            n = curve.seen(share)
            others = [(sibling.x, sibling.y) for sibling in siblings_of(curve, mine)] if beside else []
            forecast = forecaster.forecast(curve.x[:n], curve.y[:n], curve.x[-1:], forecaster.context(others))
            scores.append(distances(curve.y[-1:], forecast.mean, forecast.lower, forecast.upper)[0])
            weights.append(1 / sum(other.group == curve.group for other in some))
    return needed_width(np.array(scores), np.array(weights))


def needed_width(scores: Floats, weights: Floats | None = None) -> float:
    """The factor under which 90 % of outcomes lie within their intervals.

    Args:
        scores: Distance of each outcome from the median, in half intervals of its side, shape (N,).
        weights: Of each, shape (N,); None: all alike, and one more outcome counted as outside (Vovk et al. 2005).
    """
    order = np.argsort(scores)
    share = np.ones(len(scores)) if weights is None else np.asarray(weights, dtype=np.float64)
    total = share.sum() + (1.0 if weights is None else 0.0)
    reached = np.cumsum(share[order]) >= 0.9 * total - 1e-12
    return float(scores[order][reached.argmax() if reached.any() else -1])


def distances(outcome: Floats, median: Floats, lower: Floats, upper: Floats) -> Floats:
    """Distance of outcomes from medians, in half intervals of their side: all of shape (N,)."""
    above = (outcome - median) / np.maximum(upper - median, 1e-6)
    below = (median - outcome) / np.maximum(median - lower, 1e-6)
    return np.maximum(above, below)


if __name__ == "__main__":
    main()
