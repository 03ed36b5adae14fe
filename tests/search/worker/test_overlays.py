"""Which test cases every cell of a study shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from search.worker.overlays import shown_cases

if TYPE_CHECKING:
    from collections.abc import Mapping

TEN = {f"case{index}": index / 100 for index in range(11)}


@pytest.mark.parametrize(
    ("foreground", "expected"),
    [
        (TEN, {"case2": "small", "case6": "medium", "case9": "large"}),
        ({"only": 0.2}, {"only": "medium"}),
        ({"a": 0.2, "b": 0.1}, {"b": "small", "a": "large"}),
        ({"b": 0.2, "a": 0.2, "c": 0.2}, {"a": "small", "b": "medium", "c": "large"}),
        ({"empty": 0.0, "b": 0.1}, {"b": "medium"}),
        ({"empty": 0.0}, {"empty": "medium"}),
        ({}, {}),
    ],
    ids=["many", "one", "two", "ties", "without foreground", "none has any", "none"],
)
def test_cases_are_chosen_by_the_size_of_their_foreground(
    foreground: Mapping[str, float], expected: Mapping[str, str]
) -> None:
    """At the 10th, 50th and 90th percentile, ties by name, none twice, empty ones only where there is no other."""
    assert {case.name: case.size for case in shown_cases(foreground)} == expected


def test_the_order_of_the_cases_does_not_matter() -> None:
    """The split alone decides: every cell of a study shows the same cases."""
    assert shown_cases(dict(reversed(TEN.items()))) == shown_cases(TEN)
