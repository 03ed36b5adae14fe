"""Configurations judged on the two sets of cases: data curves fitted to both, and what validation says of each row."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, TypedDict, Unpack

import numpy as np

from search.analysis.ranking import forecast_rows, judged, learned_rows
from search.curves.data_curves import data_points, fit_data_curves, resampled_shift
from storage.variants import variants_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from search.analysis.good_enough import EnoughRule
    from search.analysis.ranking import RankedConfiguration
    from search.curves.data_curves import DataCurves
    from search.curves.measurements import CaseSet, Configuration, Planned
    from search.prices import PriceSpec

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]


class Costs(TypedDict):
    """What prices a configuration."""

    prices: PriceSpec
    held_out_cases: int


class _Resampled(TypedDict):
    replicates: int
    num_train: int


class CurvePair(NamedTuple):
    """Data curves of the same configurations, of one variant, on the two sets of cases."""

    validation: DataCurves
    test: DataCurves


@dataclass(frozen=True, eq=False)
class Candidates:
    """J judged configurations that learned or are forecast; validation DSC fitted (J,), and in replicates (R, J)."""

    rows: list[RankedConfiguration]
    fitted: Floats
    drawn: Floats

    @classmethod
    def none(cls) -> Candidates:
        """Where nothing learned."""
        return cls([], np.zeros(0), np.zeros((1, 0)))

    @classmethod
    def of(
        cls,
        curves: Mapping[str, CurvePair],
        learned: Sequence[Configuration],
        planned: Sequence[Planned],
        *,
        rule: EnoughRule,
        costs: Costs,
    ) -> Candidates:
        """Of each variant that has curves those that learned, then those that are planned; one floor for all."""
        parts = [_rows(pair, *_of_variant(variant, learned, planned), **costs) for variant, pair in curves.items()]
        rows = [row for own, _, _ in parts for row in own]
        fitted = np.concatenate([dsc for _, dsc, _ in parts])
        drawn = np.concatenate([replicates for _, _, replicates in parts], axis=1)
        return cls(judged(rows, rule, fitted, drawn), fitted, drawn)


def _rows(
    pair: CurvePair, learned: Sequence[Configuration], planned: Sequence[Planned], **costs: Unpack[Costs]
) -> tuple[list[RankedConfiguration], Floats, Floats]:
    """Rows of one variant, not yet judged, with their fitted (J,) and drawn (R, J) validation DSC."""
    unlike = pair.validation.unlike | pair.test.unlike
    measured = [
        replace(row, unlike=bool(alone))
        for row, alone in zip(learned_rows(learned, pair.test, **costs), unlike, strict=True)
    ]
    rows = [*measured, *forecast_rows(planned, pair.test, **costs)]
    where = [row.depth for row in rows], [float(row.num_cases) for row in rows]
    return rows, pair.validation.expected(*where), pair.validation.drawn(*where)


def fit_pairs(
    learned: Sequence[Configuration],
    planned: Sequence[Planned],
    *,
    num_train: int,
    validation_groups: Integers | None,
    test_groups: Integers | None,
    replicates: int,
    seed: int,
) -> dict[str, CurvePair]:
    """Fit the curves of both sets for each variant of which a configuration learned.

    Each set has a generator of its own, so that test values move no decision.
    """
    for_validation, for_test = np.random.default_rng(seed).spawn(2)
    own = {variant: _of_variant(variant, learned, planned) for variant in variants_in(learned)}
    resampled: _Resampled = {"replicates": replicates, "num_train": num_train}
    validation = _fit(own, "validation", validation_groups, for_validation, **resampled)
    test = _fit(own, "test", test_groups, for_test, **resampled)
    return {variant: CurvePair(validation[variant], test[variant]) for variant in own}


def _fit(
    configurations: Mapping[str, tuple[Sequence[Configuration], Sequence[Planned]]],
    case_set: CaseSet,
    groups: Integers | None,
    rng: np.random.Generator,
    *,
    replicates: int,
    num_train: int,
) -> dict[str, DataCurves]:
    """The scored cases are drawn again once for all variants; beyond that, the curves of two share nothing."""
    points = {variant: data_points(learned, case_set) for variant, (learned, _) in configurations.items()}
    shift = resampled_shift(np.concatenate([own.case_dsc for own in points.values()]), groups, replicates, rng)
    curves, begun = {}, 0
    for variant, (learned, planned) in configurations.items():
        curves[variant] = fit_data_curves(
            points[variant],
            shift[:, begun : begun + len(learned)],
            rng,
            num_train=num_train,
            depths=sorted({plan.depth for plan in planned}),
            fewest=min((float(plan.num_cases) for plan in planned), default=None),
        )
        begun += len(learned)
    return curves


def _of_variant(
    variant: str, learned: Sequence[Configuration], planned: Sequence[Planned]
) -> tuple[list[Configuration], list[Planned]]:
    return [entry for entry in learned if entry.variant == variant], [
        entry for entry in planned if entry.variant == variant
    ]
