"""How often trainings did not learn, or collapsed."""

from __future__ import annotations

import pytest

from search.curves.flagged_runs import collapse_rates, wilson
from tests.helpers.measured_surface import cell


@pytest.mark.parametrize(
    ("hits", "number", "lower", "upper"),
    [  # by hand, z = 1.645: centre (p + z²/2n) / (1 + z²/n)
        (0, 4, 0.0, 0.403),
        (4, 12, 0.1595, 0.5685),
        (12, 12, 0.816, 1.0),
        (5, 10, 0.269, 0.731),
    ],
)
def test_wilsons_interval(hits: int, number: int, lower: float, upper: float) -> None:
    """It stays within 0 and 1, and is not empty where nothing or everything was flagged."""
    inside = wilson(hits, number)
    assert (inside.lower, inside.upper) == (pytest.approx(lower, abs=0.002), pytest.approx(upper, abs=0.002))


def test_rates_by_depth() -> None:
    """Each kind is counted apart, and a depth without runs has no rate."""
    runs = [cell(3, 0.5), cell(3, 1.0, flag="collapsed"), cell(3, 0.2, flag="not_learned"), cell(4, 0.5)]
    three, four = collapse_rates(runs)
    assert (three.depth, three.runs, three.not_learned, three.collapsed) == (3, 3, 1, 1)
    assert three.rate == pytest.approx(2 / 3)
    assert (four.depth, four.rate) == (4, 0.0)
    assert collapse_rates([]) == ()
