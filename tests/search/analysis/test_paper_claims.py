"""Claims of the paper, held against surfaces of which each is known to hold, or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from search.analysis.paper_claims import PaperClaim, paper_claims
from tests.helpers.answers import data_curves

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

NUM_TRAIN, TOLERANCE = 100, 0.01
SURE = np.linspace(-0.001, 0.001, 41)


def flat(n: Floats) -> Floats:
    """No gain with data."""
    return 0.6 + 0 * n


def rising(n: Floats) -> Floats:
    """0.1 with ten times the cases."""
    return 0.5 + 0.1 * np.log10(n / 10)


def late(n: Floats) -> Floats:
    """As `rising`, and better by up to 0.05 above 30 of 100 cases alone."""
    return rising(n) + 0.05 * np.clip(np.log(n / 30) / np.log(100 / 30), 0, 1)


def saturating(n: Floats) -> Floats:
    """Nothing more is gained past 60 cases."""
    return rising(np.minimum(n, 60))


def claim(
    number: int, laws: dict[int, Callable[[Floats], Floats]], errors: dict[int, Floats] | None = None
) -> PaperClaim:
    """One of the seven, in the paper's order."""
    curves = data_curves(laws, shifts=SURE)
    return paper_claims(curves, sorted(laws), errors or {}, num_train=NUM_TRAIN, tolerance=TOLERANCE)[number]


@pytest.mark.parametrize(
    ("number", "laws", "verdict", "value"),
    [
        (0, {3: rising}, "held", 0.1),
        (0, {3: flat, 4: flat}, "not held", 0.0),
        (1, {3: rising, 4: late}, "held", 0.025),
        (1, {3: rising, 4: rising}, "not held", 0.0),
        (1, {3: late, 4: rising}, "not held", -0.025),
        (1, {3: rising}, "undecided", None),  # one depth
        (2, {3: rising, 4: rising}, "held", 0.0),
        (2, {3: rising, 4: late}, "not held", 0.05),
        (2, {3: rising}, "undecided", None),
        (3, {3: saturating}, "held", 0.0),
        (3, {3: lambda n: 3 * rising(n) - 1}, "not held", 0.029),
    ],
)
def test_a_claim_is_held_against_curves(
    number: int, laws: dict[int, Callable[[Floats], Floats]], verdict: str, value: float | None
) -> None:
    """Gains with data, gains with depth above 30 %, saturation and plateau; what one depth cannot tell is undecided."""
    found = claim(number, laws)
    assert found.verdict == verdict
    assert found.value == (None if value is None else pytest.approx(value, abs=0.003))
    assert (found.interval is None) == (value is None)


def test_an_interval_that_holds_both_decides_nothing() -> None:
    """A gain of 0.008 that may be 0.02 is neither within the tolerance nor beyond it."""
    curves = data_curves({3: rising, 4: lambda n: rising(n) + 0.008}, shifts=SURE)
    apart = np.linspace(-0.02, 0.02, len(SURE))
    curves.replicates[4].values[:] += apart[:, None]
    found = paper_claims(curves, [3, 4], {}, num_train=NUM_TRAIN, tolerance=TOLERANCE)[2]
    assert found.verdict == "undecided"
    assert found.interval is not None
    assert found.interval.lower < TOLERANCE < found.interval.upper


@pytest.mark.parametrize(
    ("errors", "falls", "good"),
    [
        ({3: [0.03, 0.031, 0.029], 4: [0.02, 0.021, 0.019], 5: [0.01, 0.011, 0.009]}, "held", "undecided"),
        ({3: [0.001, 0.002, 0.001], 4: [0.003, 0.004, 0.003]}, "not held", "held"),
        ({3: [0.1, 0.12, 0.11], 4: [0.1, 0.12, 0.11]}, "undecided", "not held"),
        ({3: [0.1], 4: [0.01]}, "undecided", "undecided"),  # one error a depth has no spread
        ({3: [0.1, 0.12, 0.11]}, "undecided", "not held"),
        ({}, "undecided", "undecided"),
    ],
)
def test_claims_about_forecasts(errors: dict[int, list[float]], falls: str, good: str) -> None:
    """Errors that fall with depth, and that are small from half of the data; too few of them tell nothing."""
    arrays = {depth: np.array(values) for depth, values in errors.items()}
    assert claim(5, {3: rising}, arrays).verdict == falls
    assert claim(6, {3: rising}, arrays).verdict == good


def test_nothing_learned_leaves_all_undecided() -> None:
    """Every claim stands there, without a value."""
    found = paper_claims(None, [], {}, num_train=NUM_TRAIN, tolerance=TOLERANCE)
    assert len(found) == 7
    assert {(each.verdict, each.value, each.interval) for each in found} == {("undecided", None, None)}
