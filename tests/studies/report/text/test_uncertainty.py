"""What an answer rests on, in words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from search.analysis.precision import CasePrecision
from search.curves.data_curves import RunNoise
from search.curves.intervals import Interval
from studies.report.text.uncertainty import (
    precision_sentences,
    run_noise_words,
    ties_sentence,
    unlike_sentence,
)
from tests.helpers.answers import row
from tests.helpers.measured_surface import ask, cell, surface

WIDTH = Interval(0.006, 0.03)
FEW = CasePrecision(
    20, 20, 0.03, 0.015, is_asked=False, groups_needed=80, cases_needed=80, new_cases=None, new_run_interval=None
)


@pytest.mark.parametrize(
    ("degrees", "words"),
    [
        (0, "one run each: how far runs differ is assumed, SD 0.015 [0.006, 0.030]"),
        (1, "1 repeat: how far runs differ is still mostly assumed, SD 0.015 [0.006, 0.030]"),
        (2, "2 repeats: how far runs differ is still mostly assumed, SD 0.015 [0.006, 0.030]"),
        (3, "runs differ by an SD of 0.015 [0.006, 0.030], by 3 repeats"),
    ],
)
def test_what_the_noise_of_runs_rests_on_is_said(degrees: int, words: str) -> None:
    """Assumed until three degrees of freedom speak."""
    assert run_noise_words(RunNoise(0.015, WIDTH, degrees)) == words


def test_few_test_cases_are_told_and_many_are_not() -> None:
    """Below fifty groups without being asked; beyond only when asked."""
    (text,) = precision_sentences(FEW)
    assert text == "The 20 test cases alone leave its DSC open by +/- 0.030: about 80 would bring it to +/- 0.015."
    assert list(precision_sentences(replace(FEW, cases=60, groups=60))) == []
    assert list(precision_sentences(replace(FEW, cases=60, groups=60, is_asked=True))) != []


def test_a_run_on_other_cases_is_told_where_it_was_asked() -> None:
    """With its number of cases and its interval."""
    asked = replace(FEW, cases=60, groups=60, new_cases=100, new_run_interval=Interval(0.7, 0.8))
    assert list(precision_sentences(asked)) == ["One new run, scored on 100 other test cases: [0.700, 0.800]."]


def test_ties_are_named_with_what_they_rest_on() -> None:
    """Three at most by name, and that each was run once."""
    given = replace(ask(surface()), near_ties=tuple(row(10 * n, 1.0, depth=4) for n in (1, 2, 3, 4)))
    text = ties_sentence(given)
    assert text is not None
    assert text.startswith("It cannot be told apart from depth 4 with 10 cases, depth 4 with 20 cases,")
    assert text.endswith("1 other, at about the same price, one run each.")
    assert ties_sentence(replace(given, near_ties=())) is None


def test_a_run_unlike_its_neighbours_is_named() -> None:
    """One bad run among good ones: the recommendation stands, and the reader is sent to look at that run."""
    good = surface()
    bad = [
        cell(4, 0.4, validation=np.full(40, 0.05), test=np.full(60, 0.05)) if (c.depth, c.ratio) == (4, 0.4) else c
        for c in good
    ]
    clean, odd = ask(good), ask(bad)
    assert unlike_sentence(clean) is None
    assert unlike_sentence(odd) == (
        "Unlike its neighbours is depth 4 with 280 cases: it moves no curve; look at that run."
    )
    assert clean.recommended is not None
    assert odd.recommended is not None
    assert (odd.recommended.depth, odd.recommended.num_cases) == (clean.recommended.depth, clean.recommended.num_cases)
