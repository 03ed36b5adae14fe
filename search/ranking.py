"""Configurations ranked by cost per DSC: decided on validation cases, estimated on test cases."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from search.depth_answer import SURE
from search.intervals import Estimate, interval_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from search.data_curves import DataCurves
    from search.measurements import Configuration, Flag
    from search.prices import Device, PriceSpec

    Floats = NDArray[np.float64]

LIKELY = 0.5  # probability of reaching the floor at which a configuration is eligible


@dataclass(frozen=True)
class RankedConfiguration:
    """One row of the ranking.

    Attributes:
        rank: From 1 among the eligible; None for the others.
        depth: Of the U-Net.
        ratio: Share of the training cases.
        num_cases: Training cases.
        seeds: Runs that count.
        parameters: Weights of the network.
        validation_dsc: Measured mean on validation cases.
        validation_fitted: Value of the data curve on validation cases; None for a flagged row.
        test_dsc: Measured mean on test cases. Its intervals are those of the full budget's DSC.
        confirmed_dsc: Test DSC of the fresh seed that confirms this configuration; None before that.
        price: Of one full-budget training and of all cases it needs.
        device: What the seconds are of.
        training_seconds: Of one full-budget training.
        seconds_estimated: Whether a stopped run's seconds are among them.
        cost_per_dsc: Price per 0.01 of fitted validation DSC; None where that is not positive.
        p_floor: Probability that its DSC reaches the floor; None for a flagged row.
        eligible: Whether that is at least 0.5.
        safe: Whether that is at least 0.9.
        flag: Why no run of it counts; None where one does.
    """

    rank: int | None
    depth: int
    ratio: float
    num_cases: int
    seeds: int
    parameters: int
    validation_dsc: float
    validation_fitted: float | None
    test_dsc: Estimate
    confirmed_dsc: float | None
    price: float
    device: Device
    training_seconds: float
    seconds_estimated: bool
    cost_per_dsc: float | None
    p_floor: float | None
    eligible: bool
    safe: bool
    flag: Flag | None


def floor_of(fitted: Floats, tolerance: float, target: float | None) -> Floats:
    """The DSC to reach: the target, else the best fitted one less the tolerance; fitted (R, C) gives (R,)."""
    return fitted.max(axis=1) - tolerance if target is None else np.full(len(fitted), target)


def floor_probabilities(curves: DataCurves, tolerance: float, target: float | None) -> Floats:
    """Share of replicates in which each configuration's fitted DSC reaches that replicate's floor, shape (C,)."""
    floors = floor_of(curves.replicate_fitted, tolerance, target)
    share: Floats = (curves.replicate_fitted >= floors[:, None]).mean(axis=0)
    return share


def ranked(rows: Iterable[RankedConfiguration]) -> tuple[RankedConfiguration, ...]:
    """Number the eligible rows by cost per DSC; the others follow, the likeliest first, then the flagged."""
    ordered = sorted(rows, key=_order)
    return tuple(replace(row, rank=place if row.eligible else None) for place, row in enumerate(ordered, start=1))


def learned_rows(
    configurations: Sequence[Configuration],
    validation: DataCurves,
    test: DataCurves,
    p_floor: Floats,
    *,
    prices: PriceSpec,
    held_out_cases: int,
) -> list[RankedConfiguration]:
    """Rows of the C configurations that both sets of data curves are fitted to, in that order, not yet ranked."""
    rows = []
    for index, configuration in enumerate(configurations):
        row = _measured_row(configuration, prices, held_out_cases)
        dsc, chance = float(validation.fitted[index]), float(p_floor[index])
        judged = replace(
            row,
            validation_fitted=dsc,
            test_dsc=_test_estimate(row.test_dsc.value, test, index),
            cost_per_dsc=row.price / (100 * dsc) if dsc > 0 else None,
            p_floor=chance,
            eligible=chance >= LIKELY,
            safe=chance >= SURE,
        )
        rows.append(judged)
    return rows


def flagged_rows(
    configurations: Sequence[Configuration], *, prices: PriceSpec, held_out_cases: int
) -> list[RankedConfiguration]:
    """Rows of configurations of which no run learned: measured scores and price, never eligible."""
    return [_measured_row(configuration, prices, held_out_cases) for configuration in configurations]


def _measured_row(configuration: Configuration, prices: PriceSpec, held_out_cases: int) -> RankedConfiguration:
    """What is known of a configuration without any curve."""
    runs = configuration.measurements
    confirming = [run.dsc("test") for run in runs if run.confirms and run.flag is None]
    return RankedConfiguration(
        rank=None,
        depth=configuration.depth,
        ratio=runs[0].ratio,
        num_cases=configuration.num_cases,
        seeds=configuration.seeds,
        parameters=runs[0].parameters,
        validation_dsc=configuration.dsc("validation"),
        validation_fitted=None,
        test_dsc=Estimate(configuration.dsc("test"), None, None),
        confirmed_dsc=float(np.mean(confirming)) if confirming else None,
        price=configuration.price(prices, held_out_cases),
        device=runs[0].device,
        training_seconds=configuration.training_seconds(),
        seconds_estimated=any(run.seconds_estimated for run in runs),
        cost_per_dsc=None,
        p_floor=None,
        eligible=False,
        safe=False,
        flag=configuration.flag,
    )


def _test_estimate(measured: float, test: DataCurves, index: int) -> Estimate:
    """Measured test DSC; its intervals are around the DSC of the full budget, the forecast gain included."""
    replicates = test.points.dsc[index] + test.replicate_error[:, index]
    return Estimate(measured, interval_of(replicates), interval_of(replicates + test.new_run))


def _order(row: RankedConfiguration) -> tuple[float, ...]:
    """Eligible by cost per DSC, the others by falling probability; ties: fewer cases, then fewer parameters."""
    cost = np.inf if row.cost_per_dsc is None else _rounded(row.cost_per_dsc)
    chance = -1.0 if row.p_floor is None else row.p_floor
    # Far from the floor no replicate reaches it: there, the better DSC is the nearer one.
    nearness = 0.0 if row.validation_fitted is None else row.validation_fitted
    merit = (0.0, cost) if row.eligible else (1.0, -chance, -_rounded(nearness))
    # The two merits differ in length, but also in their first number, so that they are never compared beyond it.
    return (*merit, row.num_cases, row.parameters, row.depth)


def _rounded(value: float) -> float:
    """Nine digits: two values that differ only by rounding are a tie."""
    return float(f"{value:.9g}")
