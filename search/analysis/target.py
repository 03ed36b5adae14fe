"""A wanted DSC: how many cases it takes at each depth, or how far it lies and what more cases would bring."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from search.analysis.good_enough import by_size
from search.curves.curve_answer import case_count
from search.curves.intervals import Interval, interval_of
from storage.variants import OWN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from search.analysis.ranking import RankedConfiguration
    from search.curves.curve_answer import CaseCount
    from search.curves.data_curves import DataCurves
    from storage.variants import Recipe

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class DepthTarget:
    """What the target takes at one depth, read off its curve on test cases; N is the number of cases at hand.

    Attributes:
        depth: Of the U-Net.
        cases: Fewest cases from which on its expected DSC is at least the target; without number where 2N miss it.
        run_interval: Of the number at which one new run reaches it, in cases.
        run_capped: Whether that interval ends at 2N because nothing is extrapolated beyond.
        extrapolated: Whether the number lies beyond N.
        p_at_hand: Probability that the expected DSC at N reaches it.
        p_doubled: The same at 2N, extrapolated.
        shortfall: The target less the expected DSC at N; negative where that exceeds it.
        shortfall_interval: Its interval.
        dsc_doubled: Expected DSC at 2N, extrapolated.
        dsc_doubled_interval: Its interval.
        variant: Of the protocol; empty is its own.
    """

    depth: int
    cases: CaseCount
    run_interval: Interval
    run_capped: bool
    extrapolated: bool
    p_at_hand: float
    p_doubled: float
    shortfall: float
    shortfall_interval: Interval
    dsc_doubled: float
    dsc_doubled_interval: Interval
    variant: str = OWN


@dataclass(frozen=True)
class TargetAnswer:
    """What it takes to reach the target.

    Attributes:
        target: DSC.
        depths: Each recipe that has a curve.
        best: The one of them that gets by with the fewest cases, else the one that comes nearest; None without curves.
        cheapest: The configuration of the lowest price that reaches the target on validation cases with P >= 0.5,
            measured or forecast; None where there is none.
    """

    target: float
    depths: tuple[DepthTarget, ...]
    best: DepthTarget | None
    cheapest: RankedConfiguration | None


def target_answer(
    curves: Mapping[str, DataCurves],
    recipes: Sequence[Recipe],
    ranking: Sequence[RankedConfiguration],
    *,
    target: float,
    num_train: int,
) -> TargetAnswer:
    """Read the target off the curves on test cases; the cheapest configuration is decided on validation cases.

    Args:
        curves: On test cases, by variant.
        recipes: Those that have a curve of their own.
        ranking: All configurations.
        target: DSC.
        num_train: Training cases at hand, N.
    """
    depths = tuple(
        replace(_depth_target(curves[variant], depth, target, num_train), variant=variant) for variant, depth in recipes
    )
    return TargetAnswer(
        target=target,
        depths=depths,
        best=min(depths, key=_nearness, default=None),
        cheapest=min(
            (row for row in ranking if row.eligible),
            key=lambda row: (row.price, *by_size(row)),
            default=None,
        ),
    )


def _nearness(depth: DepthTarget) -> tuple[float, float]:
    return (np.inf if depth.cases.cases is None else depth.cases.cases, depth.shortfall)


def _depth_target(curves: DataCurves, depth: int, target: float, num_train: int) -> DepthTarget:
    expected, replicates = curves.curve[depth], curves.replicates[depth]
    fewest, most = float(curves.points.num_cases.min()), 2.0 * num_train
    wanted = np.array([target])
    cases = case_count(expected.reaching(wanted, most), replicates.reaching(wanted, most), fewest, num_train)
    of_run = case_count(
        expected.reaching(wanted, most), replicates.reaching(target - curves.new_run, most), fewest, num_train
    )
    at = np.array([float(num_train), most])
    dsc, drawn = expected.at(at)[0], replicates.at(at)
    at_hand = interval_of(drawn[:, 0])
    return DepthTarget(
        depth=depth,
        cases=cases,
        run_interval=of_run.interval,
        run_capped=of_run.capped,
        extrapolated=cases.cases is None or cases.cases > num_train,
        p_at_hand=float(np.mean(drawn[:, 0] >= target)),
        p_doubled=float(np.mean(drawn[:, 1] >= target)),
        shortfall=float(target - dsc[0]),
        shortfall_interval=Interval(target - at_hand.upper, target - at_hand.lower),
        dsc_doubled=float(dsc[1]),
        dsc_doubled_interval=interval_of(drawn[:, 1]),
    )
