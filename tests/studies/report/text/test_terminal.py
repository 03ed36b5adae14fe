"""The answer as it is read in a terminal."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from search.analysis.answer import Answer, answer
from search.curves.measurements import Measurement
from search.prices import PriceSpec
from studies.report.text.terminal import render

CASES = (35, 70, 140, 280, 490, 700)


def measured(num_cases: int, *, steepness: float, depth: int = 4, **changes: Any) -> Measurement:
    """A cell of the curve 0.75 - b n^-c through 70 cases at 0.55, on ten validation and ten test cases."""
    dsc = 0.75 - 0.2 * (num_cases / 70) ** -steepness
    spread = np.linspace(-0.05, 0.05, 10)
    known: dict[str, Any] = {
        "key": f"{depth}/{num_cases}",
        "depth": depth,
        "ratio": num_cases / 700,
        "num_cases": num_cases,
        "seed": 0,
        "parameters": 4**depth,
        "device": "gpu",
        "budget_seconds": 36.0 * num_cases,
        "seconds_estimated": False,
        "validation": dsc + spread,
        "test": dsc + spread - 0.01,
    }
    return Measurement(**known | changes)


def ask(measurements: list[Measurement], **changes: Any) -> Answer:
    """The answer of a set of 700 training cases."""
    known: dict[str, Any] = {"num_train": 700, "num_validation": 10, "num_test": 10, "prices": PriceSpec()}
    return answer(measurements, **known | {"replicates": 200} | changes)


def curve(steepness: float, **changes: Any) -> list[Measurement]:
    """All numbers of cases."""
    return [measured(num_cases, steepness=steepness, **changes) for num_cases in CASES]


def one_line(text: str) -> str:
    """The text without its line breaks."""
    return " ".join(text.split())


def test_the_first_sentence_recommends() -> None:
    """Depth, cases, ratio, test DSC with its interval, and the price come first."""
    given = ask(curve(0.5))
    row = given.recommended
    assert row is not None
    first = one_line(render(given, "EUR"))
    assert first.startswith(f"Recommended: depth 4 with {row.num_cases} cases (ratio {row.ratio:.4g}): test DSC 0.")
    assert f"; {row.price:,.0f} EUR (" in first


def test_a_rising_curve_is_told_in_the_words_of_the_definition() -> None:
    """Still rising: the text says so, what doubling brings, and how to get a number."""
    text = one_line(render(ask(curve(0.3) + curve(0.3, seed=1, key="again")), "USD"))
    assert "Within 0.01 of all 700 cases at depth 4: from " in text
    assert "Still rising: doubling (+700) brings 0.01" in text
    assert "state a target (--target-dsc) for a number of cases" in text


def test_few_test_cases_name_how_many_would_do_better() -> None:
    """Ten test cases leave the DSC open, and the reader is told; of groups where cases come from some."""
    few = one_line(render(ask(curve(0.5)), "USD"))
    assert re.search(r"The 10 test cases alone leave its DSC open by \+/- 0\.0\d\d: about \d+ would bring it to", few)
    patients = np.arange(10) // 4
    of_three = one_line(render(ask(curve(0.5), test_groups=patients, validation_groups=patients), "USD"))
    assert "The 3 groups of test cases alone leave" in of_three


def test_a_plateau_that_is_not_reached_has_a_question_mark() -> None:
    """The table must not seem to say what the sentence above it denies."""
    lines = render(ask(curve(1.0)), "USD").splitlines()
    row = next(line for line in lines if line.startswith("    4 "))
    assert re.search(r" \d+\? \[\d+, >?\d+\] ", row)
    assert "A plateau with ? is not reached with P >= 0.9 within the cases at hand." in lines


def test_a_reached_plateau_is_told() -> None:
    """Where doubling brings nothing the plateau's number of cases is named, without a question mark."""
    steep = [replace(cell, seed=seed, key=f"{cell.key}/{seed}") for cell in curve(3.0) for seed in range(3)]
    text = render(ask(steep), "USD")
    assert "Flat: 0 more cases; " in one_line(text)
    assert "The plateau begins at " in one_line(text)
    assert "?" not in text


