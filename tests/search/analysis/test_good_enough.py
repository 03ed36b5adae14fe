"""The rule that is the answer, and its four callers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.analysis.good_enough import EnoughRule, rounded
from search.analysis.ranking import judged, ranked
from search.policy.acquisition import opportunity_loss
from search.policy.surrogate import Surrogate
from search.replay.regret import regret
from storage.variants import configuration_of
from tests.helpers.answers import row

FITTED = EnoughRule(0.01, None, best_of="fitted")
SURFACES = st.lists(st.tuples(st.floats(0.05, 1), st.floats(1, 1e4)), min_size=1, max_size=9)


@pytest.mark.parametrize(("target", "floor"), [(None, 0.79), (0.9, 0.9)])
def test_floor(target: float | None, floor: float) -> None:
    """The floor is the target, or the best DSC less the tolerance."""
    assert float(EnoughRule(0.01, target).floor(0.8)) == pytest.approx(floor)


def test_a_target_out_of_reach_is_kept_or_lowered() -> None:
    """Kept, nothing is good enough; lowered, the best is."""
    draws = np.array([[0.8, 0.5]])
    assert EnoughRule(0.01, 0.9).probabilities(draws).tolist() == [0, 0]
    assert EnoughRule(0.01, 0.9, out_of_reach="lowered").probabilities(draws).tolist() == [1, 0]


def test_chances_are_paired_with_the_best_fitted_configuration() -> None:
    """What moves all configurations of a replicate alike decides nothing; a target is the same in all."""
    fitted, shift = np.array([0.8, 0.795, 0.7]), np.array([[0.0], [0.2], [-0.3]])
    assert FITTED.probabilities(fitted + shift, fitted).tolist() == [1.0, 1.0, 0.0]
    target = replace(FITTED, target=0.79)
    assert target.probabilities(fitted + shift, fitted) == pytest.approx([2 / 3, 2 / 3, 1 / 3])


def test_luck_among_many_does_not_lift_the_floor() -> None:
    """A hundred equal configurations with independent errors each reach the floor more likely than not."""
    drawn = 0.8 + np.random.default_rng(0).normal(0, 0.02, (4000, 100))
    assert FITTED.probabilities(drawn, np.full(100, 0.8))[1:].min() > 0.55


def test_weights_of_draws_count() -> None:
    """A draw of twice the weight counts as two; several weightings are answered at once."""
    draws = np.array([[0.8, 0.7], [0.7, 0.8], [0.7, 0.8]])
    rule = EnoughRule(0.01, None)
    assert rule.probabilities(draws, weights=np.array([[0.5, 0.25, 0.25], [0, 0, 1]])).tolist() == [[0.5, 0.5], [0, 1]]


def test_values_that_differ_by_rounding_are_a_tie() -> None:
    """Nine digits are told apart, of small values and large ones; infinities and 0 stay what they are."""
    values = np.array([0.1 + 0.2, 123456789.4, 1.00000001, np.inf, 0.0])
    assert rounded(values).tolist() == [0.3, 123456789.0, 1.00000001, np.inf, 0.0]


@given(SURFACES, st.floats(0.001, 0.1), st.none() | st.floats(0.1, 0.99))
def test_all_callers_choose_the_same_configuration(
    surface: list[tuple[float, float]], tolerance: float, target: float | None
) -> None:
    """Where the DSC is known, ranking, policy, acquisition and regret find one configuration right."""
    dsc, prices = np.array(surface).T
    lowered = EnoughRule(tolerance, target, best_of="fitted", out_of_reach="lowered")
    rows = [row(10 + depth, price, depth=depth) for depth, price in enumerate(prices.tolist())]
    right = int(lowered.right(dsc, prices))
    by_ranking = ranked(judged(rows, lowered, dsc, dsc[None]), lowered)[0].depth
    by_policy = Surrogate(
        configurations=tuple(map(configuration_of, rows)),
        prices=prices,
        size=np.arange(len(rows)),
        mean=dsc,
        draws=dsc[None],
        noise=np.full((1, len(rows)), 0.01),
        loss=np.zeros((1, len(rows))),
        rule=lowered,
    ).recommended()
    costs = prices / dsc
    # Those are right whose price per DSC differs from the least by rounding alone (single precision in the policy).
    equals = np.flatnonzero((costs <= costs[right] * (1 + 1e-5)) & (dsc >= float(lowered.floor(dsc.max())) - 1e-6))
    assert {by_ranking, by_policy} <= {right, *equals.tolist()}
    assert opportunity_loss(dsc[None], prices, tolerance, target)[0, right] == 0
    assert regret(right, dsc, prices, prices, num_train=10, tolerance=tolerance, target=target).cost_regret == 0
