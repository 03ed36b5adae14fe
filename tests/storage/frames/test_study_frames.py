"""Frames hold what the module's docstring says, and every column of them stands there."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from storage.data.splits import nested_order
from storage.frames import study_frames
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
from storage.ledger.ledger import Ledger
from storage.records import CellPlan, CellState, Evaluation, PlateauForecast, Scores, SkipForecast
from tests.helpers.ledgers import GPU_WORKER, NO_PARTS, claim_cell, study_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from storage.records import StudyRecord


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, pd.DataFrame]]:
    """The frames of a study with a finished cell, a failed attempt and an empty cell."""
    with Ledger.open(f"sqlite:///{tmp_path_factory.mktemp('frames')}/s.db", create=True) as ledger:
        study = ledger.create_study(
            "s",
            **NO_PARTS
            | {
                "split": {"train": ["u", "w"], "validation": ["v"], "test": ["t"]},
                "groups": {"u": 0, "w": 1, "v": 2, "t": 3},
            },
        )
        other = ledger.create_study("o", **NO_PARTS)
        for number in (study.study_id, other.study_id):
            ledger.layout(number, [CellPlan(key, 0.5, 3, 0, 5, 1000) for key in ("a", "b", "c")])
        _finish(ledger, study)
        ledger.note_skips(study.study_id, {"c": SkipForecast("known within 0.01", 0.7, 0.6, 0.8)})
        failing = claim_cell(ledger, study, "b")
        ledger.record(failing, [Evaluation(1, 0.5, 10, 0.2, 4.0, 0.0)], checkpoint=None, worker=GPU_WORKER)
        ledger.fail(failing, "nan", max_attempts=2)
        ledger.change_spec(study, identity={}, running={}, changes={"tolerance": 1}, versions={"torch": "2"})
        yield {
            "cells": cells_frame(ledger, study.study_id),
            "curves": curves_frame(ledger, study.study_id),
            "costs": costs_frame(ledger, study.study_id),
            "forecasts": forecasts_frame(ledger, study.study_id),
            "skips": skips_frame(ledger, study.study_id),
            "cases": cases_frame(ledger, study_of(ledger, "s")),
            "orders": orders_frame(ledger, study.study_id),
            "changes": changes_frame(ledger, study.study_id),
        }


def _finish(ledger: Ledger, study: StudyRecord) -> None:
    claim = claim_cell(ledger, study, "a")
    points = [Evaluation(i, i / 2, 10 * i, i / 10, 1.0, 0.5) for i in (1, 2)]
    ledger.record(claim, points, checkpoint="x", worker=GPU_WORKER, test_curve={2: 0.7}, note="damaged")
    ledger.send_to_test(claim, stop_reason="plateau", forecast=PlateauForecast(0.3, 0.2, 0.4, "law"))
    claim = claim_cell(ledger, study, "a")
    scores = Scores(2, ((1, 2, 3),), ((4, 5, 6),), 2.0)
    ledger.finish(claim, CellState.DONE, value=0.2, scores=scores, facts={})


@pytest.mark.parametrize("name", ["cells", "curves", "costs", "forecasts", "skips", "cases", "orders", "changes"])
def test_every_column_is_documented(tables: dict[str, pd.DataFrame], name: str) -> None:
    """The docstring's paragraph of the frame names each of its columns."""
    text = re.split(rf"^{name} ", str(study_frames.__doc__), flags=re.MULTILINE)[1]
    paragraph = re.split(r"^\w+ {2,}", text, flags=re.MULTILINE)[0]
    assert [column for column in tables[name].columns if not re.search(rf"\b{column}\b", paragraph)] == []


def test_cells_are_summed_up(tables: dict[str, pd.DataFrame]) -> None:
    """State, attempt and the best of the current attempt's curve; other studies stay out."""
    cells = tables["cells"]
    assert cells["cell"].tolist() == ["a", "b", "c"]
    assert cells["state"].tolist() == ["done", "waiting", "waiting"]
    assert cells["attempt"].tolist() == [1, 2, 1]
    assert cells["evaluations"].tolist() == [2, 0, 0]
    assert cells["best_val_dsc"].fillna(-1).tolist() == [0.2, -1, -1]


def test_curves_hold_every_attempt(tables: dict[str, pd.DataFrame]) -> None:
    """Also the one that failed; test DSC where it was recorded."""
    curves = tables["curves"]
    assert curves[["cell", "attempt", "evaluation"]].to_numpy().tolist() == [["a", 1, 1], ["a", 1, 2], ["b", 1, 1]]
    assert curves["test_dsc"].fillna(-1).tolist() == [-1, 0.7, -1]
    assert curves["evaluation"].dtype == curves["step"].dtype == "int64"


def test_costs_are_device_seconds(tables: dict[str, pd.DataFrame]) -> None:
    """Wall seconds x share, by attempt; what was spent is their sum."""
    costs = tables["costs"].set_index(["cell", "attempt"])
    assert costs.loc[("a", 1), "evaluation_seconds"] == 1.5
    assert costs.loc[("a", 1), "test_seconds"] == 1.0
    assert costs.loc[("a", 1), "spent_seconds"] == 2.5
    assert json.loads(costs.loc[("a", 1), "notes"]) == ["damaged"]
    assert (costs.loc[("b", 1), "failure"], costs.loc[("b", 1), "spent_seconds"]) == ("nan", 2.0)
    assert costs.loc[("b", 2), "spent_seconds"] == 0


def test_forecasts_stand_apart(tables: dict[str, pd.DataFrame]) -> None:
    """A row for the attempt that was stopped, with the interval."""
    (row,) = tables["forecasts"].to_dict("records")
    assert (row["cell"], row["stop_reason"], row["forecast_mean"], row["forecast_upper"]) == ("a", "plateau", 0.3, 0.4)


def test_skips_stand_apart(tables: dict[str, pd.DataFrame]) -> None:
    """The cell that is not trained, why, and what is forecast in its place."""
    assert tables["skips"].to_dict("records") == [
        {"cell": "c", "reason": "known within 0.01", "forecast_mean": 0.7, "forecast_lower": 0.6, "forecast_upper": 0.8}
    ]


def test_orders_name_the_cases_of_every_subset(tables: dict[str, pd.DataFrame]) -> None:
    """The first n are the subset of n cases."""
    orders = tables["orders"]
    assert orders["case"].tolist() == nested_order(["u", "w"], {"u": 0, "w": 1}, 0)
    assert orders[["seed", "position"]].to_numpy().tolist() == [[0, 1], [0, 2]]
