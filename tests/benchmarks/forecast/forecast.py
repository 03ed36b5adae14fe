"""How well the plateau of a curve is forecast from its first 20, 40 and 60 %, by ours and by its rivals side by side.

    DICECURVE_TEST_DATA=DIR python -m tests.benchmarks.forecast.forecast [--half reporting|tuning] [--quick]
        [--json FILE]

Curves: DIR/curves/development_curves.parquet, of the groups that halves.csv keeps for reporting, and the
recorded surfaces of tests/data. All methods forecast the last value of the same curves, 400 a set at most. Intervals of
differences and of coverage resample groups, 2,000 times. A rival without an interval of its own gets the 90 % quantile
of its absolute error on the tuning half, over sets weighted alike. Trees are fitted on other groups of the same set.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from models.forecaster.baselines.parametric import ParametricForecaster
from models.forecaster.lstm.forecaster import LstmForecaster, load
from tests.benchmarks.forecast.curves import SHARES, Curve, development_curves, siblings_of, surface_curves
from tests.benchmarks.forecast.rivals import RIVALS, boosted_trees

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from models.forecaster.curves import Floats

TREES, PARAMETRIC, OURS, WITH_SIBLINGS = "boosted trees, other groups", "parametric", "lstm", "lstm with siblings"
SEES_MORE = (TREES, WITH_SIBLINGS)  # than one curve
REPLICATES = 2000
CURVES, QUICK_CURVES = 400, 100  # at most, a set


@dataclass(frozen=True)
class Scores:
    """One method on C curves at one share.

    Attributes:
        forecast: Shape (C,).
        lower: Of its 90 % interval, shape (C,).
        upper: Shape (C,).
        microseconds: Median of a forecast.
    """

    forecast: Floats
    lower: Floats
    upper: Floats
    microseconds: float


def main() -> int:
    """Forecast, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--half", choices=("reporting", "tuning"), default="reporting")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_CURVES} curves a set, not {CURVES}")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--weights", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    folder = os.environ.get("DICECURVE_TEST_DATA")
    if folder is None and options.half == "tuning":
        parser.error("the tuning half is of the development curves: set DICECURVE_TEST_DATA")
    if folder is None:
        print("DICECURVE_TEST_DATA is not set: the development curves are skipped, only recorded surfaces are forecast")
        by_half: dict[str, list[Curve]] = {"tuning": [], "reporting": []}
    else:
        by_half = {half: development_curves(Path(folder), half) for half in ("tuning", "reporting")}
    print("cost, in CPU time on one thread:")
    _print_cost(options.weights)
    half_widths = _half_widths(by_half["tuning"])
    curves = by_half[options.half] + (surface_curves() if options.half == "reporting" else [])
    forecaster = load() if options.weights is None else load(options.weights)
    tables = {}
    for collection in sorted({curve.collection for curve in curves}):
        mine = [curve for curve in curves if curve.collection == collection]
        scored = _scored(mine, quick=options.quick)
        tables[collection] = {share: _score(scored, mine, share, forecaster, half_widths) for share in SHARES}
        _print_table(collection, scored, tables[collection])
    _print_summary(tables, {c: _scored([q for q in curves if q.collection == c], quick=options.quick) for c in tables})
    if options.json is not None:
        options.json.write_text(json.dumps(_as_json(tables, curves, quick=options.quick), indent=1))
    return 0


def _scored(curves: list[Curve], *, quick: bool) -> list[Curve]:
    """All curves of a set, or so many of them drawn by a fixed seed."""
    most = QUICK_CURVES if quick else CURVES
    return [curves[i] for i in np.sort(np.random.default_rng(0).permutation(len(curves))[:most])]


def _half_widths(tuning: list[Curve]) -> dict[tuple[str, float], float]:
    """For rivals without an interval: the 90 % quantile of the absolute error on the tuning half, sets alike."""
    widths = {}
    collections = sorted({curve.collection for curve in tuning})
    few = {c: _scored([q for q in tuning if q.collection == c], quick=True) for c in collections}
    for share in SHARES:
        for name in (*RIVALS, TREES):
            errors, weights = [], []
            for mine in few.values():
                error = np.abs(_rival(name, mine, share) - np.array([curve.y[-1] for curve in mine]))
                errors.append(error)
                weights.append(np.full(len(error), 1 / len(error)))
            widths[name, share] = _weighted_quantile(errors, weights) if errors else 0.5
    return widths


