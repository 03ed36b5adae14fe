"""A study goes out as files and comes back the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from storage.errors import InputError, StorageError
from storage.frames.exchange import TABLES, export_study, import_study
from storage.frames.study_frames import (
    cases_frame,
    cells_frame,
    changes_frame,
    costs_frame,
    curves_frame,
    forecasts_frame,
    orders_frame,
    skips_frame,
)
from storage.ledger.cell_records import spent_seconds
from storage.ledger.ledger import Ledger
from storage.records import CellPlan, CellState, Evaluation, PlateauForecast, Scores, SkipForecast
from tests.helpers.backends import PostgresServer, SqliteFiles
from tests.helpers.ledgers import GPU_WORKER, US, claim_cell, optuna_trials, study_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from storage.frames.exchange import Kind
    from storage.records import StudyRecord

PLANS = [CellPlan(f"ratio0.{i}-depth3-seed0", i / 10, 3, 0, i, 1000) for i in (1, 2, 3)]
SKIPPED = CellPlan("ratio0.3-depth3-loss.dice_ce-seed9", 0.3, 3, 9, 3, 1000, "repeat", "loss=dice_ce")


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    """An open ledger on each backend."""
    backend = (
        SqliteFiles(tmp_path)
        if request.param == "sqlite"
        else PostgresServer(request.getfixturevalue("postgres_url"), prefix="exchange")
    )
    with Ledger.open(backend.database(), create=True) as opened:
        yield opened


@pytest.fixture
def study(ledger: Ledger) -> StudyRecord:
    """A study with a finished, a failed and retried, a waiting and a skipped cell, and a changed spec."""
    made = ledger.create_study(
        "study",
        identity={"grid": {}},
        running={"tolerance": 0.01},
        fingerprint="f" * 64,
        split={"train": ["a", "e"], "validation": ["b,1", "c"], "test": ["d"]},
        groups={"a": 0, "e": 1, "b,1": 2, "c": 3, "d": 4},
        facts={"d0": 0.25},
    )
    ledger.change_spec(made, identity={"grid": {}}, running={"tolerance": 0.02}, changes={"tolerance": 1}, versions={})
    ledger.layout(made.study_id, [*PLANS, SKIPPED])
    ledger.note_skips(made.study_id, {SKIPPED.key: SkipForecast("known within 0.01", 0.7, 0.6, 0.8)})
    for phase in ("train", "test"):
        claim = claim_cell(ledger, made, PLANS[0].key)
        if phase == "train":
            curve = [Evaluation(i, i / 3, i, 0.1 + 0.2 * i, 1 / 3, 0.1) for i in (1, 2)]
            ledger.record(claim, curve, checkpoint="x", worker=GPU_WORKER, test_curve={2: 0.4}, note="damaged")
            ledger.send_to_test(claim, stop_reason="plateau", forecast=PlateauForecast(0.6, 0.5, 0.7, "law"))
    scores = Scores(2, ((1, 2, 3), (4, 5, 6)), ((7, 8, 9),), 0.7)
    ledger.finish(claim, CellState.DONE, value=0.5, scores=scores, facts={})
    failing = claim_cell(ledger, made, PLANS[1].key)
    ledger.record(failing, [Evaluation(1, 0.5, 1, 0.3, 2.0, 0.1)], checkpoint="x", worker=GPU_WORKER)
    ledger.fail(failing, "the loss is nan", max_attempts=2)
    return study_of(ledger)


def frames(ledger: Ledger, study: StudyRecord) -> dict[str, pd.DataFrame]:
    """All frames of a study, without what belongs to the database alone."""
    number = study.study_id
    costs = costs_frame(ledger, number).drop(columns=["trial_number", "checkpoint"])
    return {
        "cells": cells_frame(ledger, number).drop(columns="trial_number"),
        "curves": curves_frame(ledger, number),
        "costs": costs,
        "forecasts": forecasts_frame(ledger, number),
        "skips": skips_frame(ledger, number),
        "cases": cases_frame(ledger, study),
        "orders": orders_frame(ledger, number),
        "changes": changes_frame(ledger, number),
    }


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_a_study_comes_back_the_same(ledger: Ledger, study: StudyRecord, tmp_path: Path, kind: Kind) -> None:
    """Every frame is equal to the last bit, spec and split too; failed attempts and their cost are there."""
    export_study(ledger, study, tmp_path / "out", kind)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "study.json",
        *(f"{name}.{kind}" for name in TABLES),
    }
    again = import_study(ledger, tmp_path / "out", "again")
    assert (again.identity, again.running, again.split) == (study.identity, study.running, study.split)
    before, after = frames(ledger, study), frames(ledger, again)
    for name in TABLES:
        pd.testing.assert_frame_equal(before[name], after[name], check_exact=True)
    assert spent_seconds(ledger, again.study_id) == spent_seconds(ledger, study.study_id) > 0


def test_optuna_sees_the_imported_trials(ledger: Ledger, study: StudyRecord, tmp_path: Path) -> None:
    """States, values and curves stand in Optuna's tables as well."""
    export_study(ledger, study, tmp_path / "out", "parquet")
    import_study(ledger, tmp_path / "out", "again")
    seen = {
        name: sorted(
            (trial.state.name, trial.value, str(trial.intermediate_values), trial.user_attrs["cell"])
            for trial in optuna_trials(ledger, name)
        )
        for name in ("study", "again")
    }
    assert seen["again"] == seen["study"]


def test_an_imported_study_goes_on(ledger: Ledger, study: StudyRecord, tmp_path: Path) -> None:
    """Its open cells can be claimed; the finished one cannot."""
    export_study(ledger, study, tmp_path / "out", "csv")
    again = import_study(ledger, tmp_path / "out", "again")
    assert ledger.claim(again.study_id, [PLANS[0].key], US) is None
    assert claim_cell(ledger, again, PLANS[1].key).attempt == 2


def test_what_is_no_export_is_refused(ledger: Ledger, study: StudyRecord, tmp_path: Path) -> None:
    """A folder without the files, a table that is gone, a name that is taken: one message, and nothing is made."""
    with pytest.raises(InputError, match="holds no exported study"):
        import_study(ledger, tmp_path, "again")
    export_study(ledger, study, tmp_path / "out", "csv")
    with pytest.raises(StorageError, match="study 'study' is in this storage already; choose another --name"):
        import_study(ledger, tmp_path / "out", None)
    (tmp_path / "out" / "curves.csv").unlink()
    with pytest.raises(InputError, match="no readable table 'curves'"):
        import_study(ledger, tmp_path / "out", "again")
    assert ledger.study_names() == ["study"]
