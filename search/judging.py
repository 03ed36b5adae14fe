"""Configurations judged on the two sets of cases: data curves fitted to both, and what validation says of each row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypedDict

import numpy as np

from search.data_curves import data_points, fit_data_curves
from search.ranking import floor_probabilities, forecast_rows, judged, learned_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from search.data_curves import DataCurves
    from search.measurements import Configuration, Planned
    from search.prices import PriceSpec
    from search.ranking import RankedConfiguration

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]


class Costs(TypedDict):
    """What prices a configuration."""

    prices: PriceSpec
    held_out_cases: int


class Floor(TypedDict):
    """What sets the DSC to reach."""

    tolerance: float
    target: float | None


class _Wanted(TypedDict):
    num_train: int
    depths: Sequence[int]
    fewest: float | None


class CurvePair(NamedTuple):
    """Data curves of the same configurations on the two sets of cases."""

    validation: DataCurves
    test: DataCurves


@dataclass(frozen=True, eq=False)
class Likely:
    """J judged configurations that learned or are forecast; validation DSC fitted (J,), and in replicates (R, J)."""

    rows: list[RankedConfiguration]
    fitted: Floats
    drawn: Floats

    @classmethod
    def none(cls) -> Likely:
        """Where nothing learned."""
        return cls([], np.zeros(0), np.zeros((1, 0)))

    @classmethod
    def of(
        cls,
        curves: CurvePair,
        learned: Sequence[Configuration],
        planned: Sequence[Planned],
        *,
        floor: Floor,
        costs: Costs,
    ) -> Likely:
        """Those that learned, then those that are planned."""
        rows = [*learned_rows(learned, curves.test, **costs), *forecast_rows(planned, curves.test, **costs)]
        where = [row.depth for row in rows], [float(row.num_cases) for row in rows]
        fitted, drawn = curves.validation.expected(*where), curves.validation.drawn(*where)
        return cls(judged(rows, fitted, floor_probabilities(fitted, drawn, **floor)), fitted, drawn)


def fit_pair(
    learned: Sequence[Configuration],
    planned: Sequence[Planned],
    *,
    num_train: int,
    validation_groups: Integers | None,
    test_groups: Integers | None,
    replicates: int,
    seed: int,
) -> CurvePair:
    """Fit the curves of both sets, each with a generator of its own, so that test values move no decision."""
    depths = sorted({each.depth for each in planned})
    fewest = min((float(each.num_cases) for each in planned), default=None)
    for_validation, for_test = np.random.default_rng(seed).spawn(2)
    wanted: _Wanted = {"num_train": num_train, "depths": depths, "fewest": fewest}
    return CurvePair(
        fit_data_curves(data_points(learned, "validation"), validation_groups, replicates, for_validation, **wanted),
        fit_data_curves(data_points(learned, "test"), test_groups, replicates, for_test, **wanted),
    )