def _weighted_quantile(values: list[Floats], weights: list[Floats], level: float = 0.9) -> float:
    value, weight = np.concatenate(values), np.concatenate(weights)
    order = np.argsort(value)
    reached = np.cumsum(weight[order]) >= level * weight.sum()
    return float(value[order][reached.argmax()])


def _rival(name: str, curves: list[Curve], share: float) -> Floats:
    if name == TREES:
        return boosted_trees(curves, share)
    return np.array([RIVALS[name](c.x[: c.seen(share)], c.y[: c.seen(share)], c.x[-1:])[0] for c in curves])


def _score(
    scored: list[Curve],
    all_curves: list[Curve],
    share: float,
    forecaster: LstmForecaster,
    half_widths: dict[tuple[str, float], float],
) -> dict[str, Scores]:
    """Every method on the same curves."""
    scores = {}
    for name in (*RIVALS, TREES):
        started = time.process_time()
        forecast = _rival(name, scored, share)
        spent = (time.process_time() - started) / len(scored)
        half = half_widths[name, share]
        scores[name] = Scores(forecast, forecast - half, forecast + half, 1e6 * spent)
    plain = ParametricForecaster()
    scores[PARAMETRIC] = _one_by_one(scored, share, lambda c, n: plain.forecast(c.x[:n], c.y[:n], c.x[-1:]))
    scores[OURS] = _one_by_one(scored, share, lambda c, n: forecaster.forecast(c.x[:n], c.y[:n], c.x[-1:]))
    contexts = {id(c): forecaster.context([(s.x, s.y) for s in siblings_of(c, all_curves)]) for c in scored}
    scores[WITH_SIBLINGS] = _one_by_one(
        scored, share, lambda c, n: forecaster.forecast(c.x[:n], c.y[:n], c.x[-1:], contexts[id(c)])
    )
    return scores


def _one_by_one(curves: list[Curve], share: float, forecast: Callable[[Curve, int], object]) -> Scores:
    rows, times = [], []
    for curve in curves:
        started = time.process_time()
        one = forecast(curve, curve.seen(share))
        times.append(time.process_time() - started)
        rows.append((one.mean[0], one.lower[0], one.upper[0]))  # type: ignore[attr-defined]
    mean, lower, upper = np.array(rows).T
    return Scores(mean, lower, upper, 1e6 * float(np.median(times)))


def _print_table(collection: str, curves: list[Curve], by_share: dict[float, dict[str, Scores]]) -> None:
    groups = _group_numbers(curves)
    end, smooth = np.array([c.y[-1] for c in curves]), np.array([c.smoothed_end for c in curves])
    print(f"\n{collection}: {len(curves)} curves, {groups.max() + 1} groups; 20 / 40 / 60 % seen")
    print(f"{'':28}{'MAE x100':>24}{'median':>24}{'of smoothed end':>24}{'coverage':>21}{'width x100':>22}{'us':>8}")
    for name in by_share[SHARES[0]]:
        cells = [by_share[share][name] for share in SHARES]
        errors = [np.abs(s.forecast - end) for s in cells]
        print(
            f"{name:28}{_three([100 * e.mean() for e in errors]):>24}"
            f"{_three([100 * float(np.median(e)) for e in errors]):>24}"
            f"{_three([100 * float(np.abs(s.forecast - smooth).mean()) for s in cells]):>24}"
            f"{_three([float(_covers(s, end).mean()) for s in cells]):>21}"
            f"{_three([100 * float((s.upper - s.lower).mean()) for s in cells], 1):>22}"
            f"{np.median([s.microseconds for s in cells]):8.0f}"
        )
    for ours, rivals in ((OURS, [n for n in by_share[0.2] if n not in (OURS, *SEES_MORE)]), (WITH_SIBLINGS, [TREES])):
        for share in SHARES:
            error = {n: np.abs(s.forecast - end) for n, s in by_share[share].items()}
            rival = min(rivals, key=lambda n: float(error[n].mean()))
            low, high = _bootstrap(100 * (error[ours] - error[rival]), groups)
            worse = 100 * (error[ours] - error[rival]).mean()
            print(f"  {ours} - {rival} at {share:.0%}: {worse:+.2f} [{low:+.2f}, {high:+.2f}]")
    for name in (OURS, WITH_SIBLINGS):
        hits = [_covers(by_share[share][name], end).astype(float) for share in SHARES]
        low, high = _bootstrap(np.mean(hits, axis=0), groups)
        print(f"  coverage of {name}, all shares: {np.mean(hits):.3f} [{low:.3f}, {high:.3f}]")


