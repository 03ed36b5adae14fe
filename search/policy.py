"""Which cell next: pure rules over cells, blind to test scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from storage.records import CellState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from storage.records import Cell

PolicyName = Literal["grid", "forecast"]
"""`grid` trains every cell to its full budget; `forecast` also lets the stop rule end a training early."""


def free_cells(cells: Iterable[Cell]) -> list[Cell]:
    """The cells that nobody holds, in the order in which they should be taken.

    A trained cell that waits for its test goes first: it is short, and tells the next decision more. Then from cheap
    to dear, so that an interrupted study holds whole data curves up to some number of cases.
    """
    free = [c for c in cells if c.owner is None and c.state in {CellState.WAITING, CellState.TEST}]
    return sorted(free, key=_rank)


def _rank(cell: Cell) -> tuple[bool, int, int, int]:
    return cell.state != CellState.TEST, cell.plan.num_cases, cell.plan.depth, cell.plan.seed
