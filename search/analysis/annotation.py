"""What is to be annotated: training, validation and test cases together, and patients where cases come in groups."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from search.prices import case_price, missing_cases
from storage.variants import OWN, recipe_of

if TYPE_CHECKING:
    from search.analysis.ranking import RankedConfiguration
    from search.analysis.target import TargetAnswer
    from search.curves.curve_answer import CaseCount, DepthAnswer
    from search.curves.intervals import Interval
    from search.prices import PriceSpec
    from storage.variants import Recipe

SINGLE = 0.95  # groups a case from which on they are no patients
Goal = Literal["recommended", "within the tolerance of all cases", "plateau", "target, expected", "target, assured"]


@dataclass(frozen=True)
class CaseSets:
    """Cases and groups (patients, videos) of the split; a part without known groups counts each case as its own.

    Attributes:
        training: Training cases at hand, N.
        validation: Validation cases.
        test: Test cases.
        training_groups: Groups that the training cases come from.
        validation_groups: The same of the validation cases.
        test_groups: The same of the test cases.
    """

    training: int
    validation: int
    test: int
    training_groups: int
    validation_groups: int
    test_groups: int

    @property
    def has_groups(self) -> bool:
        """Whether groups hold several cases, more than the odd pair of pictures that look alike."""
        return self.training_groups + self.validation_groups + self.test_groups < SINGLE * self.cases

    @property
    def cases(self) -> int:
        """All that the study has."""
        return self.training + self.validation + self.test


@dataclass(frozen=True)
class AnnotationPlan:
    """Cases to annotate for one goal.

    Attributes:
        goal: What they are for.
        depth: Of the U-Net.
        training: Training cases.
        training_interval: Of the number read off a curve; None for a configuration as it was measured.
        capped: Whether that interval ends at twice the cases at hand because nothing is extrapolated beyond.
        validation: Validation cases, as in this study.
        test: Test cases, as in this study.
        total: All three.
        missing: Those beyond the cases that are owned.
        price: Of the missing ones.
        patients: Groups that the total comes from, at as many cases a group as in this study; None without groups.
        extrapolated: Whether it takes more training cases than are at hand.
        variant: Of the protocol; empty is its own.
    """

    goal: Goal
    depth: int
    training: int
    training_interval: Interval | None
    capped: bool
    validation: int
    test: int
    total: int
    missing: int
    price: float
    patients: int | None
    extrapolated: bool
    variant: str = OWN


def annotation_plans(
    recommended: RankedConfiguration | None,
    depths: tuple[DepthAnswer, ...],
    target: TargetAnswer | None,
    *,
    sets: CaseSets,
    prices: PriceSpec,
) -> tuple[AnnotationPlan, ...]:
    """A plan for each goal that has a number of cases: at the recommended recipe, and for a target at the chosen one.

    A plateau has one where it is reached.
    """
    plans: list[AnnotationPlan | None] = []
    if recommended is not None:
        recipe = recipe_of(recommended)
        plans.append(_plan("recommended", recipe, recommended.num_cases, sets=sets, prices=prices))
        curve = next((depth.on_test for depth in depths if recipe_of(depth) == recipe), None)
        if curve is not None:
            plans.append(_counted("within the tolerance of all cases", recipe, curve.sufficient, sets, prices))
        if curve is not None and curve.reached:
            plans.append(_counted("plateau", recipe, curve.plateau, sets, prices))
    if target is not None and target.chosen is not None:
        chosen = target.chosen
        plans.append(_counted("target, expected", recipe_of(chosen), chosen.cases, sets, prices))
        if chosen.assured is not None:
            plans.append(_plan("target, assured", recipe_of(chosen), chosen.assured, sets=sets, prices=prices))
    return tuple(plan for plan in plans if plan is not None)


def _counted(goal: Goal, recipe: Recipe, count: CaseCount, sets: CaseSets, prices: PriceSpec) -> AnnotationPlan | None:
    return None if count.cases is None else _plan(goal, recipe, count.cases, count, sets=sets, prices=prices)


def _plan(
    goal: Goal, recipe: Recipe, training: int, count: CaseCount | None = None, *, sets: CaseSets, prices: PriceSpec
) -> AnnotationPlan:
    total = training + sets.validation + sets.test
    missing = missing_cases(prices, total, sets.cases)
    return AnnotationPlan(
        goal=goal,
        depth=recipe.depth,
        training=training,
        training_interval=None if count is None else count.interval,
        capped=count is not None and count.capped,
        validation=sets.validation,
        test=sets.test,
        total=total,
        missing=missing,
        price=case_price(prices, missing),
        patients=_patients(training, sets) if sets.has_groups else None,
        extrapolated=training > sets.training,
        variant=recipe.variant,
    )


def _patients(training: int, sets: CaseSets) -> int:
    of_training = math.ceil(training * sets.training_groups / sets.training)
    return of_training + sets.validation_groups + sets.test_groups
