"""The backtest beside every forecast: what the cells up to half of the cases would have foretold of the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from search.curves.data_curves import data_points, fit_data_curves
from search.curves.intervals import Estimate, interval_of
from storage.variants import OWN, variants_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from search.curves.data_curves import DataCurves
    from search.curves.measurements import Configuration

HALF = 0.5
REPLICATES = 500  # enough for an interval that is printed
LEAST_SIZES = 2  # of numbers of cases up to half: a curve needs two


@dataclass(frozen=True)
class Backtest:
    """One forecast that can be checked: the most cases that were measured at a depth.

    Attributes:
        depth: Of the U-Net.
        seen_cases: Most training cases among the cells that it is fitted to, over all depths of its variant.
        num_cases: Training cases of the configuration that is forecast.
        forecast: Its test DSC; the interval for one new run speaks of the mean over as many seeds as were measured.
        measured: Its measured test DSC, mean over seeds.
        seeds: Number of runs.
        inside: Whether the measured DSC lies in that interval.
        variant: Of the protocol; empty is its own.
    """

    depth: int
    seen_cases: int
    num_cases: int
    forecast: Estimate
    measured: float
    seeds: int
    inside: bool
    variant: str = OWN


def backtests(learned: Sequence[Configuration], *, num_train: int, seed: int) -> tuple[Backtest, ...]:
    """Forecast what was measured beyond half of the cases from what was measured up to there.

    Forecast and measurement are of the same test cases, so that nothing is resampled.

    Args:
        learned: Configurations of which a run counts.
        num_train: Training cases at hand, N.
        seed: Of the draws.

    Returns:
        One a recipe that was measured beyond half of the cases; none of a variant with fewer than two sizes up to half.
    """
    parts = [
        [configuration for configuration in learned if configuration.variant == variant]
        for variant in variants_in(learned)
    ]
    return tuple(test for own in parts for test in _of_one_variant(own, num_train, seed))


def _of_one_variant(learned: Sequence[Configuration], num_train: int, seed: int) -> tuple[Backtest, ...]:
    early = [configuration for configuration in learned if configuration.num_cases <= HALF * num_train]
    late = {
        configuration.depth: configuration
        for configuration in sorted(learned, key=_size)
        if configuration.num_cases > HALF * num_train
    }
    if len({configuration.num_cases for configuration in early}) < LEAST_SIZES or not late:
        return ()
    points = data_points(early, "test")
    rng, same_cases = np.random.default_rng(seed), np.zeros((REPLICATES, len(early)))
    curves = fit_data_curves(points, same_cases, rng, num_train=num_train, depths=sorted(late))
    seen = max(configuration.num_cases for configuration in early)
    return tuple(_backtest(late[depth], curves, seen) for depth in sorted(late))


def _size(configuration: Configuration) -> int:
    return configuration.num_cases


def _backtest(late: Configuration, curves: DataCurves, seen: int) -> Backtest:
    where = [late.depth], [float(late.num_cases)]
    drawn = curves.drawn(*where)[:, 0]
    luck = curves.new_run(where[1])[:, 0] / np.sqrt(late.seeds)
    of_runs = interval_of(np.clip(drawn + luck, 0.0, 1.0))
    forecast = Estimate(float(curves.expected(*where)[0]), interval_of(drawn), of_runs)
    measured = late.dsc("test")
    return Backtest(
        depth=late.depth,
        seen_cases=seen,
        num_cases=late.num_cases,
        forecast=forecast,
        measured=measured,
        seeds=late.seeds,
        inside=of_runs.lower <= measured <= of_runs.upper,
        variant=late.variant,
    )
