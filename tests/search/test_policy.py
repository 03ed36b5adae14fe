"""Which cell next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from search.policy import free_cells
from storage.records import Cell, CellPlan, CellState

if TYPE_CHECKING:
    from random import Random

cells = st.builds(
    lambda cases, depth, seed, state, owner: cell(cases, depth, seed, state=state, owner=owner),
    st.integers(1, 700),
    st.integers(2, 8),
    st.integers(0, 3),
    st.sampled_from(CellState),
    st.sampled_from([None, "us", "them"]),
)


def cell(
    num_cases: int, depth: int = 3, seed: int = 0, *, state: CellState = CellState.WAITING, owner: str | None = None
) -> Cell:
    """A cell as it stands in the ledger."""
    plan = CellPlan(f"{num_cases}-{depth}-{seed}", num_cases / 700, depth, seed, num_cases, 1000)
    return Cell(plan, state, 1, 0, owner, 0, 0, 0)


def test_cells_are_taken_from_cheap_to_dear() -> None:
    """Few cases first, then shallow, then the first seed."""
    order = [cell(14), cell(14, seed=1), cell(14, depth=4), cell(70, depth=2), cell(700, depth=2)]
    assert free_cells(reversed(order)) == order


def test_a_test_goes_first() -> None:
    """A trained cell tells the most for the least."""
    waiting, trained = cell(14), cell(700, depth=6, state=CellState.TEST)
    assert free_cells([waiting, trained]) == [trained, waiting]


@given(st.lists(cells, max_size=20))
def test_only_free_cells_are_taken(found: list[Cell]) -> None:
    """Every cell that waits and that nobody holds is there once, and no other."""
    expected = [c for c in found if c.owner is None and c.state in {"waiting", "test"}]
    taken = free_cells(found)
    assert len(taken) == len(expected)
    assert all(c in expected for c in taken)


@given(st.lists(cells, max_size=20), st.randoms())
def test_the_order_does_not_depend_on_that_of_the_ledger(found: list[Cell], random: Random) -> None:
    """Two drivers agree on the next cell."""
    found = list({c.plan.key: c for c in found}.values())
    shuffled = found.copy()
    random.shuffle(shuffled)
    assert free_cells(shuffled) == free_cells(found)
