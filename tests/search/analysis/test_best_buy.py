"""The best buy at a stated worth of 0.01 DSC."""

from __future__ import annotations

import numpy as np
import pytest

from search.analysis.best_buy import best_buy
from tests.helpers.answers import row

PRICES, FITTED = (100.0, 200.0, 400.0), np.array([0.70, 0.80, 0.90])


@pytest.mark.parametrize(
    ("worth", "best"),
    [
        (5, 10),  # a further 0.01 costs 10, then 20: at 5 none is worth it
        (15, 20),  # 100 x 15 x 0.8 - 200 = 1000, against 950 and 950
        (25, 40),
        (10, 10),  # a tie of the first two, at 600: fewer cases
        (20, 20),  # a tie of the last two, at 1400: fewer cases
    ],
)
def test_worth_against_price(worth: float, best: int) -> None:
    """100 x worth x DSC - price is largest; ties go to fewer cases."""
    rows = [row(cases, price) for cases, price in zip((10, 20, 40), PRICES, strict=True)]
    found = best_buy(rows, FITTED, np.tile(FITTED, (10, 1)), worth)
    assert found is not None
    assert found.best.num_cases == best
    assert found.best.share_best == 1
    assert found.best.net_worth == pytest.approx(max(100 * worth * FITTED - np.array(PRICES)))
    assert found.rivals == ()


def test_shares_count_the_replicates() -> None:
    """Of four replicates two favour the first, one the second, one the third: shares say so, and rivals."""
    rows = [row(cases, 100.0) for cases in (10, 20, 40)]
    drawn = np.array([[0.9, 0.5, 0.5], [0.9, 0.5, 0.5], [0.5, 0.9, 0.5], [0.5, 0.5, 0.9]])
    found = best_buy(rows, np.array([0.8, 0.7, 0.7]), drawn, 10)
    assert found is not None
    assert (found.best.num_cases, found.best.share_best) == (10, 0.5)
    assert {(each.num_cases, each.share_best) for each in found.rivals} == {(20, 0.25), (40, 0.25)}


def test_nothing_to_buy() -> None:
    """Where nothing learned there is no best buy."""
    assert best_buy([], np.zeros(0), np.zeros((1, 0)), 10) is None
