"""The order of configurations."""

from __future__ import annotations

import numpy as np
import pytest

from search.analysis.ranking import RankedConfiguration, floor_of, floor_probabilities, ranked
from search.curves.intervals import Estimate


def row(
    name: int,
    *,
    cost: float | None = 10.0,
    cases: int = 100,
    parameters: int = 1000,
    p_floor: float | None = 0.8,
    fitted: float | None = 0.7,
) -> RankedConfiguration:
    """An unranked row; its depth is its name."""
    return RankedConfiguration(
        rank=None,
        depth=name,
        ratio=1.0,
        num_cases=cases,
        seeds=1,
        parameters=parameters,
        validation_dsc=0.7,
        validation_fitted=fitted,
        test_dsc=Estimate(0.7, None, None),
        test_forecast=None,
        confirmed_dsc=None,
        price=700.0,
        device="gpu",
        training_seconds=60.0,
        seconds_estimated=False,
        cost_per_dsc=cost,
        p_floor=p_floor,
        eligible=p_floor is not None and p_floor >= 0.5,
        safe=p_floor is not None and p_floor >= 0.9,
        flag="collapsed" if p_floor is None else None,
    )


@pytest.mark.parametrize(
    ("rows", "names", "ranks"),
    [
        ([], [], []),
        ([row(2, cost=11), row(3, cost=10)], [3, 2], [1, 2]),
        # ties: fewer cases, then fewer parameters
        ([row(2, cases=200), row(3, cases=100)], [3, 2], [1, 2]),
        ([row(2, parameters=9000), row(3, parameters=1000)], [3, 2], [1, 2]),
        # rounding is no difference
        ([row(2, cost=0.1 + 0.2, cases=200), row(3, cost=0.3)], [3, 2], [1, 2]),
        # a cheap configuration that hardly reaches the floor follows the eligible, the likeliest first
        ([row(2, cost=1, p_floor=0.1), row(3, cost=2, p_floor=0.4), row(4)], [4, 3, 2], [1, None, None]),
        # far from the floor the better DSC is nearer
        ([row(2, p_floor=0.0, fitted=0.5), row(3, p_floor=0.0, fitted=0.6)], [3, 2], [None, None]),
        # what did not learn comes last; what has no positive DSC has no finite cost
        ([row(2, p_floor=None, fitted=None, cost=None), row(3, p_floor=0.0)], [3, 2], [None, None]),
        ([row(2, cost=None), row(3, cost=1e9)], [3, 2], [1, 2]),
    ],
)
def test_order(rows: list[RankedConfiguration], names: list[int], ranks: list[int | None]) -> None:
    """Eligible rows by cost per DSC and its ties, then the others; only the eligible have a rank."""
    ordered = ranked(rows)
    assert [each.depth for each in ordered] == names
    assert [each.rank for each in ordered] == ranks
    assert ranked(reversed(rows)) == ordered


@pytest.mark.parametrize(("target", "floor"), [(None, 0.79), (0.9, 0.9)])
def test_floor(target: float | None, floor: float) -> None:
    """The floor is the target, or the best fitted DSC less the tolerance."""
    assert floor_of(np.array([0.8, 0.5]), 0.01, target) == pytest.approx(floor)


def test_chances_are_paired_with_the_best_fitted_configuration() -> None:
    """What moves all configurations of a replicate alike decides nothing; a target is the same in all."""
    fitted, shift = np.array([0.8, 0.795, 0.7]), np.array([[0.0], [0.2], [-0.3]])
    assert floor_probabilities(fitted, fitted + shift, 0.01, None).tolist() == [1.0, 1.0, 0.0]
    assert floor_probabilities(fitted, fitted + shift, 0.01, 0.79) == pytest.approx([2 / 3, 2 / 3, 1 / 3])


def test_luck_among_many_does_not_lift_the_floor() -> None:
    """A hundred equal configurations with independent errors each reach the floor more likely than not."""
    drawn = 0.8 + np.random.default_rng(0).normal(0, 0.02, (4000, 100))
    assert floor_probabilities(np.full(100, 0.8), drawn, 0.01, None)[1:].min() > 0.55
