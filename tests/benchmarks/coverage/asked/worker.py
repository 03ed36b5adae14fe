"""Asks the answer of whichever checkout is first on the path: a study a line on stdin, what it says a line on stdout.

It runs as a file of its own, under this checkout and under former ones, and imports nothing that they do not all have.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from threadpoolctl import threadpool_limits

import search
from search.analysis.answer import answer
from search.curves.data_curves import resampled_shift
from search.curves.measurements import Measurement, Planned
from search.prices import PriceSpec

if TYPE_CHECKING:
    from search.analysis.answer import Answer
    from search.curves.intervals import Interval


def main() -> None:
    """Say where the code lies and what it is, then answer until stdin ends."""
    folder = Path(next(iter(search.__path__))).resolve().parent
    _say({"folder": str(folder), "code": _hash(folder)})
    with threadpool_limits(1):
        for line in sys.stdin:
            asked = json.loads(line)
            _say(_mean(asked) if "scores" in asked else _told(_answer(asked)))


def _hash(folder: Path) -> str:
    """Of every module that the answer imports: tells one version of it from another."""
    named = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    files = {Path(name).resolve() for name in named if name}
    digest = hashlib.sha256()
    for path in sorted(path for path in files if path.is_relative_to(folder) and path != Path(__file__).resolve()):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def _say(told: object) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def _mean(asked: dict[str, Any]) -> list[list[float]]:
    """The 90 % interval of the mean of each of several samples of K scores."""
    rng = np.random.default_rng(0)
    intervals = []
    for sample in asked["scores"]:
        scores = np.array([sample])
        draws = scores.mean() + resampled_shift(scores, None, asked["replicates"], rng)[:, 0]
        intervals.append(np.percentile(np.clip(draws, 0, 1), [5, 95]).tolist())
    return intervals


def _answer(asked: dict[str, Any]) -> Answer:
    runs = [_measurement(run) for run in asked["runs"]]
    groups = {
        f"{name}_groups": None if asked[f"{name}_groups"] is None else np.array(asked[f"{name}_groups"])
        for name in ("validation", "test")
    }
    return answer(
        runs,
        num_train=asked["num_train"],
        num_validation=len(runs[0].validation),
        num_test=len(runs[0].test),
        prices=PriceSpec(**asked["prices"]),
        tolerance=asked["tolerance"],
        target=asked["target"],
        replicates=asked["replicates"],
        planned=[_planned(plan) for plan in asked["planned"]],
        validation_groups=groups["validation_groups"],
        test_groups=groups["test_groups"],
    )


def _measurement(run: dict[str, Any]) -> Measurement:
    return Measurement(
        key=f"depth {run['depth']}, cases {run['num_cases']}, seed {run['seed']}",
        depth=run["depth"],
        ratio=run["ratio"],
        num_cases=run["num_cases"],
        seed=run["seed"],
        parameters=run["parameters"],
        device="gpu",
        budget_seconds=run["seconds"],
        seconds_estimated=False,
        validation=np.array(run["validation"]),
        test=np.array(run["test"]),
        flag=run["flag"],
        confirms=run["confirms"],
    )


def _planned(plan: dict[str, Any]) -> Planned:
    return Planned(
        depth=plan["depth"],
        ratio=plan["ratio"],
        num_cases=plan["num_cases"],
        parameters=plan["parameters"],
        device="gpu",
        budget_seconds=plan["seconds"],
    )


def _told(given: Answer) -> dict[str, Any]:
    rows = [row for row in given.ranking if row.flag is None]
    chosen = given.recommended
    return {
        "rows": [
            [
                row.depth,
                row.num_cases,
                _bounds(row.estimate.mean_interval),
                _bounds(row.estimate.run_interval),
                row.p_floor,
                row.eligible,
            ]
            for row in rows
        ],
        "depths": [
            [
                depth.depth,
                _bounds(depth.on_test.dsc.mean_interval),
                _rounded(depth.on_test.doubling_gain),
                _bounds(depth.on_test.doubling_gain_interval),
                depth.on_test.reached,
            ]
            for depth in given.depths
            if depth.on_test is not None
        ],
        "front": [
            [step.depth, step.num_cases, None if step.gain_interval is None else _bounds(step.gain_interval)]
            for step in given.front
        ],
        "recommended": None if chosen is None else [chosen.depth, chosen.num_cases],
    }


def _bounds(interval: Interval | None) -> list[float]:
    assert interval is not None
    return [_rounded(interval.lower), _rounded(interval.upper)]


def _rounded(value: float) -> float:
    return round(value, 6)


if __name__ == "__main__":
    main()
