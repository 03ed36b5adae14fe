"""Whether "plateau reached" keeps its risk on measured training curves, and what stopping there saves.

    DICECURVE_TEST_DATA=DIR python -m tests.benchmarks.stops.plateau_stops [--half reporting|tuning] [--json FILE]

Every curve is walked through, evaluation by evaluation, as a study would see it, without siblings; each rule ends it
where it first says so. Ours asks with the default risk and a quarter of the default tolerance. A stop is wrong if the
level, the median of five evaluations, is higher at the end of the curve than at the stop by more than that quarter.
Curves of more than 100 points are looked at 100 times.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from models.forecaster.baselines.parametric import ParametricForecaster
from models.forecaster.lstm.forecaster import load
from search.policy.stop_rule import LEVEL_OVER, StopSpec, chance_of_gain
from tests.benchmarks.forecast.curves import development_curves, surface_curves

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from models.forecaster.forecast import Forecast
    from tests.benchmarks.forecast.curves import Curve

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]
    Rule = Callable[["Curve", "Integers"], int | None]

TRAINING_CURVES = ("hippocampus", "imagenet", "kvasir", "nnunet", "ogbg", "taskset")
FEWEST_POINTS = 15
MOST_LOOKS = 100
SPEC = StopSpec()
STOP_TOLERANCE = SPEC.tolerance_share * 0.01
PATIENCE = 10  # points without a new best, however many points a curve has; our choice
RAY_STD, RAY_RESULTS = 0.01, 4  # the defaults of Ray's TrialPlateauStopper
BOOTSTRAPS = 2000


@dataclass(frozen=True)
class Row:
    """What one rule did to the curves of one set.

    Attributes:
        curves: How many there are.
        stops: How many it ended before their end.
        wrong: Share of these whose level still rose by more than the stop tolerance; None without any.
        wrong_interval: Its 90 % interval over groups.
        saved: Share of all evaluations that it saved.
        lost: Mean rise of the level after a stop; None without any.
    """

    curves: int
    stops: int
    wrong: float | None
    wrong_interval: tuple[float, float] | None
    saved: float
    lost: float | None


def main() -> None:
    """Walk through all curves with all rules, and print a table."""
    arguments = _arguments()
    root = os.environ.get("DICECURVE_TEST_DATA")
    if root is None:
        sys.exit("needs measured curves: set DICECURVE_TEST_DATA to the folder that holds curves/")
    curves = [*development_curves(Path(root), arguments.half), *surface_curves()]
    rules: dict[str, Rule] = {
        "ours": partial(_by_forecast, load().forecast_many),
        "two laws": partial(_by_forecast, _parametric),
        "Ray's plateau": _by_spread,
        f"patience {PATIENCE}": _by_patience,
    }
    rows: dict[str, dict[str, dict[str, object]]] = {}
    print(f"{'set':26} {'rule':14} {'curves':>6} {'stops':>5} {'wrong, %':>16} {'saved, %':>8} {'rise, 0.001':>11}")
    for name in sorted({curve.collection for curve in curves if _is_training(curve)}):
        own = [curve for curve in curves if curve.collection == name and _is_training(curve)]
        for rule, stop in rules.items():
            row = judged(own, stop)
            print(_line(name, rule, row), flush=True)
            rows.setdefault(name, {})[rule] = asdict(row)
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(rows, indent=1) + "\n")


def judged(curves: Sequence[Curve], rule: Rule) -> Row:
    """What a rule does to the curves of one set."""
    ends = [(curve, rule(curve, looks(len(curve.y)))) for curve in curves]
    stops = [(curve, seen) for curve, seen in ends if seen is not None]
    rises = np.array([level(curve.y) - level(curve.y[:seen]) for curve, seen in stops])
    saved = np.mean([0.0 if seen is None else 1 - seen / len(curve.y) for curve, seen in ends])
    wrong = rises > STOP_TOLERANCE
    return Row(
        curves=len(curves),
        stops=len(stops),
        wrong=float(wrong.mean()) if stops else None,
        wrong_interval=_interval(wrong, [curve.group for curve, _ in stops]) if stops else None,
        saved=float(saved),
        lost=float(rises.mean()) if stops else None,
    )


def looks(points: int) -> Integers:
    """After how many points a rule is asked: from the first that the spec allows to the last but one."""
    first = SPEC.first_evaluation
    return np.unique(np.linspace(first, points - 1, min(MOST_LOOKS, points - first)).astype(np.int64))


def level(y: Floats) -> float:
    """Median of the last values, as the stop rule has it."""
    return float(np.median(y[-LEVEL_OVER:]))


def _is_training(curve: Curve) -> bool:
    return curve.collection.startswith(TRAINING_CURVES) and len(curve.y) >= FEWEST_POINTS


def _by_forecast(forecast_many: Callable[..., list[Forecast]], curve: Curve, at: Integers) -> int | None:
    forecasts = forecast_many([(curve.x[:n], curve.y[:n]) for n in at], np.full((len(at), 1), curve.x[-1]))
    for seen, forecast in zip(at.tolist(), forecasts, strict=True):
        if chance_of_gain(forecast, level(curve.y[:seen]), STOP_TOLERANCE) < SPEC.risk:
            return int(seen)
    return None


def _parametric(curves: Sequence[tuple[Floats, Floats]], at: Floats) -> list[Forecast]:
    laws = ParametricForecaster()
    return [laws.forecast(x, y, position) for (x, y), position in zip(curves, at, strict=True)]


def _by_spread(curve: Curve, at: Integers) -> int | None:
    return next((int(n) for n in at if curve.y[max(0, n - RAY_RESULTS) : n].std() < RAY_STD), None)


def _by_patience(curve: Curve, at: Integers) -> int | None:
    best_at = np.array([int(curve.y[:n].argmax()) for n in at])
    return next((int(n) for n, best in zip(at, best_at, strict=True) if n - 1 - best >= PATIENCE), None)


def _interval(wrong: NDArray[np.bool_], groups: Sequence[str]) -> tuple[float, float]:
    """90 % interval of the share, groups resampled with all their stops."""
    _, member = np.unique(groups, return_inverse=True)
    number = int(member.max()) + 1
    hits, all_ = np.bincount(member, wrong, number), np.bincount(member, minlength=number)
    drawn = np.random.default_rng(0).integers(number, size=(BOOTSTRAPS, number))
    lower, upper = np.percentile(hits[drawn].sum(axis=1) / all_[drawn].sum(axis=1), [5, 95])
    return float(lower), float(upper)


def _line(name: str, rule: str, row: Row) -> str:
    wrong = "-"
    if row.wrong is not None and row.wrong_interval is not None:
        wrong = f"{100 * row.wrong:.0f} [{100 * row.wrong_interval[0]:.0f}, {100 * row.wrong_interval[1]:.0f}]"
    rise = "-" if row.lost is None else f"{1000 * row.lost:.1f}"
    return f"{name:26} {rule:14} {row.curves:6} {row.stops:5} {wrong:>16} {100 * row.saved:8.1f} {rise:>11}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Risk of plateau stops on measured training curves.")
    parser.add_argument("--half", choices=("reporting", "tuning"), default="reporting")
    parser.add_argument("--json", metavar="FILE", help="also write the rows to this file")
    return parser.parse_args()


if __name__ == "__main__":
    main()
