"""Shows a running study in the terminal, read from the ledger: a live table, or a line a finished cell in a log."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from storage.ledger.cell_records import cell_record
from storage.records import CellState
from studies.spec import recorded_spec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from storage.ledger.ledger import Ledger
    from storage.records import Cell, CellRecord, StudyRecord

SECONDS_BETWEEN_LOOKS = 1.0
MOST_RUNNING_SHOWN = 16
MOST_OF_TIME = 0.02  # of a driver's time goes into looking; a large study is looked at less often


def watch(ledger: Ledger, study: StudyRecord, console: Console | None = None) -> None:
    """Follow a study that other processes run, until none of its cells is open; it takes part in nothing."""
    training = recorded_spec(study).training
    with ProgressDisplay(ledger, study, 0 if training is None else training.evaluations, console):
        while any(cell.state.is_open and cell.skip is None for cell in ledger.cells(study.study_id)):
            time.sleep(SECONDS_BETWEEN_LOOKS)


class ProgressDisplay:
    """Follows a study from a thread of its own while it is run in a `with` block."""

    def __init__(self, ledger: Ledger, study: StudyRecord, evaluations: int, console: Console | None = None) -> None:
        """Start with `with`."""
        self._ledger, self._study, self._evaluations = ledger, study, evaluations
        self._console = console or Console(stderr=True)
        self._reported: set[str] = set()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="progress", daemon=True)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)

    def __enter__(self) -> Self:
        """Cells that are finished already are not told again."""
        self._reported = {c.plan.key for c in self._cells() if not c.state.is_open}
        if self._console.is_terminal:
            self._live.start()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Tell what was finished last."""
        self._end.set()
        self._thread.join()
        self._look()
        self._live.stop()
        self._tell_skipped()

    def _follow(self) -> None:
        seconds = SECONDS_BETWEEN_LOOKS
        while not self._end.wait(seconds):
            started = time.monotonic()
            self._look()
            seconds = max(SECONDS_BETWEEN_LOOKS, (time.monotonic() - started) / MOST_OF_TIME)

    def _look(self) -> None:
        cells = self._cells()
        closed = [cell for cell in cells if not cell.state.is_open and cell.skip is None]
        for cell in closed:
            if cell.plan.key not in self._reported:
                self._reported.add(cell.plan.key)
                self._console.print(self._line(cell, len(self._reported), len(cells)), highlight=False, markup=False)
        if self._live.is_started:
            self._live.update(self._table(cells, len(closed)), refresh=True)

    def _tell_skipped(self) -> None:
        skipped = sum(cell.skip is not None for cell in self._cells())
        if skipped:
            self._console.print(
                f"{skipped} cells were not worth training: `dicecurve status --why CELL`", highlight=False
            )

    def _cells(self) -> list[Cell]:
        return self._ledger.cells(self._study.study_id)

    def _record(self, cell: Cell) -> CellRecord:
        return cell_record(self._ledger, self._study.study_id, cell.plan.key)

    def _line(self, cell: Cell, number: int, total: int) -> str:
        record = self._record(cell)
        what = f"[{number:>{len(str(total))}}/{total}] {cell.plan.key:<26}"
        if cell.state == CellState.FAILED:
            return f"{what} failed: {record.attempt.failure}"
        assert record.best is not None
        seconds = f"{record.device_seconds:,.0f} {(record.attempt.device or '').upper()} s"
        end = _how_ended(cell.state, None if record.attempt.stop_reason is None else len(record.curve))
        return f"{what} val DSC {record.best.val_dsc:.3f}  {seconds}{end}"

    def _table(self, cells: list[Cell], num_closed: int) -> Table:
        running = [c for c in cells if c.owner is not None]
        num_skipped = sum(cell.skip is not None for cell in cells)
        skipped = f", {num_skipped} skipped" if num_skipped else ""
        table = Table(
            title=f"{self._study.name}: {num_closed} of {len(cells)} cells finished, {len(running)} running{skipped}",
            title_justify="left",
            box=None,
        )
        for name in ("cell", "phase", "evaluation", "val DSC"):
            table.add_column(name, justify="left" if name == "cell" else "right")
        for cell in running[:MOST_RUNNING_SHOWN]:
            curve = self._record(cell).curve
            table.add_row(
                cell.plan.key,
                "test" if cell.state == CellState.TEST else "train",
                f"{len(curve)}/{self._evaluations}",
                f"{curve[-1].val_dsc:.3f}" if curve else "-",
            )
        return table


def _how_ended(state: CellState, stopped_at: int | None) -> str:
    """How a training ended, where it was not as planned."""
    if state == CellState.DONE:
        return "" if stopped_at is None else f"  stopped at {stopped_at}"
    end = state.value.replace("_", " ")
    return f"  {end}" if stopped_at is None else f"  {end} at {stopped_at}"


@contextmanager
def preparing_bar() -> Iterator[Callable[[int, int], None] | None]:
    """A bar on stderr that counts cases, where that is a terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    columns = TextColumn("preparing cases"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
