"""A report asked with other prices, tolerance, target or worth than the study's own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from studies.results.criteria import criteria_of, with_criteria
from studies.results.findings import findings_of
from studies.spec import SpecError
from tests.helpers.reported_study import grid, study_record


def test_prices_change_without_any_training() -> None:
    """Twice the price of a case doubles what cases cost, in ranking and plan alike; the study keeps its own."""
    study, records = study_record(), grid()
    before = findings_of(study, records, 0.0).answer
    after = findings_of(study, records, 0.0, with_criteria(study, ["prices.case=10"])).answer
    row, dearer = before.ranking[0], next(row for row in after.ranking if row.num_cases == before.ranking[0].num_cases)
    assert dearer.price - row.price == pytest.approx(5 * (row.num_cases + 15))
    assert after.plans[0].price == 0  # all of its cases are there
    assert criteria_of(study).prices.case == 5


def test_what_was_changed_is_told() -> None:
    """Each value that is not the study's own, and none that is."""
    asked = with_criteria(
        study_record(), ["prices.case=12", "tolerance=0.01", "prices.currency=EUR"], target_dsc=0.8, worth=40
    )
    assert asked.changed == ("prices.case = 12.0", "target_dsc = 0.8", "worth = 40.0")
    assert with_criteria(study_record()).changed == ()


@pytest.mark.parametrize(
    ("overrides", "options", "message"),
    [
        (["grid.depth=[2]"], {}, "a report may change prices, tolerance, target_dsc, assurance alone, got 'grid.depth"),
        (["prices.case=-1"], {}, "in --set prices.case"),
        (["prices.cases=1"], {}, "prices.cases"),
        (["tolerance"], {}, "--set takes KEY=VALUE"),
        ([], {"target_dsc": 1.2}, "in --target-dsc"),
        ([], {"worth": 0.0}, "in --worth"),
        ([], {"assurance": 0.3}, "in --assurance"),
        ([], {"test_half_width": 0.0}, "in --test-half-width"),
        ([], {"new_test_cases": 0}, "in --new-test-cases"),
    ],
)
def test_what_cannot_be_asked_is_refused(overrides: list[str], options: dict[str, float], message: str) -> None:
    """The message names the value and the option."""
    with pytest.raises(SpecError, match=message.replace("[", r"\[")):
        with_criteria(study_record(), overrides, **options)


@pytest.mark.parametrize("option", ["test_half_width", "new_test_cases"])
def test_what_needs_test_cases_is_not_asked_of_a_table(option: str) -> None:
    """An imported table has none: the option is named, and nothing is left out in silence."""
    table = replace(study_record(), split={"train": ["a"], "validation": [], "test": []})
    asked = {"test_half_width": 0.02, "new_test_cases": 50}[option]
    with pytest.raises(SpecError, match=f"--{option.replace('_', '-')} needs the scores of single test cases"):
        with_criteria(table, **{option: asked})
