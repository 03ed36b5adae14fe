"""What the tests of the answer's parts share: judged rows, and data curves of a known law."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from models.surface.runs import SingleRuns
from search.analysis.good_enough import EnoughRule
from search.analysis.ranking import RankedConfiguration
from search.analysis.target import Reading, TargetAnswer, target_answer
from search.curves.data_curves import DataCurves, DataPoints, RunNoise
from search.curves.interpolation import Curves
from search.curves.intervals import Estimate, Interval
from search.prices import PriceSpec
from storage.variants import Recipe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

POSITIONS = np.geomspace(10, 400, 60)


def row(num_cases: int, price: float, *, depth: int = 3, **changes: Any) -> RankedConfiguration:
    """An eligible configuration that was measured, unless changed."""
    known: dict[str, Any] = {
        "rank": 1,
        "depth": depth,
        "ratio": num_cases / 1000,
        "num_cases": num_cases,
        "seeds": 1,
        "parameters": 1000 * 4**depth,
        "validation_dsc": 0.8,
        "validation_fitted": 0.8,
        "test_dsc": Estimate(0.8, Interval(0.78, 0.82), Interval(0.76, 0.84)),
        "test_fitted": 0.8,
        "test_forecast": None,
        "confirmed_dsc": None,
        "price": price,
        "device": "gpu",
        "training_seconds": 60.0,
        "seconds_estimated": False,
        "cost_per_dsc": price / 80,
        "p_floor": 0.9,
        "eligible": True,
        "safe": True,
        "flag": None,
    }
    return RankedConfiguration(**known | changes)


def data_curves(
    laws: Mapping[int, Callable[[Floats], Floats]],
    shifts: Sequence[float] = (0.0,),
    fewest: float = 10.0,
    num_train: int = 100,
) -> DataCurves:
    """Curves of a law a depth, each replicate shifted by its own amount, without any noise of runs."""
    moved = np.asarray(shifts, dtype=np.float64)[:, None]
    return DataCurves(
        points=DataPoints(
            depth=np.array(sorted(laws)),
            num_cases=np.full(len(laws), fewest),
            seeds=np.ones(len(laws)),
            case_dsc=np.full((len(laws), 2), 0.5),
            gain=np.zeros(len(laws)),
            runs=single_runs(np.array(sorted(laws)), np.full(len(laws), fewest), np.full(len(laws), 0.5)),
        ),
        noise=RunNoise(0.0, Interval(0.0, 0.0), 0),
        curve={depth: Curves(POSITIONS, law(POSITIONS)[None, :]) for depth, law in laws.items()},
        replicates={depth: Curves(POSITIONS, law(POSITIONS)[None, :] + moved) for depth, law in laws.items()},
        luck=np.zeros(len(moved)),
        growth=np.zeros(len(moved)),
        num_train=num_train,
        unlike=np.zeros(len(laws), dtype=bool),
    )


def single_runs(
    depth: Any, num_cases: Any, dsc: Any, *, sigma: float = 0.0, apart: Sequence[float] = (0.0,)
) -> SingleRuns:
    """Runs of each configuration, one for each distance from its DSC, each distance under a seed of its own."""
    count, seeds = len(dsc), len(apart)
    return SingleRuns(
        place=np.tile(np.arange(count), seeds),
        depth=np.tile(depth, seeds),
        num_cases=np.tile(np.asarray(num_cases, dtype=np.float64), seeds),
        seed=np.repeat(np.arange(seeds), count),
        dsc=np.add.outer(apart, dsc).ravel(),
        sigma=np.full(count * seeds, sigma),
    )


def wanted(
    target: float,
    test: DataCurves,
    *,
    validation: DataCurves | None = None,
    recipes: Sequence[Recipe] = (Recipe("", 3), Recipe("", 4)),
    recommended: RankedConfiguration | None = None,
    assurance: float | None = None,
    owned: int = 0,
) -> TargetAnswer:
    """What a target takes, of 100 training and 30 held-out cases, by these curves on test cases."""
    rule, prices = EnoughRule(0.01, target, assurance), PriceSpec(owned_cases=owned)
    return target_answer(Reading({"": validation or test}, {"": test}, recipes, rule, 100, 30, prices), [], recommended)
