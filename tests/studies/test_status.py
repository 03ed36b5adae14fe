"""What a study has done, and why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from storage.errors import InputError
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
from studies.status import render_status, status_of, why

STUDY = StudyRecord(1, "small", {}, {"policy": "forecast"}, "f" * 64, {}, {}, {"d0": 0.2})
PLAN = CellPlan("ratio0.5-depth3-seed0", 0.5, 3, 0, 350, 95_748)
CURVE = tuple(Evaluation(i, i, 10 * i, 0.5 + i / 100, 1.5, 0.5) for i in (1, 2))
SKIP = SkipForecast("skipped: its DSC is known within 0.01; forecast for one run [0.790, 0.820]", 0.805, 0.79, 0.82)
END = PlateauForecast(0.8123, 0.8, 0.8246, "lstm")


def record(state: CellState, *, skip: SkipForecast | None = None, **attempt: object) -> CellRecord:
    """A cell in a state."""
    curve = () if skip or state is CellState.WAITING else CURVE
    cell = Cell(PLAN, state, 1, 1, None, 0, 0, 0, skip)
    return CellRecord(cell, replace(AttemptRecord(device="gpu"), **attempt), curve)  # type: ignore[arg-type]


STOPPED = record(CellState.DONE, stop_reason="plateau reached: at evaluation 2 of 30", forecast=END)


def test_a_skipped_cell_is_told_as_skipped_before_and_after_the_end() -> None:
    """It neither waits nor counts as pruned, its forecast is apart, and the study may be finished with it."""
    for state in (CellState.WAITING, CellState.PRUNED):
        found = status_of(STUDY, [record(state, skip=SKIP)], 0.0)
        assert found["states"] == {"skipped": 1}
        assert found["finished"]
        (cell,) = found["per_cell"]
        assert (cell["state"], cell["best_val_dsc"]) == ("skipped", None)
        assert cell["skip"] == vars(SKIP)
    assert not status_of(STUDY, [record(CellState.WAITING)], 0.0)["finished"]


def test_why_tells_a_stop_with_what_it_was_decided_on() -> None:
    """What was measured, the reason, and the forecast, each on a line of its own."""
    assert why([STOPPED], PLAN.key).splitlines() == [
        "ratio0.5-depth3-seed0: done",
        "measured: 2 evaluations, best validation DSC 0.5200 at 2",
        "stopped: plateau reached: at evaluation 2 of 30",
        "forecast: 0.8123 [0.8000, 0.8246] at the last evaluation (lstm)",
    ]


def test_why_tells_a_skip_with_its_forecast() -> None:
    """A skipped cell has measured nothing."""
    assert why([record(CellState.PRUNED, skip=SKIP)], PLAN.key).splitlines() == [
        "ratio0.5-depth3-seed0: skipped",
        SKIP.reason,
        "forecast: 0.8050 [0.7900, 0.8200] for one run",
    ]


@pytest.mark.parametrize(
    ("role", "told"),
    [("confirm", "confirms the recommendation with a fresh seed"), ("repeat", "repeats a flagged run")],
)
def test_why_tells_what_a_cell_was_added_for(role: str, told: str) -> None:
    """Cells beyond the grid say whose decision they are."""
    added = replace(STOPPED, cell=replace(STOPPED.cell, plan=replace(PLAN, role=role)))  # type: ignore[arg-type]
    assert f"added to the grid: it {told}" in why([added], PLAN.key)


def test_why_tells_a_failure() -> None:
    """With its reason."""
    assert "failed: no space" in why([record(CellState.FAILED, failure="no space")], PLAN.key)


def test_a_cell_that_is_not_there_is_told() -> None:
    """The message shows how cells are named."""
    with pytest.raises(InputError, match=r"no cell 'depth3' in this study; cells are named like ratio0.5-depth3-seed0"):
        why([STOPPED], "depth3")


def test_a_table_line_fits_a_terminal() -> None:
    """Lines of cells have at most 80 characters."""
    text = render_status(status_of(STUDY, [STOPPED, record(CellState.WAITING, skip=SKIP)], 12.0))
    assert "2 cells: 1 done, 1 skipped" in text
    assert all(len(line) <= 80 for line in text.splitlines() if line.startswith("ratio") and ": " not in line)
