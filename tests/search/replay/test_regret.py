"""What a recommendation loses against the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.analysis.good_enough import EnoughRule
from search.replay.regret import regret

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

TRUTH = np.array([0.70, 0.80, 0.82, 0.81, 0.90])
PRICES = np.array([100.0, 200.0, 300.0, 350.0, 400.0])
CASES = np.array([70.0, 140.0, 350.0, 350.0, 700.0])


def right_configuration(truth: Floats, prices: Floats, tolerance: float, target: float | None = None) -> int:
    """What regret is measured against: of a target that nothing reaches, the best."""
    return int(EnoughRule(tolerance, target, out_of_reach="lowered").right(truth, prices))


def ask(recommended: int, target: float | None = None, tolerance: float = 0.01) -> tuple[float, float, float]:
    """The three regrets of recommending one of the five."""
    found = regret(recommended, TRUTH, PRICES, CASES, num_train=700, tolerance=tolerance, target=target)
    return found.dsc_regret, found.cost_regret, found.case_error


def test_regret_by_hand() -> None:
    """Floor 0.89, right is the last at 400: the second lacks 0.09, costs half, and asks for 560 cases of 700 less."""
    assert right_configuration(TRUTH, PRICES, 0.01) == 4
    assert ask(1) == pytest.approx((0.09, -0.5, 0.8))
    assert ask(4) == (0, 0, 0)


def test_a_target_is_the_floor() -> None:
    """At 0.8 the second is right, at 250 per 100 points of DSC; the last has no DSC regret and twice its price."""
    assert right_configuration(TRUTH, PRICES, 0.01, 0.8) == 1
    assert ask(4, target=0.8) == pytest.approx((0, 1.0, 0.8))
    assert ask(0, target=0.8) == pytest.approx((0.1, -0.5, 0.1))


def test_a_target_out_of_reach_asks_for_the_best() -> None:
    """No more can be asked for than there is."""
    assert right_configuration(TRUTH, PRICES, 0.01, 0.99) == 4
    assert ask(3, target=0.99) == pytest.approx((0.09, -0.125, 0.5))


def test_a_wide_tolerance_makes_the_cheapest_dsc_right() -> None:
    """With 0.2 all are above the floor of 0.7, and the first costs least per DSC."""
    assert ask(0, tolerance=0.2) == (0, 0, 0)


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(1, 1e4)), min_size=1, max_size=9),
    st.floats(0.001, 0.1),
    st.none() | st.floats(0.1, 1),
)
def test_the_right_configuration_has_no_regret(
    surface: list[tuple[float, float]], tolerance: float, target: float | None
) -> None:
    """Whatever the surface, recommending what is right loses nothing, and nothing has a negative DSC regret."""
    truth, prices = np.array(surface).T
    right = right_configuration(truth, prices, tolerance, target)
    cases = np.arange(1.0, len(truth) + 1)
    all_regrets = [
        regret(index, truth, prices, cases, num_train=10, tolerance=tolerance, target=target)
        for index in range(len(truth))
    ]
    assert (all_regrets[right].dsc_regret, all_regrets[right].cost_regret, all_regrets[right].case_error) == (0, 0, 0)
    assert all(each.dsc_regret >= 0 and each.case_error >= 0 for each in all_regrets)
