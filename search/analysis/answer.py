"""The answer to a study: how many cases and which depth are enough, and what that costs.

Validation cases decide: floor, eligibility, order and recommendation. Test cases only estimate, and draw their
replicates from a generator of their own, so that no decision can depend on them.
"""

from __future__ import annotations

import dataclasses
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Required, TypedDict, TypeVar, Unpack

import numpy as np

from search.analysis.annotation import AnnotationPlan, CaseSets, annotation_plans
from search.analysis.best_buy import BestBuy, best_buy
from search.analysis.candidates import Candidates, fit_pairs
from search.analysis.front import FrontStep, front_steps
from search.analysis.good_enough import LIKELY, EnoughRule
from search.analysis.ranking import RankedConfiguration, flagged_rows, ranked
from search.analysis.target import TargetAnswer, target_answer
from search.curves.backtest import Backtest, backtests
from search.curves.curve_answer import DepthAnswer, curve_answer
from search.curves.data_curves import ASSUMED_RUN_SIGMA, RunNoise
from search.curves.flagged_runs import FlaggedCell, flagged_cells
from search.curves.measurements import check_measurements, configurations_of
from storage.variants import recipe_of, variants_in

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from search.analysis.candidates import Costs, CurvePair
    from search.curves.data_curves import DataCurves
    from search.curves.measurements import Measurement, Planned
    from search.prices import PriceSpec
    from storage.variants import Recipe

    Integers = NDArray[np.int64]

Row = TypeVar("Row", DepthAnswer, RankedConfiguration, FrontStep, Backtest, FlaggedCell)
NOTHING_LEARNED = "no configuration has learned yet"
NONE_LEARNED = "no run has learned"
ONE_NUMBER = "measured with one number of cases; a curve needs two"


@dataclass(frozen=True)
class Answer:
    """What a study's finished cells say.

    Attributes:
        recommended: The cheapest DSC among the eligible that were measured; without a target and without an eligible
            one, the likeliest; None where nothing learned, or the target is out of reach. A configuration that is only
            forecast is never recommended.
        reason: Why nothing, or nothing eligible, is recommended; None where there is no need for one.
        floor: DSC to reach: the target, else the best fitted validation DSC less the tolerance; None without both.
        target: The DSC asked for; None where only the data set the floor.
        tolerance: DSC that does not matter.
        num_train: Training cases at hand, N.
        num_validation: Validation cases, part of every price.
        num_test: Test cases, part of every price.
        num_validation_groups: Patients or sequences that the validation cases come from; each case its own where none
            are known.
        num_test_groups: The same of the test cases.
        depths: One data curve per recipe: per depth, of each variant.
        ranking: All configurations.
        plans: What is to be annotated, for each goal that has a number of cases.
        wanted: What the target takes; None without one.
        front: Configurations that no other beats in price and fitted validation DSC, by rising price.
        best_buy: What to buy at the stated worth of 0.01 DSC; None without one.
        backtests: What half of the cases would have foretold, a recipe each.
        flagged: Cells left out of every fit.
        validation_noise: Of single runs, on validation cases, under the recommended variant, else the first.
        test_noise: The same on test cases.
        replicates: Of the bootstrap.
    """

    recommended: RankedConfiguration | None
    reason: str | None
    floor: float | None
    target: float | None
    tolerance: float
    num_train: int
    num_validation: int
    num_test: int
    num_validation_groups: int
    num_test_groups: int
    depths: tuple[DepthAnswer, ...]
    ranking: tuple[RankedConfiguration, ...]
    plans: tuple[AnnotationPlan, ...]
    wanted: TargetAnswer | None
    front: tuple[FrontStep, ...]
    best_buy: BestBuy | None
    backtests: tuple[Backtest, ...]
    flagged: tuple[FlaggedCell, ...]
    validation_noise: RunNoise
    test_noise: RunNoise
    replicates: int

    def to_dict(self) -> dict[str, object]:
        """The same as plain numbers, strings, lists and dicts; what is not finite becomes None.

        Variants are named only where there is one besides the protocol's own.
        """
        unsaid = frozenset() if self.has_variants else frozenset({"variant"})
        return {key: _plain(value, unsaid) for key, value in dataclasses.asdict(self).items()}

    @cached_property
    def variants(self) -> tuple[str, ...]:
        """Those that were measured or are forecast, the protocol's own first."""
        return tuple(variants_in(self.ranking))

    @property
    def has_variants(self) -> bool:
        """Whether there is one besides the protocol's own, so that rows have to name theirs."""
        return any(self.variants)

    def of_variant(self, variant: str) -> Answer:
        """What it says of one variant alone: curves, rows, backtests and flagged cells."""
        chosen = self.recommended
        return dataclasses.replace(
            self,
            recommended=chosen if chosen is not None and chosen.variant == variant else None,
            depths=_of(self.depths, variant),
            ranking=_of(self.ranking, variant),
            front=_of(self.front, variant),
            backtests=_of(self.backtests, variant),
            flagged=_of(self.flagged, variant),
        )


