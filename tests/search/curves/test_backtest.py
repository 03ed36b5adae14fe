"""What half of the cases would have foretold."""

from __future__ import annotations

import pytest

from search.curves.backtest import backtests
from search.curves.measurements import Measurement, configurations_of
from tests.helpers.measured_surface import ASYMPTOTES, NUM_TRAIN, RATIOS, cell, surface


def backtest_of(measurements: list[Measurement]) -> list[tuple[int, int, int]]:
    """Depth, cases seen and cases forecast."""
    found = backtests(configurations_of(measurements), num_train=NUM_TRAIN, seed=0)
    return [(each.depth, each.seen_cases, each.num_cases) for each in found]


@pytest.mark.parametrize(
    ("measurements", "expected"),
    [
        (surface(), [(2, 280, 700), (3, 280, 700), (4, 280, 700)]),
        ([cell(4, ratio) for ratio in RATIOS], [(4, 280, 700)]),  # one depth
        ([cell(4, ratio) for ratio in RATIOS[:5]], [(4, 280, 490)]),  # all cases not yet measured
        ([cell(4, ratio) for ratio in RATIOS[:4]], []),  # nothing beyond half
        ([cell(4, ratio) for ratio in RATIOS[3:]], []),  # one number of cases up to half
        ([], []),
        ([cell(3, ratio) for ratio in RATIOS[:4]] + [cell(4, 1.0)], [(4, 280, 700)]),  # a depth without early cells
    ],
)
def test_what_is_seen_and_what_is_forecast(
    measurements: list[Measurement], expected: list[tuple[int, int, int]]
) -> None:
    """Seen are cells of up to half of the cases, of all depths; forecast the most that a depth was measured at."""
    assert backtest_of(measurements) == expected


def test_a_smooth_surface_is_foretold() -> None:
    """On a surface of its own kind the measured value lies in the interval, and near the forecast."""
    quiet = [cell(depth, ratio, noise=0.004) for depth in ASYMPTOTES for ratio in RATIOS]
    for each in backtests(configurations_of(quiet), num_train=NUM_TRAIN, seed=0):
        assert each.inside
        assert each.forecast.value == pytest.approx(each.measured, abs=0.05)
        assert each.forecast.run_interval is not None
        assert each.forecast.run_interval.lower < each.forecast.value < each.forecast.run_interval.upper


def test_a_surface_that_breaks_off_is_caught() -> None:
    """Where the later cells fall by 0.3, the backtest says that the forecast was wrong."""
    broken = [cell(4, ratio) for ratio in RATIOS[:4]] + [cell(4, 1.0, test=cell(4, 1.0).test - 0.3)]
    (found,) = backtests(configurations_of(broken), num_train=NUM_TRAIN, seed=0)
    assert not found.inside


def test_it_sees_nothing_beyond_half() -> None:
    """Whatever was measured beyond half, the forecast is the same."""
    changed = [cell(4, ratio) for ratio in RATIOS[:4]] + [
        cell(4, ratio, test=cell(4, ratio).test / 2) for ratio in RATIOS[4:]
    ]
    plain, other = (
        backtests(configurations_of(each), num_train=NUM_TRAIN, seed=0)
        for each in ([cell(4, ratio) for ratio in RATIOS], changed)
    )
    assert [each.forecast for each in plain] == [each.forecast for each in other]
