"""The surface of an imported table holds what the table told, and can be imported again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from storage.frames.exchange import export_study, import_study
from storage.frames.published_rows import import_published
from storage.frames.published_table import read_published
from storage.frames.study_frames import SURFACE_COLUMNS, surface
from storage.ledger.cell_records import cell_records
from storage.ledger.ledger import Ledger
from storage.records import CellPlan, Evaluation
from tests.helpers.ledgers import GPU_WORKER, NO_PARTS, claim_cell
from tests.helpers.number_tables import curve, read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def ledger(storage_url: str) -> Iterator[Ledger]:
    """An empty one."""
    with Ledger.open(storage_url, create=True) as ledger:
        yield ledger


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        (curve([0.5, 0.6]), ["dsc"]),
        (curve([0.5, 0.6], head="cases,depth,test_dsc"), ["test_dsc"]),
        (curve([0.5, 0.6, 0.05, 0.8]), ["dsc", "flag"]),
        ("cases,depth,dsc,seconds\n40,3,0.5,9\n80,3,0.6,9\n", ["dsc", "train_seconds", "val_seconds"]),
        ("cases,depth,epoch,dsc\n40,3,1,0.5\n40,3,2,0.6\n", ["evaluation", "epoch", "dsc"]),
        ("cases,depth,val_dsc,test_dsc\n40,3,0.5,0.4\n80,3,0.6,0.5\n", ["val_dsc", "test_dsc"]),
    ],
)
def test_a_surface_has_the_columns_of_its_table(tmp_path: Path, ledger: Ledger, text: str, columns: list[str]) -> None:
    """None that the ledger made up; read again, it is the same table."""
    table = read(tmp_path, text)
    study = import_published(ledger, "old", table, {})
    frame = surface(ledger, study.study_id)
    assert list(frame) == ["depth", "cases", "ratio", "seed", *columns]
    frame.to_csv(tmp_path / "again.csv", index=False)
    again = read_published(tmp_path / "again.csv")
    assert [(run.plan, run.validation_dsc, run.test_dsc, run.flag) for run in again.runs] == [
        (run.plan, run.validation_dsc, run.test_dsc, run.flag) for run in table.runs
    ]
    assert (again.scores, again.has_seconds, again.num_train) == (table.scores, table.has_seconds, table.num_train)


def test_the_surface_of_a_study_can_be_imported(tmp_path: Path, ledger: Ledger) -> None:
    """Each run with its best validation DSC and all of its seconds; test DSC that it lacks is not made up."""
    study = ledger.create_study("run", **NO_PARTS)
    ledger.layout(
        study.study_id, [CellPlan(key, ratio, 3, 0, round(400 * ratio), 9) for key, ratio in (("a", 0.1), ("b", 1.0))]
    )
    for key, best in (("a", 0.5), ("b", 0.7)):
        points = [Evaluation(e, float(e), 10 * e, best - 0.1 * abs(e - 2), 4.0, 0.5) for e in (1, 2, 3)]
        ledger.record(claim_cell(ledger, study, key), points, checkpoint=None, worker=GPU_WORKER)
    frame = surface(ledger, study.study_id)
    assert list(frame) == list(SURFACE_COLUMNS)
    frame.to_csv(tmp_path / "surface.csv", index=False, float_format="%.6g")
    table = read_published(tmp_path / "surface.csv")
    assert (table.scores, table.num_train) == ("validation", 400)
    assert [(run.plan.num_cases, run.validation_dsc) for run in table.runs] == [(40, 0.5), (400, 0.7)]
    assert [sum(p.train_seconds + p.val_seconds for p in run.curve) for run in table.runs] == [13.5, 13.5]


def test_an_exported_table_names_no_number_that_it_was_not_told(tmp_path: Path, ledger: Ledger) -> None:
    """Neither parameters nor seconds are 0; the study that is made of it has the same cells."""
    study = import_published(ledger, "old", read(tmp_path, curve([0.5, 0.6])), {})
    export_study(ledger, study, tmp_path / "out", "csv")
    cells = (tmp_path / "out" / "cells.csv").read_text().splitlines()
    assert dict(zip(cells[0].split(","), cells[1].split(","), strict=True))["parameters"] == ""
    costs = (tmp_path / "out" / "costs.csv").read_text().splitlines()
    assert dict(zip(costs[0].split(","), costs[1].split(","), strict=True))["spent_seconds"] == ""
    again = import_study(ledger, tmp_path / "out", "again")
    assert [(r.cell.plan, r.curve, r.attempt.told_dsc) for r in cell_records(ledger, again.study_id)] == [
        (r.cell.plan, r.curve, r.attempt.told_dsc) for r in cell_records(ledger, study.study_id)
    ]