class Asked(TypedDict, total=False):
    """What `answer` and `answer_with_curves` are asked, by keyword."""

    num_train: Required[int]
    num_validation: Required[int]
    num_test: Required[int]
    prices: Required[PriceSpec]
    tolerance: float
    target: float | None
    worth: float | None
    train_groups: Integers | None
    validation_groups: Integers | None
    test_groups: Integers | None
    replicates: int
    seed: int
    planned: Sequence[Planned]


def answer(measurements: Sequence[Measurement], **asked: Unpack[Asked]) -> Answer:
    """Rank configurations by cost per DSC and read the data curve of each depth: see `answer_with_curves`."""
    return answer_with_curves(measurements, **asked)[0]


def answer_with_curves(
    measurements: Sequence[Measurement],
    *,
    num_train: int,
    num_validation: int,
    num_test: int,
    prices: PriceSpec,
    tolerance: float = 0.01,
    target: float | None = None,
    worth: float | None = None,
    train_groups: Integers | None = None,
    validation_groups: Integers | None = None,
    test_groups: Integers | None = None,
    replicates: int = 2000,
    seed: int = 0,
    planned: Sequence[Planned] = (),
) -> tuple[Answer, dict[str, DataCurves]]:
    """The answer, and the data curves on test cases that it was read off, by variant of which a run learned.

    Args:
        measurements: Finished cells, scored on the same V validation and T test cases.
        num_train: Training cases at hand, N.
        num_validation: Validation cases to pay for.
        num_test: Test cases to pay for.
        prices: Of hours and cases.
        tolerance: DSC that does not matter, >= 0.
        target: DSC to reach; None: the best within the data less the tolerance.
        worth: Of 0.01 DSC, in the currency of the prices; None: no best buy.
        train_groups: Patient or sequence of each training case, shape (N,); None: each case is its own.
        validation_groups: Patient or sequence of each validation case, shape (V,); None: each case is its own.
        test_groups: The same of each test case, shape (T,).
        replicates: Of the bootstrap.
        seed: Of the bootstrap.
        planned: Configurations that were not measured; they are ranked by their forecast, but for those of a depth at
            which runs were measured and none learned: other depths' curves say nothing of it. Nor do other variants'.

    Raises:
        ValueError: If the tolerance, the worth or N is out of range, cells were scored on different cases or hold a
            DSC that is not finite, or groups do not fit the cases.
    """
    _check(num_train, tolerance, worth)
    check_measurements(measurements)
    configurations = configurations_of(measurements)
    learned = [configuration for configuration in configurations if configuration.flag is None]
    flagged = [configuration for configuration in configurations if configuration.flag is not None]
    hopeless = {recipe_of(configuration) for configuration in flagged} - {
        recipe_of(configuration) for configuration in learned
    }
    planned = [plan for plan in planned if recipe_of(plan) not in hopeless]
    curves: dict[str, CurvePair] = {}
    if learned:
        curves = fit_pairs(
            learned,
            planned,
            num_train=num_train,
            validation_groups=validation_groups,
            test_groups=test_groups,
            replicates=replicates,
            seed=seed,
        )
    costs: Costs = {"prices": prices, "held_out_cases": num_validation + num_test}
    rule = EnoughRule(tolerance, target, best_of="fitted")
    likely = Candidates.of(curves, learned, planned, rule=rule, costs=costs) if curves else Candidates.none()
    ranking = ranked([*flagged_rows(flagged, **costs), *likely.rows], rule)
    recommended, reason = _recommend(ranking, target)
    depths = _depth_answers(measurements, curves, num_train, tolerance)
    wanted = None
    if target is not None:
        read = [recipe_of(curve) for curve in depths if curve.on_test is not None]
        wanted = target_answer(_on_test(curves), read, ranking, target=target, num_train=num_train)
    sets = CaseSets(
        num_train,
        num_validation,
        num_test,
        _count(train_groups, num_train),
        _count(validation_groups, num_validation),
        _count(test_groups, num_test),
    )
    assumed = RunNoise(ASSUMED_RUN_SIGMA, "assumed", 0)
    told = curves.get(recommended.variant) if recommended else next(iter(curves.values()), None)
    answer = Answer(
        recommended=recommended,
        reason=reason,
        floor=float(rule.floor(likely.fitted.max())) if curves else target,
        target=target,
        tolerance=tolerance,
        num_train=num_train,
        num_validation=num_validation,
        num_test=num_test,
        num_validation_groups=sets.validation_groups,
        num_test_groups=sets.test_groups,
        depths=depths,
        ranking=ranking,
        plans=annotation_plans(recommended, depths, wanted, sets=sets, prices=prices),
        wanted=wanted,
        front=front_steps(likely.rows, likely.fitted, likely.drawn),
        best_buy=None if worth is None else best_buy(likely.rows, likely.fitted, likely.drawn, worth),
        backtests=backtests(learned, num_train=num_train, seed=seed),
        flagged=flagged_cells(measurements),
        validation_noise=told.validation.noise if told else assumed,
        test_noise=told.test.noise if told else assumed,
        replicates=replicates,
    )
    return answer, _on_test(curves)


