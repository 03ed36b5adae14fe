"""What a measurement is worth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.analysis.good_enough import EnoughRule
from search.policy.acquisition import knowledge_gradient, opportunity_loss

PRICES = np.array([100.0, 200.0])


def test_a_loss_by_hand() -> None:
    """Under the floor of 0.89 by nine tolerances; or, with a target of 0.75, at twice the right price: 1 / 0.15."""
    draws = np.array([[0.8, 0.9]])
    assert opportunity_loss(draws, PRICES, EnoughRule(0.01, None)) == pytest.approx(np.array([[9.0, 0.0]]))
    assert opportunity_loss(draws, PRICES, EnoughRule(0.01, 0.75)) == pytest.approx(np.array([[0.0, 1 / 0.15]]))


@given(st.integers(0, 1000), st.none() | st.floats(0.3, 1.0))
def test_something_is_right_in_every_draw(seed: int, target: float | None) -> None:
    """A loss is never negative, and one configuration of every drawn surface has none."""
    rng = np.random.default_rng(seed)
    found = opportunity_loss(rng.uniform(0.2, 0.95, (20, 6)), rng.uniform(10, 1000, 6), EnoughRule(0.01, target))
    assert found.shape == (20, 6)
    assert (found >= 0).all()
    assert found.min(axis=1) == pytest.approx(np.zeros(20))


def two_rivals(spread: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Draws of three configurations, and the loss of each; the first two are near the best, the third is far off."""
    rng = np.random.default_rng(1)
    draws = np.array([0.80, 0.80, 0.40]) + rng.standard_normal((400, 3)) * np.array(spread)
    return draws, opportunity_loss(draws, np.array([100.0, 110.0, 50.0]), EnoughRule(0.01, None))


def worth(draws: np.ndarray, loss: np.ndarray, noise: float = 0.01) -> np.ndarray:
    """Of measuring each of the three."""
    return knowledge_gradient(draws, loss, np.arange(3), np.full(draws.shape, noise), np.random.default_rng(0))


def test_what_decides_is_worth_more_than_what_does_not() -> None:
    """An uncertain rival of the best is worth measuring; a known one, or one far off, hardly."""
    found = worth(*two_rivals((0.02, 0.001, 0.05)))
    assert found[0] > 0.1
    assert found[0] > 5 * found[1]
    assert found[0] > 5 * found[2]


def test_a_noisy_measurement_is_worth_less() -> None:
    """The more one run differs from the next, the less one of them tells."""
    draws, loss = two_rivals((0.02, 0.001, 0.05))
    assert worth(draws, loss, 0.005)[0] > worth(draws, loss, 0.05)[0]


@given(st.integers(0, 1000), st.floats(0.003, 0.05))
def test_a_measurement_never_harms(seed: int, noise: float) -> None:
    """Whatever is drawn, knowing more is worth 0 or more, and never more than what could be lost."""
    rng = np.random.default_rng(seed)
    draws = rng.uniform(0.6, 0.8, 5) + rng.standard_normal((100, 5)) * rng.uniform(0.001, 0.05, 5)
    loss = opportunity_loss(draws, rng.uniform(50, 200, 5), EnoughRule(0.01, None))
    found = knowledge_gradient(draws, loss, np.arange(5), np.full(draws.shape, noise), np.random.default_rng(0))
    assert (found >= -1e-9).all()
