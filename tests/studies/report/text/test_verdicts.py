"""Whether the cases at hand are enough, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from storage.variants import Recipe
from studies.report.text.verdicts import target_sentences
from tests.helpers.answers import data_curves, row, wanted
from tests.helpers.measured_surface import ask

if TYPE_CHECKING:
    from search.analysis.target import TargetAnswer

NOTHING = ask([], num_train=100)
ONE_IN_A_HUNDRED = {4: lambda n: 0.5 + 0.3 * np.log10(n / 10)}  # 0.8 at 100 cases, 0.89 at 200
DEEP = [Recipe("", 4)]


def said(found: TargetAnswer) -> str:
    """All sentences of it, of a study with 100 training cases."""
    return " ".join(target_sentences(found, NOTHING))


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (0.7, "Enough for a DSC of 0.7 at depth 4: 100 training cases reach it with P = 1.00. It takes 47"),
        (0.85, "Annotate 47 more cases for a DSC of 0.85 at depth 4, to be sure with P = 0.9;"),
        (0.95, "Out of reach: a DSC of 0.95 at depth 4. 100 training cases reach it with P = 0.00; twice as many"),
    ],
)
def test_a_sure_curve_has_a_clear_verdict(target: float, words: str) -> None:
    """Enough, so many more, or out of reach."""
    assert said(wanted(target, data_curves(ONE_IN_A_HUNDRED), recipes=DEEP)).startswith(words)


def test_an_unsure_curve_says_both_chances_and_what_is_expected() -> None:
    """Neither sure nor hopeless: P with all cases and with twice as many, and the expected number."""
    text = said(wanted(0.85, data_curves(ONE_IN_A_HUNDRED, shifts=np.linspace(-0.2, 0.2, 101)), recipes=DEEP))
    assert text.startswith("Uncertain: a DSC of 0.85 at depth 4. 100 training cases reach it with P = 0.3")
    assert "twice as many, extrapolated, with P = 0.6" in text
    assert "As likely as not 47 more are enough." in text


def test_without_any_curve_nothing_is_claimed() -> None:
    """The reader is told that it cannot be told."""
    assert said(wanted(0.85, data_curves(ONE_IN_A_HUNDRED), recipes=())).startswith("Cannot tell")


def test_a_network_to_plan_with_is_not_called_recommended() -> None:
    """Only what is recommended is called so."""
    curves = data_curves(ONE_IN_A_HUNDRED)
    assert "Nothing is recommended yet: depth 4 is the network to plan with." in said(wanted(0.9, curves, recipes=DEEP))
    chosen = row(100, 1.0, depth=4)
    assert "plan with" not in said(wanted(0.7, curves, recipes=DEEP, recommended=chosen))


@pytest.mark.parametrize(("test_shift", "surer"), [(-0.1, "Validation"), (0.0, None)])
def test_disagreement_of_the_two_sets_is_said(test_shift: float, surer: str | None) -> None:
    """Validation cases chose what test cases are less sure of."""
    test = data_curves(ONE_IN_A_HUNDRED, shifts=[test_shift])
    text = said(wanted(0.75, test, recipes=DEEP, recommended=row(100, 1.0, depth=4)))
    assert ("cases are sure of it" in text) == (surer is not None)
    if surer:
        assert f"{surer} cases are sure of it, test cases are not (P = 0.90 and 0.00)" in text
