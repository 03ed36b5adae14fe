"""What few test cases leave open."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from search.analysis.precision import CasePrecision, case_precision
from tests.helpers.answers import data_curves

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray


def precision(
    scores: NDArray[np.float64], groups: NDArray[np.int64] | None = None, **asked: Any
) -> CasePrecision | None:
    """Of a configuration of 10 cases at depth 3, whose test cases scored so."""
    curves = data_curves({3: lambda n: 0.8 + 0 * n}, shifts=np.zeros(4000))
    curves = replace(curves, points=replace(curves.points, case_dsc=scores[None, :]))
    return case_precision(curves, 3, 10, groups, **asked)


SCORES = np.random.default_rng(0).uniform(0.5, 1, 30)


def test_as_many_cases_as_it_names_give_the_half_width() -> None:
    """So many cases of the same kind have the half-width that was wanted."""
    few = precision(SCORES, half_width=0.02)
    assert few is not None
    assert few.is_asked
    assert few.groups_needed > few.groups == few.cases == 30
    many = precision(np.resize(SCORES, few.groups_needed))
    assert many is not None
    assert many.half_width == pytest.approx(0.02, rel=0.12)


def test_unasked_it_names_how_many_would_halve_it() -> None:
    """About four times as many."""
    found = precision(SCORES)
    assert found is not None
    assert found.wanted == found.half_width / 2
    assert 90 < found.groups_needed < 125


def test_groups_are_what_counts() -> None:
    """Thirty cases of ten patients leave more open than thirty of thirty, and more cases are needed."""
    alone, grouped = precision(SCORES, half_width=0.02), precision(SCORES, np.repeat(np.arange(10), 3), half_width=0.02)
    assert alone is not None
    assert grouped is not None
    assert grouped.groups == 10
    assert grouped.cases_needed == 3 * grouped.groups_needed


def test_a_run_on_few_other_cases_varies_more() -> None:
    """Scored on five cases a run may come out anywhere; on a thousand it comes out as it is."""
    five, thousand = (precision(SCORES, new_cases=number) for number in (5, 1000))
    assert five is not None
    assert thousand is not None
    assert five.new_run_interval is not None
    assert thousand.new_run_interval is not None
    spread = SCORES.std() * 1.645
    assert five.new_run_interval.upper - five.new_run_interval.lower == pytest.approx(2 * spread / 5**0.5, rel=0.1)
    assert thousand.new_run_interval.upper - thousand.new_run_interval.lower < 0.03


def test_other_cases_come_in_groups_too() -> None:
    """Thirty other cases of ten patients, who each score alike in theirs, vary as ten cases do."""
    patients = np.repeat(SCORES[:10], 3)
    grouped = precision(patients, np.repeat(np.arange(10), 3), new_cases=30)
    alone = precision(patients, new_cases=30)
    assert grouped is not None
    assert alone is not None
    assert grouped.new_run_interval is not None
    assert alone.new_run_interval is not None
    widths = [inside.upper - inside.lower for inside in (grouped.new_run_interval, alone.new_run_interval)]
    assert widths[0] > 1.5 * widths[1]


def test_a_single_score_is_of_no_cases() -> None:
    """An imported number says nothing of cases."""
    assert precision(np.array([0.8])) is None