def _of(rows: Sequence[Row], variant: str) -> tuple[Row, ...]:
    return tuple(row for row in rows if row.variant == variant)


def _on_test(curves: Mapping[str, CurvePair]) -> dict[str, DataCurves]:
    return {variant: pair.test for variant, pair in curves.items()}


def _check(num_train: int, tolerance: float, worth: float | None) -> None:
    if num_train < 1:
        raise ValueError(f"num_train must be at least 1, got {num_train}")
    if not 0 <= tolerance < math.inf:
        raise ValueError(f"tolerance must be a DSC of 0 or more, got {tolerance}")
    if worth is not None and not 0 < worth < math.inf:
        raise ValueError(f"worth must be an amount above 0, got {worth}")


def _count(groups: Integers | None, num_cases: int) -> int:
    return num_cases if groups is None else len(np.unique(groups))


def _recommend(
    ranking: Sequence[RankedConfiguration], target: float | None
) -> tuple[RankedConfiguration | None, str | None]:
    """The first measured row, unless it cannot reach a target; and why it is none, or not eligible."""
    first = next((row for row in ranking if row.seeds and row.p_floor is not None), None)
    if first is None:
        return None, NOTHING_LEARNED
    if first.eligible:
        return first, None
    nearest = f"{recipe_of(first)} with {first.num_cases} cases comes nearest (P = {first.p_floor:.2f})"
    if ranking[0].eligible:
        promising = f"{recipe_of(ranking[0])} with {ranking[0].num_cases} cases is forecast to be, but not yet measured"
        nearest = f"{nearest}; {promising}"
    if target is not None:
        return None, f"no configuration reaches the target DSC of {target} with P >= {LIKELY}; {nearest}"
    # Many configurations that lie close together can each be unlikely to be among the best.
    return first, f"no configuration is within the tolerance of the best with P >= {LIKELY}; {nearest}"


def _depth_answers(
    measurements: Sequence[Measurement], curves: Mapping[str, CurvePair], num_train: int, tolerance: float
) -> tuple[DepthAnswer, ...]:
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


def _plain(value: object, unsaid: frozenset[str]) -> object:
    if isinstance(value, Mapping):
        return {key: _plain(item, unsaid) for key, item in value.items() if key not in unsaid}
    if isinstance(value, (list, tuple)):
        return [_plain(item, unsaid) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value
