"""What the tests of the answer's parts share: judged rows, and data curves of a known law."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from search.analysis.ranking import RankedConfiguration
from search.curves.data_curves import DataCurves, DataPoints, RunNoise
from search.curves.interpolation import Curves
from search.curves.intervals import Estimate, Interval

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
    laws: Mapping[int, Callable[[Floats], Floats]], shifts: Sequence[float] = (0.0,), fewest: float = 10.0
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
            gain_sigma=np.zeros(len(laws)),
            repeat_squares=np.zeros(len(laws)),
        ),
        noise=RunNoise(0.0, "assumed", 0),
        curve={depth: Curves(POSITIONS, law(POSITIONS)[None, :]) for depth, law in laws.items()},
        replicates={depth: Curves(POSITIONS, law(POSITIONS)[None, :] + moved) for depth, law in laws.items()},
        replicate_error=np.zeros((len(moved), len(laws))),
        new_run=np.zeros(len(moved)),
    )
