"""Power laws through learning curves."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.forecaster.baselines.power_law import PowerLaws, fit_power_laws

CASES = np.array([14.0, 35.0, 70.0, 140.0, 280.0, 420.0, 560.0, 700.0])
EVALUATIONS = np.arange(1.0, 31.0)

scores = st.floats(0.0, 1.0)


@pytest.mark.parametrize(
    ("a", "b", "c"),
    [(0.80, 2.0, 0.5), (0.75, 5.0, 1.0), (0.90, 1.2, 0.2), (0.85, 0.0, 1.0)],
)
def test_recovers_a_law_without_noise(a: float, b: float, c: float) -> None:
    """From exact values the fit gives the law back, and its value at twice the cases to within 0.005."""
    truth = PowerLaws(np.array([a]), np.array([b]), np.array([c]))
    fitted = fit_power_laws(CASES, truth.at(CASES))
    assert fitted.at(CASES) == pytest.approx(truth.at(CASES), abs=0.005)
    assert fitted.at(np.array([1400.0])) == pytest.approx(truth.at(np.array([1400.0])), abs=0.005)


def test_one_point_gives_a_flat_law() -> None:
    """One position, however often measured, says nothing about a slope: b is 0 and a the weighted mean."""
    fitted = fit_power_laws(np.array([70.0, 70.0]), np.array([[0.5, 0.6]]), np.array([3.0, 1.0]))
    assert fitted.b == pytest.approx([0.0])
    assert fitted.a == pytest.approx([0.525])


def test_two_rising_points_are_met_near_the_prior_exponent() -> None:
    """Two points fit every exponent, so the prior's centre decides."""
    fitted = fit_power_laws(np.array([70.0, 700.0]), np.array([[0.5, 0.6]]))
    assert fitted.at(np.array([70.0, 700.0])) == pytest.approx(np.array([[0.5, 0.6]]))
    assert fitted.c == pytest.approx([0.5], rel=0.05)


def test_a_falling_curve_gives_its_weighted_mean() -> None:
    """More cases never hurt in a law: a falling curve is flat at its mean."""
    fitted = fit_power_laws(np.array([1.0, 2.0]), np.array([[0.9, 0.5]]), np.array([1.0, 3.0]))
    assert fitted.at(np.array([1.0, 9.0])) == pytest.approx(np.array([[0.6, 0.6]]))


def test_a_steep_pair_of_points_does_not_pass_one() -> None:
    """The asymptote of a DSC stays at or under 1, however steep the seen part."""
    fitted = fit_power_laws(np.array([10.0, 20.0]), np.array([[0.5, 0.9]]))
    assert fitted.a[0] <= 1.0


def test_a_weight_counts_as_so_many_measurements() -> None:
    """A weight of two is the same as the point given twice."""
    x, y = np.array([70.0, 140.0, 700.0]), np.array([[0.50, 0.62, 0.66]])
    weighted = fit_power_laws(x, y, np.array([1.0, 2.0, 1.0]))
    repeated = fit_power_laws(x[[0, 1, 1, 2]], y[:, [0, 1, 1, 2]])
    assert weighted.at(CASES) == pytest.approx(repeated.at(CASES), abs=1e-9)


@given(st.lists(scores, min_size=1, max_size=8), st.floats(0.01, 1000.0))
def test_the_unit_of_x_does_not_matter(y: list[float], unit: float) -> None:
    """Counting in patients, in hundreds or in slices gives the same curve."""
    x, values = CASES[: len(y)], np.array([y])
    plain, scaled = fit_power_laws(x, values), fit_power_laws(x * unit, values)
    # Two exponents may fit equally well but for rounding, hence the laws are compared by their errors.
    errors = [((law.at(at) - values) ** 2).sum() for law, at in ((plain, x), (scaled, x * unit))]
    assert errors[0] == pytest.approx(errors[1], abs=1e-3)
    assert (scaled.a <= 1).all()
    assert (scaled.b >= 0).all()


@given(st.lists(st.lists(scores, min_size=4, max_size=4), min_size=2, max_size=5))
def test_curves_of_a_batch_do_not_see_each_other(y: list[list[float]]) -> None:
    """A curve fitted in a batch gets the law it gets alone."""
    x, values = CASES[:4], np.array(y)
    alone = np.concatenate([fit_power_laws(x, row[None, :]).at(x) for row in values])
    assert fit_power_laws(x, values).at(x) == pytest.approx(alone, abs=1e-6)


@pytest.mark.parametrize(
    ("x", "y", "weights", "message"),
    [
        ([1.0, 2.0], [[0.5]], None, r"got \(2,\), \(1, 1\)"),
        ([], [[]], None, "P >= 1"),
        ([0.0, 1.0], [[0.5, 0.6]], None, "positive"),
        ([1.0, 2.0], [[0.5, np.nan]], None, "finite"),
        ([1.0, 2.0], [[0.5, 0.6]], [0.0, 0.0], "not all 0"),
    ],
)
def test_refuses_curves_that_have_no_fit(
    x: list[float], y: list[list[float]], weights: list[float] | None, message: str
) -> None:
    """The error names the rule, and quotes the shapes where they disagree."""
    with pytest.raises(ValueError, match=message):
        fit_power_laws(np.array(x), np.array(y), None if weights is None else np.array(weights))


def test_two_thousand_replicates_fit_quickly() -> None:
    """The bootstrap of a data curve, 2,000 replicates of 10 points, is no matter of seconds."""
    y = np.random.default_rng(0).uniform(0.5, 0.8, (2000, 10))
    fit_power_laws(EVALUATIONS[:10], y)
    start = time.perf_counter()
    fit_power_laws(EVALUATIONS[:10], y)
    assert time.perf_counter() - start < 0.5  # about 0.01 s on one idle core
