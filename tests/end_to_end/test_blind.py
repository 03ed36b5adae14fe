"""Decisions cannot read test scores: nothing that they are given holds any."""

from __future__ import annotations

import ast
import dataclasses
import inspect
from pathlib import Path
from typing import Any

import pytest

from search import training_time
from search.analysis import good_enough
from search.policy import acquisition, next_cell, stop_rule, surrogate
from search.policy.surrogate import SeenCell
from storage import records
from storage.records import Cell, CellPlan, Evaluation, PlateauForecast, SkipForecast

READ_BY_DECISIONS = (Cell, CellPlan, Evaluation, PlateauForecast, SkipForecast, SeenCell)

ROOMS_WITH_SCORES = ("storage.ledger", "storage.database", "storage.frames")


@pytest.mark.parametrize("record", READ_BY_DECISIONS)
def test_no_record_that_a_decision_reads_has_a_test_field(record: Any) -> None:
    """No field has "test" or "score" in its name, and every field is plain or one of these records."""
    plain = {"int", "float", "str", "bool", "str | None", "CellState", "Role"}
    records_read = {r.__name__ for r in READ_BY_DECISIONS}
    plain |= (
        records_read | {f"{name} | None" for name in records_read} | {f"tuple[{name}, ...]" for name in records_read}
    )
    for field in dataclasses.fields(record):
        assert "test" not in field.name
        assert "score" not in field.name
        assert field.type in plain


@pytest.mark.parametrize(
    ("function", "parameters"),
    [
        (next_cell.free_cells, {"cells": "Iterable[Cell]"}),
        (
            next_cell.agenda,
            {"cells": "Sequence[SeenCell]", "spec": "DecisionSpec", "device_seconds_left": "float | None"},
        ),
        (stop_rule.outcome, {"curve": "Sequence[Evaluation]", "d0": "float"}),
        (
            stop_rule.decide,
            {
                "curve": "Sequence[Evaluation]",
                "evaluations": "int",
                "d0": "float",
                "tolerance": "float",
                "spec": "StopSpec",
                "forecaster": "Forecaster",
                "siblings": "Siblings | None",
                "cannot_matter": "Callable[[PlateauForecast], bool] | None",
            },
        ),
    ],
)
def test_a_decision_takes_these_records_alone(function: Any, parameters: dict[str, str]) -> None:
    """Cells and evaluations go in; no score of any kind does."""
    taken = {name: p.annotation for name, p in inspect.signature(function).parameters.items()}
    assert taken == parameters


@pytest.mark.parametrize("module", [next_cell, stop_rule, surrogate, training_time, acquisition, good_enough])
def test_the_rules_import_no_record_with_test_scores(module: Any) -> None:
    """`Scores`, and what holds it, is out of reach of the rules."""
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    imported = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    names = {alias.name for node in imported for alias in node.names}
    modules = {node.module for node in imported}
    assert not names & {"Scores", "AttemptRecord", "CellRecord"}
    assert [name for name in modules if name and name.startswith(ROOMS_WITH_SCORES)] == []


def test_the_records_that_hold_test_scores_are_these() -> None:
    """A new record with test scores must be added here on purpose."""
    holding = {
        name
        for name, record in vars(records).items()
        if dataclasses.is_dataclass(record)
        and any("test" in f.name or "score" in f.name for f in dataclasses.fields(record))
    }
    assert holding == {"Scores", "AttemptRecord", "CellRecord"}
