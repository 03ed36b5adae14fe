"""The kinds of surfaces of the savings benchmark: drawn ones, real data curves, recorded studies."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tests.benchmarks.savings.drawn_surfaces import draw_surfaces
from tests.benchmarks.savings.real_surfaces import lcdb_curves, lcdb_surfaces, recorded_surfaces
from tests.benchmarks.savings.surface import drawn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd

    from tests.benchmarks.savings.drawn_surfaces import Unit
    from tests.benchmarks.savings.surface import Surface

DRAWINGS = 3  # of each shape, and of the noise around each LCDB group
RUNS = 20  # of each strategy on a recorded study, at least
# Ratios, unit, and what a strategy with a budget may spend: the goals of the project.
GRIDS: tuple[tuple[int, Unit, float], ...] = (
    (50, "epochs", 0.05),
    (10, "epochs", 0.12),
    (50, "steps", 0.10),
    (10, "steps", 0.22),
)
LCDB_GRIDS = (GRIDS[0], GRIDS[3])
RECORDED_SHARE = 0.2
RECORDED_RUNS = 2  # of each drawn cell: one of the grid, and a fresh seed


@dataclass(frozen=True)
class Kind:
    """Surfaces that are summarised together.

    Attributes:
        name: Of the kind.
        surfaces: S of them.
        orders: In how many orders each is tried.
        budget_share: What a strategy with a budget may spend, as a share of the grid's seconds.
    """

    name: str
    surfaces: list[Surface]
    orders: int
    budget_share: float


def kinds(wanted: list[str] | None) -> Iterator[Kind]:
    """The kinds whose names begin with one of those wanted; None: all that are at hand."""
    for name, make in _makers().items():
        if wanted is None or any(name.startswith(each) for each in wanted):
            surfaces, orders, budget_share = make()
            yield Kind(name, surfaces, orders, budget_share)


def _makers() -> dict[str, Callable[[], tuple[list[Surface], int, float]]]:
    makers = {
        f"drawn, {4 * ratios} cells, {unit}": partial(_drawn, ratios, unit, share) for ratios, unit, share in GRIDS
    }
    curves = lcdb_curves()
    if curves is not None:
        makers |= {
            f"LCDB, {4 * ratios} cells, {unit}": partial(_lcdb, curves, ratios, unit, share)
            for ratios, unit, share in LCDB_GRIDS
        }
    recorded = recorded_surfaces()
    return makers | {name: partial(_recorded, surfaces) for name, surfaces in recorded.items()}


def _drawn(ratios: int, unit: Unit, share: float) -> tuple[list[Surface], int, float]:
    return (
        [drawn(each) for seed in range(DRAWINGS) for each in draw_surfaces(ratios, unit, seed, RECORDED_RUNS)],
        1,
        share,
    )


def _lcdb(curves: pd.DataFrame, ratios: int, unit: Unit, share: float) -> tuple[list[Surface], int, float]:
    return [each for seed in range(DRAWINGS) for each in lcdb_surfaces(curves, ratios, unit, seed)], 1, share


def _recorded(surfaces: list[Surface]) -> tuple[list[Surface], int, float]:
    return surfaces, -(-RUNS // len(surfaces)), RECORDED_SHARE
