"""The data curves of every recipe, read: on validation and on test cases."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from search.curves.curve_answer import DepthAnswer, curve_answer
from storage.variants import recipe_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from search.analysis.candidates import CurvePair
    from search.curves.measurements import Measurement
    from storage.variants import Recipe

NONE_LEARNED = "no run has learned"
ONE_NUMBER = "measured with one number of cases; a curve needs two"


def depth_answers(
    measurements: Sequence[Measurement], curves: Mapping[str, CurvePair], num_train: int, tolerance: float
) -> tuple[DepthAnswer, ...]:
    """One of each recipe that was measured."""
    runs: dict[Recipe, list[Measurement]] = defaultdict(list)
    counts: dict[str, set[int]] = defaultdict(set)
    for measurement in measurements:
        runs[recipe_of(measurement)].append(measurement)
        if measurement.flag is None:
            counts[measurement.variant].add(measurement.num_cases)
    return tuple(
        _depth_answer(runs[recipe], counts[recipe.variant], curves.get(recipe.variant), num_train, tolerance)
        for recipe in sorted(runs)
    )


def _depth_answer(
    runs: Sequence[Measurement], counts: set[int], curves: CurvePair | None, num_train: int, tolerance: float
) -> DepthAnswer:
    recipe = recipe_of(runs[0])
    depth = recipe.depth
    learned = any(run.flag is None for run in runs)
    readable = curves is not None and learned and len(counts) > 1
    return DepthAnswer(
        depth=depth,
        fewest_cases=min(counts, default=None),
        num_flagged=sum(run.flag is not None for run in runs),
        num_measured=len(runs),
        on_validation=curve_answer(curves.validation, depth, num_train, tolerance) if curves and readable else None,
        on_test=curve_answer(curves.test, depth, num_train, tolerance) if curves and readable else None,
        reason=None if readable else ONE_NUMBER if learned else NONE_LEARNED,
        variant=recipe.variant,
    )
