"""Note, facts and figures of a study, as Optuna dashboard reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from optuna_dashboard import get_note, save_note
from optuna_dashboard._custom_plot_data import get_plotly_graph_objects

from storage.dashboard.study_attributes import LAST_LINE, show_on_study
from storage.ledger.ledger import Ledger
from tests.helpers.backends import PostgresServer, SqliteFiles
from tests.helpers.ledgers import NO_PARTS, study_of
from tests.helpers.optuna_view import optuna_study, system_attributes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import optuna

LONG = "ü" * 5000  # cut into three attributes


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of its own, of either kind, with a study of ours."""
    files = SqliteFiles(tmp_path)
    url = (files if request.param == "sqlite" else PostgresServer(request.getfixturevalue("postgres_url"))).database()
    with Ledger.open(url, create=True) as ledger:
        ledger.create_study("noted", **NO_PARTS)
    return url


@pytest.fixture
def study(url: str) -> Iterator[optuna.Study]:
    """Optuna's view of it."""
    with optuna_study(url, "noted") as noted:
        yield noted


def show(url: str, note: str, figures: dict[str, str], **facts: str) -> None:
    """Put them on the study's page."""
    with Ledger.open(url) as ledger:
        show_on_study(ledger, study_of(ledger, "noted").study_id, note=note, facts=facts, figures=figures)


def test_note_facts_and_figures_are_replaced(study: optuna.Study, url: str) -> None:
    """The dashboard's own functions read them, longer and shorter than an attribute; what is gone leaves nothing."""
    show(url, LONG, {"data-curves": LONG, "scores": "{}"}, answer="depth 2")
    assert get_note(study) == f"{LONG}\n\n{LAST_LINE}\n"
    assert get_plotly_graph_objects(system_attributes(study)) == {
        "dicecurve-data-curves": LONG,
        "dicecurve-scores": "{}",
    }
    show(url, "short", {"scores": "{}"}, answer="depth 3")
    assert get_note(study) == f"short\n\n{LAST_LINE}\n"
    assert get_plotly_graph_objects(system_attributes(study)) == {"dicecurve-scores": "{}"}
    assert study.user_attrs == {"answer": "depth 3"}
    assert system_attributes(study)["study:metric_names"] == ["validation DSC"]


def test_what_a_person_wrote_stays(study: optuna.Study, url: str) -> None:
    """A note that was there before, and what was added below the last line of ours, outlive every refresh."""
    save_note(study, "Scanner B was away.")
    show(url, "first", {})
    assert get_note(study) == f"first\n\n{LAST_LINE}\nScanner B was away."
    save_note(study, f"{get_note(study)}\nIt is back.")
    show(url, "second", {})
    assert get_note(study) == f"second\n\n{LAST_LINE}\nScanner B was away.\nIt is back."


def test_the_same_note_is_not_written_again(study: optuna.Study, url: str) -> None:
    """Its version stays, for a new one would stop a person who is editing it; another one counts up."""
    versions = []
    for note in ("one", "one", "two"):
        show(url, note, {"scores": "{}"})
        versions.append(system_attributes(study)["dashboard:note_ver"])
    assert versions == [1, 1, 2]
