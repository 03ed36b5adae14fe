"""Which configuration is recommended, or why none is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.variants import recipe_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from search.analysis.good_enough import EnoughRule
    from search.analysis.ranking import RankedConfiguration

NOTHING_LEARNED = "no configuration has learned yet"


def recommendation(
    ranking: Sequence[RankedConfiguration], rule: EnoughRule
) -> tuple[RankedConfiguration | None, str | None]:
    """The first measured row, unless it is not sure of a target; and why it is none, or not eligible."""
    first = next((row for row in ranking if row.seeds and row.p_floor is not None), None)
    if first is None:
        return None, NOTHING_LEARNED
    if first.eligible:
        return first, None
    nearest = f"{recipe_of(first)} with {first.num_cases} cases comes nearest (P = {first.p_floor:.2f})"
    if ranking[0].eligible:
        promising = f"{recipe_of(ranking[0])} with {ranking[0].num_cases} cases is forecast to be, but not yet measured"
        nearest = f"{nearest}; {promising}"
    if rule.target is not None:
        return (
            None,
            f"no configuration reaches the target DSC of {rule.target:g} with P >= {rule.least_chance:g}; {nearest}",
        )
    # Many configurations that lie close together can each be unlikely to be among the best.
    reason = f"no configuration is within the tolerance of the best with P >= {rule.least_chance:g}: cannot tell"
    return first, f"{reason}; {nearest}"
