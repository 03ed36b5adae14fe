"""What a study has done, and why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from storage.ledger.count_rows import StudyCounts
from storage.records import (
    AttemptRecord,
    Cell,
    CellPlan,
    CellRecord,
    CellState,
    Evaluation,
    PlateauForecast,
    SkipForecast,
    StudyRecord,
)
from studies.monitor.status import render_status, status_of, why

STUDY = StudyRecord(1, "small", {}, {"policy": "forecast"}, "f" * 64, {}, {}, {"d0": 0.2})
PLAN = CellPlan("ratio0.5-depth3-seed0", 0.5, 3, 0, 350, 95_748)
CURVE = tuple(Evaluation(i, i, 10 * i, 0.5 + i / 100, 1.5, 0.5) for i in (1, 2))
SKIP = SkipForecast("skipped: its DSC is known within 0.01; forecast for one run [0.790, 0.820]", 0.805, 0.79, 0.82)
NO_COUNTS = StudyCounts([], np.zeros((0, 0, 3), dtype=np.int64), np.zeros((0, 0, 3), dtype=np.int64))
END = PlateauForecast(0.8123, 0.8, 0.8246, "lstm")


def record(state: CellState, *, skip: SkipForecast | None = None, **attempt: object) -> CellRecord:
    """A cell in a state."""
    curve = () if skip or state is CellState.WAITING else CURVE
    cell = Cell(PLAN, state, 1, 1, None, 0, 0, 0, skip)
    return CellRecord(cell, replace(AttemptRecord(device="gpu"), **attempt), curve)  # type: ignore[arg-type]


def status(records: list[CellRecord]) -> dict[str, Any]:
    """The status of cells, none of them scored."""
    return status_of(STUDY, records, NO_COUNTS, 12.0)


STOPPED = record(CellState.DONE, stop_reason="plateau reached: at evaluation 2 of 30", forecast=END)


def test_a_skipped_cell_is_told_as_skipped_before_and_after_the_end() -> None:
    """It neither waits nor counts as pruned, its forecast is apart, and the study may be finished with it."""
    for state in (CellState.WAITING, CellState.PRUNED):
        values = status([record(state, skip=SKIP)])
        assert values["states"] == {"skipped": 1}
        assert values["finished"]
        (cell,) = values["per_cell"]
        assert (cell["state"], cell["best_val_dsc"]) == ("skipped", None)
        assert cell["skip"] == vars(SKIP)
    assert not status([record(CellState.WAITING)])["finished"]


def test_why_tells_a_stop_with_what_it_was_decided_on() -> None:
    """What was measured, the reason, and the forecast, each on a line of its own."""
    assert why(STOPPED).splitlines() == [
        "ratio0.5-depth3-seed0: done",
        "measured: 2 evaluations, best validation DSC 0.5200 at 2",
        "stopped: plateau reached: at evaluation 2 of 30",
        "forecast: 0.8123 [0.8000, 0.8246] at the last evaluation (lstm)",
    ]


def test_why_tells_a_skip_with_its_forecast() -> None:
    """A skipped cell has measured nothing."""
    assert why(record(CellState.PRUNED, skip=SKIP)).splitlines() == [
        "ratio0.5-depth3-seed0: skipped",
        SKIP.reason,
        "forecast: 0.8050 [0.7900, 0.8200] for one run",
    ]


@pytest.mark.parametrize(
    ("role", "purpose"),
    [("confirm", "confirms the recommendation with a fresh seed"), ("repeat", "repeats a flagged run")],
)
def test_why_tells_what_a_cell_was_added_for(role: str, purpose: str) -> None:
    """Cells beyond the grid say whose decision they are."""
    added = replace(STOPPED, cell=replace(STOPPED.cell, plan=replace(PLAN, role=role)))  # type: ignore[arg-type]
    assert f"added to the grid: it {purpose}" in why(added)


def test_why_tells_a_failure() -> None:
    """With its reason."""
    assert "failed: no space" in why(record(CellState.FAILED, failure="no space"))


def test_a_table_line_fits_a_terminal() -> None:
    """Lines of cells have at most 80 characters."""
    text = render_status(status([STOPPED, record(CellState.WAITING, skip=SKIP)]))
    assert "2 cells: 1 done, 1 skipped" in text
    assert all(len(line) <= 80 for line in text.splitlines() if line.startswith("ratio") and ": " not in line)
