"""The rule that is the answer, and its four callers."""

from __future__ import annotations

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


def test_chances_are_paired_within_each_draw() -> None:
    """What moves all configurations of a draw alike decides nothing; a target is the same in all."""
    drawn = np.array([0.8, 0.795, 0.7]) + np.array([[0.0], [0.2], [-0.3]])
    assert EnoughRule(0.01, None).probabilities(drawn).tolist() == [1.0, 1.0, 0.0]
    assert EnoughRule(0.01, 0.79).probabilities(drawn) == pytest.approx([2 / 3, 2 / 3, 1 / 3])


def test_the_best_is_that_of_each_draw() -> None:
    """Where one of two is far better in half of the draws, neither is within the tolerance of the best for sure."""
    drawn = np.array([[0.8, 0.7], [0.7, 0.8]])
    assert EnoughRule(0.01, None).probabilities(drawn).tolist() == [0.5, 0.5]


@pytest.mark.parametrize(
    ("target", "assurance", "least"), [(None, None, 0.5), (0.8, None, 0.9), (0.8, 0.75, 0.75), (None, 0.8, 0.8)]
)
def test_a_target_must_be_surer(target: float | None, assurance: float | None, least: float) -> None:
    """Nine in ten for a target, one in two without, unless another assurance is asked for."""
    rule = EnoughRule(0.01, target, assurance)
    assert rule.least_chance == least
    assert rule.eligible(np.array([least - 0.01, least])).tolist() == [False, True]


def test_a_target_is_reached_at_the_lowest_price() -> None:
    """Without a target the lower price per DSC comes first, with one the lower price."""
    dsc, prices, sure, size = np.array([0.5, 0.8]), np.array([100.0, 120.0]), np.ones(2), np.arange(2)
    assert EnoughRule(0.4, None).by_merit(dsc, prices, sure, size).tolist() == [1, 0]
    assert EnoughRule(0.4, 0.45).by_merit(dsc, prices, sure, size).tolist() == [0, 1]


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
    lowered = EnoughRule(tolerance, target, out_of_reach="lowered")
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
    costs = prices if target is not None else prices / dsc
    # Those are right whose cost differs from the least by rounding alone (single precision in the policy).
    equals = np.flatnonzero((costs <= costs[right] * (1 + 1e-5)) & (dsc >= float(lowered.floor(dsc.max())) - 1e-6))
    assert {by_ranking, by_policy} <= {right, *equals.tolist()}
    assert opportunity_loss(dsc[None], prices, lowered)[0, right] == 0
    assert regret(right, dsc, prices, prices, num_train=10, tolerance=tolerance, target=target).cost_regret == 0