def test_the_fewest_cases_tried_are_an_upper_bound() -> None:
    """Nothing is claimed about fewer cases than were tried."""
    assert "at most 35 [35, " in one_line(render(ask(curve(0.0)), "USD"))


@pytest.mark.parametrize(
    ("measurements", "changes", "words"),
    [
        ([], {}, "No configuration has learned yet."),
        (curve(0.5, flag="collapsed"), {}, "No configuration has learned yet."),
        (curve(0.5), {"target": 0.9}, "No configuration reaches the target DSC of 0.9 with P >= 0.9"),
        (curve(0.5)[-1:], {}, "Depth 4: measured with one number of cases; a curve needs two."),
        (curve(0.5, seconds_estimated=True), {}, "for about "),
        (curve(0.5), {}, "not yet confirmed by a fresh seed."),
        (curve(0.5, confirms=True), {}, "; confirmed by a fresh seed."),
    ],
)
def test_what_is_missing_is_said(measurements: list[Measurement], changes: dict[str, Any], words: str) -> None:
    """An answer that holds less says so in a sentence."""
    assert words in one_line(render(ask(measurements, **changes), "USD"))


@pytest.mark.parametrize(
    ("measurements", "prices"),
    [
        (curve(0.5), PriceSpec()),
        (curve(0.5), PriceSpec(gpu_hour=1e9, case=1e9)),
        (curve(0.5), PriceSpec(gpu_hour=0, cpu_hour=0, case=0)),
        (curve(0.5) + curve(2.0, depth=10, flag="not_learned") + curve(2.0, depth=8)[:1], PriceSpec()),
        (curve(0.0), PriceSpec()),
        (curve(-0.05), PriceSpec()),
        (curve(0.5, seconds_estimated=True, confirms=True), PriceSpec()),
    ],
)
@pytest.mark.parametrize("currency", ["USD", "a currency with a long name"])
def test_every_line_fits_the_terminal(measurements: list[Measurement], prices: PriceSpec, currency: str) -> None:
    """80 columns hold the text, whatever the prices and flags."""
    text = render(ask(measurements, prices=prices), currency)
    assert max(len(line) for line in text.splitlines()) <= 80


def test_trainings_that_collapse_are_told_beside_the_recommendation() -> None:
    """How many, at the recommended depth alone: whoever trains it must count on a repeat, which costs."""
    lost = [measured(70, steepness=0.5, seed=seed, flag="collapsed", key=f"lost {seed}") for seed in (1, 2)]
    elsewhere = curve(0.2, depth=5, flag="not_learned")
    said = one_line(render(ask(curve(0.5) + lost + elsewhere), "USD"))
    assert "2 of 8 trainings at depth 4 did not learn, or collapsed: a further one may have to be repeated" in said
    assert "did not learn" not in one_line(render(ask(curve(0.5) + elsewhere), "USD")).partition("depth enough")[0]


def test_a_line_fits_with_tens_of_thousands_of_cases() -> None:
    """Also where the widest row, of a plateau that is not reached, holds three such numbers."""
    many = [replace(cell, num_cases=50 * cell.num_cases) for cell in curve(1.5)]
    lines = render(ask(many, num_train=50 * CASES[-1]), "USD").splitlines()
    assert any(re.search(r" \d{5}\? \[\d{5}, >\d{5}\] ", line) for line in lines)
    assert max(len(line) for line in lines) <= 80


def test_every_configuration_has_its_line() -> None:
    """The ranking lists eligible, ineligible and flagged configurations, the latter with their flag."""
    flagged = curve(0.5, depth=5, flag="not_learned")
    lines = render(ask(curve(0.5) + flagged), "USD").splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith("rank"))
    rows = lines[start + 1 : lines.index("", start)]
    assert len(rows) == 12
    assert sum("not learned" in line for line in rows) == 6
    assert rows[0].split()[0] == "1"
