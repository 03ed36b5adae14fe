"""What stands on a study's page in Optuna dashboard, and how it is kept up to date."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from optuna_dashboard import get_note
from optuna_dashboard._custom_plot_data import get_plotly_graph_objects

from storage.ledger.ledger import Ledger
from storage.records import CellState
from studies.monitor.study_note import plain, study_facts, study_note
from studies.monitor.study_page import PageKeeper, is_fresh, refresh_page
from studies.results.findings import findings_of
from tests.helpers.optuna_view import optuna_study, system_attributes
from tests.helpers.reported_study import cell_record, failed, flagged, grid, study_record
from tests.helpers.shown_study import OWNER, make_shown_study

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from search.analysis.answer import Answer
    from storage.records import CellRecord


def note_of(records: Sequence[CellRecord]) -> str:
    """The note that these cells give."""
    return study_note(records, answer_of(records), "EUR")


def answer_of(records: Sequence[CellRecord]) -> Answer:
    """The answer that these cells give."""
    return findings_of(study_record(), records, 0.0).answer


def test_the_note_of_a_finished_study_holds_answer_depths_and_ranking() -> None:
    """A row a depth, and a row a configuration, ten at most; how many more there are is said."""
    note = note_of(grid(ratios=[0.1, 0.2, 0.25, 0.4, 0.5, 1.0]))
    assert note.startswith("## The answer\n\nRecommended: depth 3")
    assert "12 of 12 cells finished" in note
    rows = [line for line in note.splitlines() if line.startswith("| ")]
    assert len(rows) == 1 + 2 + 1 + 10 + 1
    assert "and 2 more" in rows[-1]
    assert len({line.count("|") for line in rows[4:]}) == 1


def test_the_note_marks_a_plateau_that_is_not_reached() -> None:
    """With a question mark, and it says what that means, as the terminal does."""
    records = grid(ratios=[0.1, 0.2, 0.5, 1.0])
    answer = answer_of(records)
    curve = answer.depths[0].on_test
    assert curve is not None
    plateau = replace(curve.plateau, cases=64)
    notes = []
    for reached in (False, True):
        depths = [replace(d, on_test=replace(curve, plateau=plateau, reached=reached)) for d in answer.depths]
        notes.append(study_note(records, replace(answer, depths=tuple(depths)), "EUR"))
    assert "64? " in notes[0]
    assert "A plateau with ? is not reached with P \\>= 0.9" in notes[0]
    assert "64 " in notes[1]
    assert "?" not in notes[1]


def test_the_note_of_an_unfinished_study_says_so() -> None:
    """Before anything is finished it says why there is no answer."""
    waiting = [cell_record(2, ratio, state=CellState.WAITING) for ratio in (0.5, 1.0)]
    note = note_of(waiting)
    assert note.startswith("## The answer so far\n\n")
    assert "0 of 2 cells finished" in note
    assert "Ranking" not in note
    assert study_facts(waiting, answer_of(waiting), "EUR")["answer"] == "none yet"


@pytest.mark.parametrize("records", [[], [failed(2, 0.5)], [flagged(2, 0.5)]], ids=["none", "failed", "flagged"])
def test_there_is_a_note_whatever_happened(records: list[CellRecord]) -> None:
    """No cell, failed ones alone, flagged ones alone."""
    assert note_of(records).startswith("## The answer")


def test_no_text_is_read_as_markdown() -> None:
    """Marks of Markdown and of HTML stand as they were written."""
    assert plain("<script>*a* [b](c) `d` | ~e~") == r"\<script\>\*a\* \[b\](c) \`d\` \| \~e\~"


def test_a_refresh_writes_note_facts_and_small_figures(storage_url: str) -> None:
    """Three figures, each of a few attributes, with the texts that the dashboard shows."""
    study = make_shown_study(storage_url)
    with Ledger.open(storage_url) as ledger:
        assert not is_fresh(ledger, study)
        refresh_page(ledger, study)
        assert is_fresh(ledger, study)
    with optuna_study(storage_url, "shown") as seen:
        figures, note, facts = get_plotly_graph_objects(system_attributes(seen)), get_note(seen), seen.user_attrs
    assert figures.keys() == {"dicecurve-data-curves", "dicecurve-ranking-bars", "dicecurve-scores"}
    assert all(json.loads(text)["data"] for text in figures.values())
    assert sum(map(len, figures.values())) < 60_000
    assert "Recommended: depth 3 with 80 cases" in note
    assert facts["answer"] == "depth 3 with 80 of 80 cases"


def test_a_page_that_cannot_be_written_ends_nothing(storage_url: str, caplog: pytest.LogCaptureFixture) -> None:
    """A defect in what is only shown is logged, and no more."""
    study = make_shown_study(storage_url)
    with Ledger.open(storage_url) as ledger, caplog.at_level(logging.WARNING):
        refresh_page(ledger, replace(study, running={}))
    assert "was not refreshed: KeyError" in caplog.text


def test_the_page_follows_a_running_study(storage_url: str) -> None:
    """It is written once cells were finished, and again when more of them were."""
    study = make_shown_study(storage_url)
    with optuna_study(storage_url, "shown") as seen, Ledger.open(storage_url) as ledger:
        with PageKeeper(ledger, study, seconds_between=0.01, rest=1):
            wait_until(lambda: system_attributes(seen).get("dashboard:note_ver") == 1)
            claim = ledger.claim(study.study_id, ["ratio0.1-depth3-seed0"], OWNER)
            assert claim is not None
            assert is_fresh(ledger, study)
            ledger.fail(claim, "out of memory")
            wait_until(lambda: system_attributes(seen)["dashboard:note_ver"] == 2)
        assert "8 of 8 cells finished" in get_note(seen)


def wait_until(holds: Callable[[], bool]) -> None:
    """Look again and again, for a minute."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
