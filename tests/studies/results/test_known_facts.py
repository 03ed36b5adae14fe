"""What is known of a study, and that what is not is never a 0."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from studies.results.findings import findings_of
from studies.results.known_facts import EVERYTHING, KnownFacts, TableAnswer
from studies.results.savings import savings_of
from tests.helpers.number_tables import curve, read, table_findings
from tests.helpers.reported_study import grid, study_record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RISING = [0.55, 0.65, 0.72, 0.76]
SECONDS = "cases,depth,dsc,seconds,flag\n40,3,0.5,9,\n80,3,0.6,9,\n160,3,0.65,9,\n"
BOTH = "cases,depth,val_dsc,test_dsc\n40,3,0.5,0.45\n80,3,0.6,0.5\n160,3,0.65,0.6\n"


def values_of(answer: Any, name: str) -> Iterator[object]:
    """Every value of that name in nested plain values."""
    if isinstance(answer, dict):
        yield from (value for key, value in answer.items() if key == name)
    for inner in answer.values() if isinstance(answer, dict) else answer if isinstance(answer, list) else ():
        yield from values_of(inner, name)


def test_of_a_study_that_was_run_everything_is_known() -> None:
    """Its answer is the plain one."""
    findings = findings_of(study_record(), grid(), 0.0)
    assert findings.known == EVERYTHING
    assert not isinstance(findings.answer, TableAnswer)


@pytest.mark.parametrize(
    ("text", "known"),
    [
        (curve(RISING), {}),
        (curve(RISING, head="cases,depth,test_dsc"), {"validation": "test DSC", "test": "test DSC"}),
        (BOTH, {"validation": "validation DSC", "test": "test DSC"}),
        (SECONDS, {"seconds": True, "flags": True}),
        ("cases,depth,epoch,dsc\n40,3,1,0.5\n40,3,2,0.6\n80,3,1,0.6\n80,3,2,0.7\n", {"curves": True}),
    ],
    ids=["dsc", "test", "both", "seconds", "epochs"],
)
def test_of_a_table_what_it_told(tmp_path: Path, text: str, known: dict[str, Any]) -> None:
    """And nothing else; its scores are called as its columns are."""
    unknown = dict.fromkeys(("parameters", "held_out", "seconds", "flags", "curves"), False)
    expected = {"validation": "DSC", "test": "DSC"} | unknown | known
    assert table_findings(read(tmp_path, text)).known == KnownFacts(is_table=True, **expected)


def test_a_table_of_an_earlier_version_is_read_as_what_it_shows(tmp_path: Path) -> None:
    """Its facts say nothing of what was told: a D0 of 0, and seconds of 0 where there were none."""
    known = table_findings(read(tmp_path, curve(RISING)), facts={"d0": 0.0}).known
    assert (known.seconds, known.flags, known.test) == (False, False, "DSC")
    assert table_findings(read(tmp_path, SECONDS), facts={"d0": 0.0}).known.seconds


def test_what_is_not_known_is_none_in_json(tmp_path: Path) -> None:
    """Parameters, held-out cases, seconds and flags; the answer says what its scores are called."""
    answer = table_findings(read(tmp_path, curve(RISING))).answer.to_dict()
    unknown = ("parameters", "training_seconds", "device", "num_validation", "num_test", "num_flagged", "total")
    for name in unknown:
        assert set(values_of(answer, name)) == {None}, name
    assert answer["scores"] == {"validation": "DSC", "test": "DSC"}
    assert "known" not in answer
    json.dumps(answer, allow_nan=False)


def test_what_is_known_stays_in_json(tmp_path: Path) -> None:
    """Seconds that were told, flags that were told or found, the price of the cases."""
    told = table_findings(read(tmp_path, SECONDS)).answer.to_dict()
    assert set(values_of(told, "training_seconds")) == {9.0}
    assert set(values_of(told, "num_flagged")) == {0}
    found = table_findings(read(tmp_path, curve([0.55, 0.65, 0.05, 0.8]))).answer
    assert list(values_of(found.to_dict(), "num_flagged")) == [1]
    assert {row.num_cases: row.price for row in found.ranking}[40] == 5 * 40


def test_validation_decides_and_test_estimates_in_a_table_too(tmp_path: Path) -> None:
    """Each run has both numbers."""
    measurements = table_findings(read(tmp_path, BOTH)).measurements.values()
    assert [(run.dsc("validation"), run.dsc("test")) for run in measurements] == [(0.5, 0.45), (0.6, 0.5), (0.65, 0.6)]


def test_a_variant_of_a_table_is_of_that_table(tmp_path: Path) -> None:
    """What is known stays with the part of the answer."""
    findings = table_findings(read(tmp_path, curve(RISING)))
    part = findings.answer.of_variant("")
    assert isinstance(part, TableAnswer)
    assert part.known == findings.known


def test_a_table_saved_nothing(tmp_path: Path) -> None:
    """Nothing was trained for it, whatever seconds it tells."""
    assert savings_of(table_findings(read(tmp_path, SECONDS))) is None