def _print_summary(tables: dict[str, dict[float, dict[str, Scores]]], curves: dict[str, list[Curve]]) -> None:
    names = list(next(iter(tables.values()))[SHARES[0]])
    single = [name for name in names if name not in SEES_MORE]
    ranks = []
    for collection, by_share in tables.items():
        end = np.array([c.y[-1] for c in curves[collection]])
        for share in SHARES:
            error = [float(np.abs(by_share[share][n].forecast - end).mean()) for n in single]
            ranks.append(np.argsort(np.argsort(error)) + 1)
    print("\nmean rank over sets and shares, of methods that see one curve:")
    for name, rank in sorted(zip(single, np.mean(ranks, axis=0), strict=True), key=lambda pair: float(pair[1])):
        print(f"  {name:28}{rank:6.2f}")
    print("\nall sets, every group alike: coverage and mean width x100")
    for name in names:
        hits, widths = [], []
        for collection, by_share in tables.items():
            end, groups = np.array([c.y[-1] for c in curves[collection]]), _group_numbers(curves[collection])
            for share in SHARES:
                s = by_share[share][name]
                hits.extend(_group_means(_covers(s, end).astype(float), groups))
                widths.extend(_group_means(100 * (s.upper - s.lower), groups))
        print(f"  {name:28}{np.mean(hits):8.3f}{np.mean(widths):8.2f}")


def _print_cost(weights: Path | None) -> None:
    """CPU time on one thread, and memory above what torch itself takes."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    forecaster = load() if weights is None else load(weights)
    x = np.arange(1.0, 61)
    curves = [(x, 0.8 - 0.1 * (1 + i / 1000) / np.sqrt(x)) for i in range(1000)]
    context = forecaster.context(curves[:64])
    at = np.array([60.0])
    for words, forecast in (
        ("one forecast of 30 points", lambda: forecaster.forecast(x[:30], curves[0][1][:30], at)),
        ("the same beside 64 siblings", lambda: forecaster.forecast(x[:30], curves[0][1][:30], at, context)),
        ("a thousand at once", lambda: forecaster.forecast_many(curves, np.full((1000, 1), 120.0))),
    ):
        times = []
        for _ in range(20):
            started = time.process_time()
            forecast()
            times.append(time.process_time() - started)
        print(f"  {words}: {1e3 * float(np.median(times)):.2f} ms")
    print(f"  memory: {(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024:.0f} MB")


def _covers(scores: Scores, end: Floats) -> NDArray[np.bool_]:
    return (scores.lower <= end) & (end <= scores.upper)


def _three(values: list[float], digits: int = 2) -> str:
    return " / ".join(f"{value:.{digits}f}" for value in values)


def _group_numbers(curves: list[Curve]) -> NDArray[np.intp]:
    _, numbers = np.unique([c.group for c in curves], return_inverse=True)
    return numbers


def _group_means(values: Floats, groups: NDArray[np.intp]) -> Floats:
    return np.bincount(groups, values) / np.bincount(groups)


def _bootstrap(values: Floats, groups: NDArray[np.intp]) -> tuple[float, float]:
    """95 % interval of the mean over curves, groups resampled."""
    total, count = np.bincount(groups, values), np.bincount(groups)
    drawn = np.random.default_rng(0).integers(0, len(total), (REPLICATES, len(total)))
    means = total[drawn].sum(axis=1) / count[drawn].sum(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def _as_json(
    tables: dict[str, dict[float, dict[str, Scores]]], curves: list[Curve], *, quick: bool
) -> dict[str, object]:
    """MAE, coverage and width of every method, set and share."""
    rows: dict[str, object] = {}
    for collection, by_share in tables.items():
        end = np.array([c.y[-1] for c in _scored([q for q in curves if q.collection == collection], quick=quick)])
        for share, methods in by_share.items():
            for name, s in methods.items():
                rows[f"{collection}|{share}|{name}"] = {
                    "mae": float(np.abs(s.forecast - end).mean()),
                    "coverage": float(_covers(s, end).mean()),
                    "width": float((s.upper - s.lower).mean()),
                    "microseconds": s.microseconds,
                }
    return rows


if __name__ == "__main__":
    sys.exit(main())
