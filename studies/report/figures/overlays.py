"""Mask overlays of chosen ratios and depths (the paper's Fig 4 and 6)."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from storage.records import CellState
from storage.variants import OWN, variants_in
from studies.report.components import Gallery, Picture

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from storage.files.artifacts import Overlay
    from storage.records import CellRecord

MOST_DEPTHS, MOST_RATIOS = 3, 4


@dataclass(frozen=True)
class ShownCell:
    """Overlays of one cell."""

    depth: int
    ratio: float
    num_cases: int
    overlays: Sequence[Overlay]
    variant: str = OWN


def shown_cells(records: Sequence[CellRecord], load: Callable[[CellRecord], Sequence[Overlay]]) -> list[ShownCell]:
    """The overlays of some depths and ratios of each variant, spread over those that have any, the outermost included.

    Args:
        records: All cells.
        load: Reads the overlays of one.
    """
    variants = variants_in(record.cell.plan for record in records)
    groups = [[record for record in records if record.cell.plan.variant == variant] for variant in variants]
    return [cell for group in groups for cell in _of_one_variant(group, load)]


def _of_one_variant(records: Sequence[CellRecord], load: Callable[[CellRecord], Sequence[Overlay]]) -> list[ShownCell]:
    done = {
        (record.cell.plan.depth, record.cell.plan.num_cases): record
        for record in reversed(records)
        if record.attempt.scores is not None and record.cell.state is not CellState.FAILED
    }
    depths = _spread(sorted({depth for depth, _ in done}), MOST_DEPTHS)
    cases = _spread(sorted({num_cases for _, num_cases in done}), MOST_RATIOS)
    chosen = [done[depth, n] for depth in depths for n in cases if (depth, n) in done]
    return [
        ShownCell(plan.depth, plan.ratio, plan.num_cases, overlays, plan.variant)
        for record in chosen
        for plan in [record.cell.plan]
        if (overlays := load(record))
    ]


def galleries(cells: Sequence[ShownCell]) -> list[Gallery]:
    """One a case: depths downwards, ratios across."""
    depths, ratios = sorted({cell.depth for cell in cells}), sorted({cell.ratio for cell in cells})
    by_place = {(cell.depth, cell.ratio): {overlay.case: overlay for overlay in cell.overlays} for cell in cells}
    captions = {overlay.case: overlay.caption for cell in cells for overlay in cell.overlays}
    return [
        Gallery(
            caption=f"Case {case}: {caption}",
            columns=tuple(f"ratio {ratio:.4g}" for ratio in ratios),
            rows=tuple(
                (f"depth {depth}", tuple(_picture(by_place.get((depth, ratio), {}).get(case)) for ratio in ratios))
                for depth in depths
            ),
        )
        for case, caption in captions.items()
    ]


def _picture(overlay: Overlay | None) -> Picture | None:
    if overlay is None:
        return None
    encoded = b64encode(overlay.png).decode("ascii")
    return Picture(f"data:image/png;base64,{encoded}", f"DSC {overlay.dsc:.3f}")


def _spread(values: Sequence[int], most: int) -> list[int]:
    places = np.linspace(0, len(values) - 1, min(most, len(values))).round()
    return [values[place] for place in sorted({int(place) for place in places})]
