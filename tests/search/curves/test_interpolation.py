"""Curves over numbers of cases, and what is read off them."""

from __future__ import annotations

import numpy as np
import pytest

from search.curves.interpolation import Curves

POSITIONS = np.geomspace(10, 2800, 200)


def curves(*values: object) -> Curves:
    """Curves through the same two hundred positions."""
    return Curves(POSITIONS, np.stack([np.asarray(each, dtype=float) for each in values]))


def test_values_between_positions_are_straight_in_log_cases() -> None:
    """A logarithmic curve is met exactly everywhere, and the ends are not passed."""
    found = curves(0.1 * np.log(POSITIONS)).at(np.array([5.0, 33.3, 700.0, 9999.0]))
    assert found[0] == pytest.approx(0.1 * np.log([10.0, 33.3, 700.0, 2800.0]))


def test_sufficient_cases_by_hand() -> None:
    """0.8 - 2 n^-0.5 is within 0.01 of its value at 700 from (0.005 + 700^-0.5)^-2 = 546 cases on."""
    rising, flat = 0.8 - 2 * POSITIONS**-0.5, np.full(200, 0.8)
    assert curves(rising, flat).sufficient_within(700, 0.01) == pytest.approx([546, 10], abs=1)


def test_a_plateau_is_where_doubling_brings_no_more_than_the_tolerance() -> None:
    """0.8 - 600 n^-2 gains 0.01 by doubling 212 cases; a rising curve has no plateau within reach."""
    found = curves(0.8 - 600 * POSITIONS**-2.0, 0.8 - 3 * POSITIONS**-0.3).plateau(0.01)
    assert found[0] == pytest.approx(213, abs=1)
    assert found[1] == np.inf


def test_a_dip_does_not_make_a_plateau() -> None:
    """A curve that is flat for a while and rises again has its plateau after the rise."""
    steps = np.where(POSITIONS < 300, 0.5, 0.7)
    assert 300 <= curves(steps).plateau(0.01)[0] <= 320
    assert 290 <= curves(steps).sufficient_within(700, 0.01)[0] <= 310


def test_gain_is_the_difference_of_two_values() -> None:
    """Falling curves have a negative one."""
    found = curves(0.1 * np.log(POSITIONS), -0.1 * np.log(POSITIONS)).gain(100, 200)
    assert found == pytest.approx([0.1 * np.log(2), -0.1 * np.log(2)])
