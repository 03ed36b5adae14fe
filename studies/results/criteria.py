"""What a report is asked: prices, tolerance, target and the like; the study's own unless changed for this report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, Field, ValidationError

from search.prices import PriceSpec
from studies.spec import Assurance, SpecError, TargetDsc, Tolerance, explain, override, recorded_spec

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from storage.records import StudyRecord

ASKED = ("prices", "tolerance", "target_dsc", "assurance")
OPTIONS = {
    "target_dsc": "--target-dsc",
    "assurance": "--assurance",
    "worth": "--worth",
    "test_half_width": "--test-half-width",
    "new_test_cases": "--new-test-cases",
}
OF_TEST_CASES = ("test_half_width", "new_test_cases")


class Criteria(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """What the answer depends on besides what was measured.

    Attributes:
        prices: Of hours and cases.
        tolerance: DSC that does not matter.
        target_dsc: DSC to reach; None: the best within the data less the tolerance.
        assurance: Probability of good enough from which on a configuration may be recommended; None: 0.9 for a target,
            else 0.5.
        worth: Of 0.01 DSC, in the currency of the prices; None: no best buy.
        test_half_width: Wanted half-width of the interval of the recommended DSC; None: half of what it is.
        new_test_cases: Other test cases that a new run may be scored on; None: not asked.
        changed: What differs from the study's own values, as "tolerance = 0.02".
    """

    prices: PriceSpec
    tolerance: Tolerance
    target_dsc: TargetDsc | None = None
    assurance: Assurance | None = None
    worth: Annotated[float, Field(gt=0)] | None = None
    test_half_width: Annotated[float, Field(gt=0, lt=0.5)] | None = None
    new_test_cases: Annotated[int, Field(gt=0, le=100_000)] | None = None
    changed: tuple[str, ...] = ()


def criteria_of(study: StudyRecord) -> Criteria:
    """What the study itself asks."""
    recorded = recorded_spec(study)
    return Criteria(**{name: getattr(recorded, name) for name in ASKED})


def with_criteria(study: StudyRecord, overrides: Sequence[str] = (), **options: float | None) -> Criteria:
    """What a report is asked; nothing is trained or changed for it.

    Args:
        study: Its own values stand where nothing else is given.
        overrides: Texts such as "prices.case=12".
        options: Values of `OPTIONS`, each None where it is not given.

    Raises:
        SpecError: A value is out of range, or not one that a report may change, or is asked of test cases that an
            imported table does not hold.
    """
    own = criteria_of(study)
    values: dict[str, Any] = own.model_dump(include=set(ASKED))
    places = {key: f"--set {key}" for key in [_override(values, text) for text in overrides]}
    for name, value in options.items():
        if value is not None:
            values[name], places[name] = value, OPTIONS[name]
    needs_cases = [OPTIONS[name] for name in OF_TEST_CASES if name in values]
    if needs_cases and not study.split["test"]:
        raise SpecError(f"{needs_cases[0]} needs the scores of single test cases, which a table does not hold; drop it")
    try:
        asked = Criteria.model_validate(values)
    except ValidationError as error:
        raise SpecError(explain(error.errors()[0], "the report", places)) from None
    return asked.model_copy(update={"changed": tuple(_changes(own, asked))})


def _override(values: dict[str, Any], text: str) -> str:
    section = text.partition("=")[0].strip().partition(".")[0]
    if section not in ASKED:
        raise SpecError(f"a report may change {', '.join(ASKED)} alone, got {text!r} in --set; for the rest, use run")
    return override(values, text)


def _changes(own: Criteria, asked: Criteria) -> Iterator[str]:
    before, after = own.model_dump(), asked.model_dump()
    for name, price in after["prices"].items():
        if price != before["prices"][name]:
            yield f"prices.{name} = {price}"
    for name in ("tolerance", *OPTIONS):
        if after[name] != before[name]:
            yield f"{name} = {after[name]}"
