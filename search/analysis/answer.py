"""The answer to a study: how many cases and which depth are enough, and what that costs.

Validation cases decide: floor, eligibility, order and recommendation. Test cases only estimate, and draw their
replicates from a generator of their own, so that no decision can depend on them.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Required, TypedDict, TypeVar, Unpack

import numpy as np

from search.analysis.annotation import AnnotationPlan, CaseSets, annotation_plans
from search.analysis.best_buy import BestBuy, best_buy
from search.analysis.candidates import Candidates, fit_pairs
from search.analysis.depth_answers import depth_answers
from search.analysis.front import FrontStep, front_steps
from search.analysis.good_enough import EnoughRule
from search.analysis.near_ties import near_ties
from search.analysis.precision import CasePrecision, case_precision
from search.analysis.ranking import RankedConfiguration, flagged_rows, ranked
from search.analysis.recommendation import recommendation
from search.analysis.target import Reading, TargetAnswer, target_answer
from search.curves.backtest import Backtest, backtests
from search.curves.curve_answer import DepthAnswer
from search.curves.flagged_runs import FlaggedCell, flagged_cells
from search.curves.measurements import check_measurements, configurations_of
from storage.variants import ConfigurationKey, configuration_of, recipe_of, variants_in

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from search.analysis.candidates import Costs, CurvePair
    from search.curves.data_curves import DataCurves, RunNoise
    from search.curves.measurements import Measurement, Planned
    from search.prices import PriceSpec

    Integers = NDArray[np.int64]

Row = TypeVar("Row", DepthAnswer, RankedConfiguration, FrontStep, Backtest, FlaggedCell)


@dataclass(frozen=True)
class Answer:
    """What a study's finished cells say.

    Attributes:
        recommended: Among the eligible that were measured the cheapest DSC, for a target the lowest price; without a
            target and without an eligible one, the likeliest; None where nothing learned, or nothing is sure of the
            target. A configuration that is only forecast is never recommended.
        reason: Why nothing, or nothing eligible, is recommended; None where there is no need for one.
        near_ties: Configurations at about its price that the study cannot tell apart from it.
        precision: What the test cases leave open of it; None without one, and of scores that are of no known cases.
        floor: DSC to reach: the target, else the best fitted validation DSC less the tolerance; None without both.
        target: The DSC asked for; None where only the data set the floor.
        assurance: Probability of reaching the floor from which on a configuration is eligible.
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
        validation_noise: Of single runs, on validation cases, under the recommended variant, else the first; None
            where nothing learned.
        test_noise: The same on test cases.
        replicates: Joint draws of curves, noise and cases.
    """

    recommended: RankedConfiguration | None
    reason: str | None
    near_ties: tuple[RankedConfiguration, ...]
    precision: CasePrecision | None
    floor: float | None
    target: float | None
    assurance: float
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
    validation_noise: RunNoise | None
    test_noise: RunNoise | None
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
            near_ties=_of(self.near_ties, variant),
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
    assurance: float | None
    worth: float | None
    test_half_width: float | None
    new_test_cases: int | None
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
    assurance: float | None = None,
    worth: float | None = None,
    test_half_width: float | None = None,
    new_test_cases: int | None = None,
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
        assurance: Probability of reaching the floor from which on a configuration is eligible; None: 0.9 of a target,
            else 0.5.
        worth: Of 0.01 DSC, in the currency of the prices; None: no best buy.
        test_half_width: Wanted half-width of the 90 % interval of its DSC; None: half of what it is.
        new_test_cases: Other test cases that a new run may be scored on; None: not asked.
        train_groups: Patient or sequence of each training case, shape (N,); None: each case is its own.
        validation_groups: Patient or sequence of each validation case, shape (V,); None: each case is its own.
        test_groups: The same of each test case, shape (T,).
        replicates: Joint draws of curves, noise and cases.
        seed: Of the draws.
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
    rule = EnoughRule(tolerance, target, assurance)
    likely = Candidates.of(curves, learned, planned, rule=rule, costs=costs) if curves else Candidates.none()
    ranking = ranked([*flagged_rows(flagged, **costs), *likely.rows], rule)
    recommended, reason = recommendation(ranking, rule)
    depths = depth_answers(measurements, curves, num_train, tolerance)
    wanted = None
    if target is not None:
        reading = Reading(
            validation={variant: pair.validation for variant, pair in curves.items()},
            test=_on_test(curves),
            recipes=[recipe_of(curve) for curve in depths if curve.on_test is not None],
            rule=rule,
            num_train=num_train,
            held_out=num_validation + num_test,
            prices=prices,
        )
        wanted = target_answer(reading, ranking, recommended)
    sets = CaseSets(
        num_train,
        num_validation,
        num_test,
        _count(train_groups, num_train),
        _count(validation_groups, num_validation),
        _count(test_groups, num_test),
    )
    precision, ties = None, set[ConfigurationKey]()
    if recommended is not None:
        ties = near_ties(recommended, likely.rows, likely.drawn)
        precision = case_precision(
            curves[recommended.variant].test,
            recommended.depth,
            recommended.num_cases,
            test_groups,
            half_width=test_half_width,
            new_cases=new_test_cases,
            seed=seed,
        )
    told = curves.get(recommended.variant) if recommended else next(iter(curves.values()), None)
    answer = Answer(
        recommended=recommended,
        reason=reason,
        near_ties=tuple(row for row in ranking if configuration_of(row) in ties),
        precision=precision,
        floor=float(rule.floor(likely.fitted.max())) if curves else target,
        target=target,
        assurance=rule.least_chance,
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
        validation_noise=told.validation.noise if told else None,
        test_noise=told.test.noise if told else None,
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


def _plain(value: object, unsaid: frozenset[str]) -> object:
    if isinstance(value, Mapping):
        return {key: _plain(item, unsaid) for key, item in value.items() if key not in unsaid}
    if isinstance(value, (list, tuple)):
        return [_plain(item, unsaid) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value
