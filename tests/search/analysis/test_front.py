"""The front of price and DSC, and what each further 0.01 DSC costs along it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.analysis.front import front_of, front_steps
from tests.helpers.answers import row


@pytest.mark.parametrize(
    ("prices", "dsc", "front"),
    [
        # The example of the definitions: E is dominated, C extended-dominated.
        ([100, 200, 300, 350, 400], [0.70, 0.80, 0.82, 0.81, 0.90], [0, 1, 4]),
        ([], [], []),
        ([5], [0.5], [0]),
        ([5, 5], [0.5, 0.6], [1]),  # the same price: the better one
        ([5, 6], [0.5, 0.5], [0]),  # the same DSC: the cheaper one
        ([5, 5], [0.5, 0.5], [0]),  # a tie: the first
        ([3, 2, 1], [0.3, 0.2, 0.1], [2, 1, 0]),  # on one line all stay
        ([1, 2, 3], [0.3, 0.2, 0.1], [0]),  # dearer and worse
        ([0, 0, 0], [0.1, 0.3, 0.2], [1]),  # everything is free
        # Taking one out makes its predecessor's step too dear as well: 10, then 20, 50 and 12 become 10.
        ([0, 100, 200, 300, 400], [0.50, 0.60, 0.62, 0.63, 0.95], [0, 4]),
    ],
)
def test_dominated_and_extended_dominated_are_left_out(prices: list[float], dsc: list[float], front: list[int]) -> None:
    """Only configurations that no other, and no mixture of two others, beats."""
    assert front_of(prices, dsc) == front


def test_incremental_prices_of_the_example() -> None:
    """The first has none; then (200 - 100) / 10 = 10 and (400 - 200) / 10 = 20 for each 0.01 DSC."""
    prices, dsc = [100, 200, 300, 350, 400], np.array([0.70, 0.80, 0.82, 0.81, 0.90])
    rows = [row(10 * place, price) for place, price in enumerate(prices, start=1)]
    steps = front_steps(rows, dsc, np.tile(dsc, (20, 1)))
    assert [step.icer for step in steps] == [None, pytest.approx(10), pytest.approx(20)]
    assert [step.gain for step in steps] == [None, pytest.approx(0.1), pytest.approx(0.1)]
    assert [step.distinguishable for step in steps] == [None, True, True]


def test_a_gain_that_replicates_do_not_confirm_is_told() -> None:
    """The gain is paired: what moves both alike leaves it clear, what moves one of them does not."""
    rows, fitted = [row(10, 100), row(20, 200)], np.array([0.70, 0.72])
    alike = np.linspace(-0.1, 0.1, 50)[:, None] + fitted
    apart = fitted + np.stack([np.zeros(50), np.linspace(-0.1, 0.1, 50)], axis=1)
    assert front_steps(rows, fitted, alike)[1].distinguishable
    assert front_steps(rows, fitted, apart)[1].distinguishable is False


def test_ties_go_to_fewer_cases() -> None:
    """Equal in price and DSC: the configuration with fewer cases, then with fewer parameters."""
    rows = [row(30, 100), row(20, 100, depth=4), row(20, 100, depth=3)]
    (only,) = front_steps(rows, np.full(3, 0.7), np.full((5, 3), 0.7))
    assert (only.num_cases, only.depth) == (20, 3)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=25))
def test_the_front_rises_ever_more_dearly(points: list[tuple[int, int]]) -> None:
    """Price and DSC rise strictly, incremental prices never fall, and nothing lies above the front."""
    prices, dsc = [float(price) for price, _ in points], [value / 100 for _, value in points]
    front = front_of(prices, dsc)
    assert bool(front) == bool(points)
    x, y = np.array([prices[i] for i in front]), np.array([dsc[i] for i in front])
    assert (np.diff(x) > 0).all()
    assert (np.diff(y) > 0).all()
    slopes = np.diff(x) / np.diff(y)
    assert (np.diff(slopes) >= -1e-6 * np.abs(slopes[1:])).all()
    for price, value in zip(prices, dsc, strict=True):
        assert value <= np.interp(price, x, y) + 1e-9
