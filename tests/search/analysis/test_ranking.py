"""The order of configurations."""

from __future__ import annotations

import pytest

from search.analysis.good_enough import EnoughRule
from search.analysis.ranking import RankedConfiguration, ranked
from search.curves.intervals import Estimate

RULE = EnoughRule(0.01, None)


def row(
    name: int,
    *,
    cost: float | None = 10.0,
    cases: int = 100,
    parameters: int = 1000,
    p_floor: float | None = 0.8,
    fitted: float | None = 0.7,
) -> RankedConfiguration:
    """An unranked row; its depth is its name, and without a cost its DSC is not positive."""
    fitted = 0.0 if cost is None and fitted is not None else fitted
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
        test_fitted=None,
        test_forecast=None,
        confirmed_dsc=None,
        price=700.0 if cost is None or fitted is None else 100 * fitted * cost,
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
    ordered = ranked(rows, RULE)
    assert [row.depth for row in ordered] == names
    assert [row.rank for row in ordered] == ranks
    assert ranked(reversed(rows), RULE) == ordered
