"""Numbers of cases and gains read off one depth's data curve."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from search.curves.curve_answer import CurveAnswer, curve_answer
from search.curves.data_curves import DataPoints, fit_data_curves, resampled_shift
from tests.helpers.answers import single_runs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

CASES = np.array([35.0, 70.0, 140.0, 280.0, 420.0, 700.0])


def read(
    dsc: Floats, *, cases: Floats = CASES, num_train: int = 700, tolerance: float = 0.01, seeds: int = 1
) -> CurveAnswer:
    """What the curve through noise-free points says; all test cases, and all seeds, score alike."""
    points = DataPoints(
        depth=np.full(len(cases), 4),
        num_cases=cases,
        seeds=np.full(len(cases), float(seeds)),
        case_dsc=dsc[:, None],
        gain=np.zeros(len(cases)),
        runs=single_runs(np.full(len(cases), 4), cases, dsc, apart=[0.0] * seeds),
    )
    rng = np.random.default_rng(0)
    curves = fit_data_curves(points, resampled_shift(points.case_dsc, None, 500, rng), rng, num_train=num_train)
    return curve_answer(curves, 4, num_train, tolerance)


def test_a_rising_curve_has_no_plateau() -> None:
    """0.8 - 2 n^-0.5 gains 0.0221 by doubling 700 cases, and is within 0.01 of its end from 546 cases on."""
    says = read(0.8 - 2 * CASES**-0.5)
    assert not says.reached
    assert says.verdict == "still rising"
    assert says.plateau.cases is None
    assert says.plateau.capped
    assert says.plateau.interval.upper == 1400
    assert says.doubling_gain == pytest.approx(2 * (700**-0.5 - 1400**-0.5), abs=0.003)
    assert says.sufficient.cases == pytest.approx((0.005 + 700**-0.5) ** -2, abs=10)
    assert says.sufficient.interval.lower <= 546 <= says.sufficient.interval.upper
    assert says.gain_per_100_cases == pytest.approx(2 * (700**-0.5 - 800**-0.5), abs=0.001)


def test_a_curve_that_ends_flat_has_reached_its_plateau() -> None:
    """0.8 - 600 n^-2 gains 0.01 by doubling 212 cases, and nothing worth naming by doubling 700."""
    says = read(0.8 - 600 * CASES**-2.0, seeds=3)
    assert says.reached
    assert says.verdict == "flat"
    assert says.plateau.cases is not None
    assert says.plateau.cases == pytest.approx((450 / 0.01) ** 0.5, abs=10)
    assert not says.plateau.capped
    assert says.doubling_gain < 0.01


def test_no_count_is_read_off_below_the_fewest_cases_tried() -> None:
    """A flat curve says that 35 cases are enough, not that one is."""
    says = read(np.full(6, 0.7))
    assert says.sufficient.cases == 35
    assert says.sufficient.interval.lower == 35
    assert says.sufficient.ratio == pytest.approx(0.05)


def test_a_gain_per_100_cases_stays_within_twice_the_cases_at_hand() -> None:
    """With 40 cases at hand, the gain of the next 40 is scaled to 100."""
    says = read(np.array([0.5, 0.6, 0.65]), cases=np.array([10.0, 20.0, 40.0]), num_train=40)
    assert says.gain_per_100_cases == pytest.approx(2.5 * says.doubling_gain)


def test_a_new_run_is_less_certain_than_the_mean() -> None:
    """The interval of one new run holds that of the mean, and both hold the fitted DSC."""
    dsc = read(0.8 - 2 * CASES**-0.5).dsc
    assert dsc.mean_interval is not None
    assert dsc.run_interval is not None
    assert dsc.run_interval.lower < dsc.mean_interval.lower < dsc.value
    assert dsc.value < dsc.mean_interval.upper < dsc.run_interval.upper


def test_a_larger_tolerance_needs_fewer_cases() -> None:
    """Cases are bought by the tolerance."""
    curve = 0.8 - 2 * CASES**-0.5
    counts = [read(curve, tolerance=tolerance).sufficient.cases for tolerance in (0.0, 0.005, 0.01, 0.02, 0.05)]
    assert counts[0] == 700
    assert counts == sorted(counts, key=lambda count: -(count or 0))
