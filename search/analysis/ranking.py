"""Configurations ranked by cost per DSC, for a target by price: validation cases decide, test cases estimate."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from search.analysis.good_enough import SURE, by_size, cost_per_dsc
from search.curves.intervals import Estimate, Interval
from search.prices import case_price, training_price
from storage.variants import OWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from search.analysis.good_enough import EnoughRule
    from search.curves.data_curves import DataCurves
    from search.curves.measurements import Configuration, Flag, Planned
    from search.prices import Device, PriceSpec

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class RankedConfiguration:
    """One row of the ranking.

    Attributes:
        rank: From 1 among the eligible; None for the others.
        depth: Of the U-Net.
        ratio: Share of the training cases.
        num_cases: Training cases.
        seeds: Runs that count; 0 for a configuration that was not measured.
        parameters: Weights of the network.
        validation_dsc: Measured mean on validation cases; None where it was not measured.
        validation_fitted: Value of the data curve on validation cases; None for a flagged row.
        test_dsc: Measured mean on test cases; None where it was not measured. Its intervals are those of the full
            budget's DSC.
        test_fitted: Value of the data curve on test cases, given all runs; None for a flagged row.
        test_forecast: Value of the data curve on test cases where it was not measured; else None.
        confirmed_dsc: Test DSC of the fresh seed that confirms this configuration; None before that.
        price: Of one full-budget training and of all cases it needs.
        device: What the seconds are of.
        training_seconds: Of one full-budget training.
        seconds_estimated: Whether a stopped run's seconds are among them.
        cost_per_dsc: Price per 0.01 of fitted validation DSC; None where that is not positive.
        p_floor: Probability that its DSC reaches the floor; None for a flagged row.
        eligible: Whether that is at least the assurance: 0.9 of a target, else 0.5, unless another one is asked for.
        safe: Whether that is at least 0.9.
        flag: Why no run of it counts; None where one does.
        unlike: Whether it lies where its neighbours do not foretell, so that it moved no curve.
        variant: Of the protocol; empty is its own.
    """

    rank: int | None
    depth: int
    ratio: float
    num_cases: int
    seeds: int
    parameters: int
    validation_dsc: float | None
    validation_fitted: float | None
    test_dsc: Estimate | None
    test_fitted: float | None
    test_forecast: Estimate | None
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
    variant: str = OWN
    unlike: bool = False

    @property
    def is_forecast(self) -> bool:
        """Whether no run of it was measured."""
        return self.test_dsc is None

    @property
    def estimate(self) -> Estimate:
        """Its test DSC: expected given all runs, else forecast; that of a flagged row as it was measured."""
        estimate = self.test_forecast if self.test_dsc is None else self.test_dsc
        assert estimate is not None
        return estimate if self.test_fitted is None else replace(estimate, value=self.test_fitted)


def ranked(rows: Iterable[RankedConfiguration], rule: EnoughRule) -> tuple[RankedConfiguration, ...]:
    """Number the eligible rows by merit; the others follow, the likeliest first, then the flagged."""
    by_rising_size = sorted(rows, key=by_size)
    judged_rows = [row for row in by_rising_size if row.p_floor is not None]
    flagged = [row for row in by_rising_size if row.p_floor is None]
    order = rule.by_merit(
        np.array([row.validation_fitted for row in judged_rows], dtype=np.float64),
        np.array([row.price for row in judged_rows]),
        np.array([row.p_floor for row in judged_rows], dtype=np.float64),
        np.arange(len(judged_rows)),
    )
    ordered = [*(judged_rows[i] for i in order), *flagged]
    return tuple(replace(row, rank=place if row.eligible else None) for place, row in enumerate(ordered, start=1))


def learned_rows(
    configurations: Sequence[Configuration], test: DataCurves, *, prices: PriceSpec, held_out_cases: int
) -> list[RankedConfiguration]:
    """Rows of the C configurations that the test curves are conditioned on, in that order, not yet judged.

    Their intervals are those of the curve, given all runs: of the full budget's DSC.
    """
    rows = [_measured_row(configuration, prices, held_out_cases) for configuration in configurations]
    drawn = test.drawn(test.points.depth, test.points.num_cases)
    means, runs = (_dsc_intervals(values) for values in (drawn, drawn + test.new_run(test.points.num_cases)))
    fitted = test.expected(test.points.depth, test.points.num_cases).tolist()
    return [
        replace(row, test_dsc=Estimate(row.test_dsc.value, mean, run), test_fitted=expected)
        for row, expected, mean, run in zip(rows, fitted, means, runs, strict=True)
        if row.test_dsc is not None
    ]


def forecast_rows(
    planned: Sequence[Planned], test: DataCurves, *, prices: PriceSpec, held_out_cases: int
) -> list[RankedConfiguration]:
    """Rows of configurations that were not measured, not yet judged."""
    depth, num_cases = [plan.depth for plan in planned], [plan.num_cases for plan in planned]
    expected, drawn = test.expected(depth, num_cases), test.drawn(depth, num_cases)
    means, runs = (_dsc_intervals(values) for values in (drawn, drawn + test.new_run(num_cases)))
    return [
        _planned_row(plan, Estimate(value, mean, run), prices, held_out_cases)
        for plan, value, mean, run in zip(planned, expected.tolist(), means, runs, strict=True)
    ]


def judged(
    rows: Sequence[RankedConfiguration], rule: EnoughRule, fitted: Floats, drawn: Floats
) -> list[RankedConfiguration]:
    """The same J rows with what validation says of each.

    Args:
        rows: Not yet judged.
        rule: What is good enough.
        fitted: Fitted validation DSC, shape (J,).
        drawn: The same in R replicates, shape (R, J).
    """
    chances = rule.probabilities(drawn)
    costs = cost_per_dsc(np.array([row.price for row in rows]), fitted)
    columns = zip(rows, fitted.tolist(), costs.tolist(), chances.tolist(), rule.eligible(chances).tolist(), strict=True)
    return [
        replace(
            row,
            validation_fitted=dsc,
            cost_per_dsc=cost if np.isfinite(cost) else None,
            p_floor=chance,
            eligible=eligible,
            safe=chance >= SURE,
        )
        for row, dsc, cost, chance, eligible in columns
    ]


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
        test_fitted=None,
        test_forecast=None,
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
        variant=configuration.variant,
    )


def _planned_row(planned: Planned, forecast: Estimate, prices: PriceSpec, held_out_cases: int) -> RankedConfiguration:
    training = training_price(
        prices, device=planned.device, seconds=planned.budget_seconds, device_name=planned.device_name
    )
    return RankedConfiguration(
        rank=None,
        depth=planned.depth,
        ratio=planned.ratio,
        num_cases=planned.num_cases,
        seeds=0,
        parameters=planned.parameters,
        validation_dsc=None,
        validation_fitted=None,
        test_dsc=None,
        test_fitted=None,
        test_forecast=forecast,
        confirmed_dsc=None,
        price=training + case_price(prices, planned.num_cases + held_out_cases),
        device=planned.device,
        training_seconds=planned.budget_seconds,
        seconds_estimated=True,
        cost_per_dsc=None,
        p_floor=None,
        eligible=False,
        safe=False,
        flag=None,
        variant=planned.variant,
    )


def _dsc_intervals(replicates: Floats) -> list[Interval]:
    """An interval for each column of shape (R, C)."""
    bounds = np.percentile(np.clip(replicates, 0.0, 1.0), [5, 95], axis=0).T
    return [Interval(lower, upper) for lower, upper in bounds.tolist()]
