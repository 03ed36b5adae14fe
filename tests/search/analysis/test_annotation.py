"""What is to be annotated."""

from __future__ import annotations

import pytest

from search.analysis.annotation import CaseSets, annotation_plans
from search.curves.curve_answer import CaseCount, CurveAnswer, DepthAnswer
from search.curves.intervals import Estimate, Interval
from search.prices import PriceSpec
from storage.variants import Recipe
from tests.helpers.answers import data_curves, row, wanted

SETS = CaseSets(training=100, validation=20, test=30, training_groups=100, validation_groups=20, test_groups=30)
GROUPED = CaseSets(training=100, validation=20, test=30, training_groups=40, validation_groups=8, test_groups=12)
NOWHERE = Interval(0.0, 0.0)


def depth_answer(sufficient: int, plateau: int | None, *, reached: bool = True) -> DepthAnswer:
    """A depth that needs so many cases."""

    def count(cases: int | None) -> CaseCount:
        return CaseCount(cases, None if cases is None else cases / 100, Interval(10, 200), capped=cases is None)

    curve = CurveAnswer(
        sufficient=count(sufficient),
        plateau=count(plateau),
        reached=reached,
        p_rising=0.0,
        verdict="flat" if reached else "cannot tell",
        doubling_gain=0.0,
        doubling_gain_interval=NOWHERE,
        gain_per_100_cases=0.0,
        gain_per_100_cases_interval=NOWHERE,
        dsc=Estimate(0.8, None, None),
    )
    return DepthAnswer(3, 10, 0, 4, curve, curve, None)


@pytest.mark.parametrize(
    ("sets", "owned", "total", "missing", "patients"),
    [
        (SETS, 0, 100, 0, None),  # nothing said: the 150 of the study are there
        (SETS, 60, 100, 40, None),  # 100 needed, 60 there
        (SETS, 500, 100, 0, None),
        (GROUPED, 0, 100, 0, 20 + 8 + 12),  # 50 training cases at 2.5 a patient, and those of the other parts
    ],
)
def test_a_plan_counts_every_part(sets: CaseSets, owned: int, total: int, missing: int, patients: int | None) -> None:
    """50 training, 20 validation and 30 test cases; what is owned is not missing; patients where cases have groups."""
    (plan,) = annotation_plans(row(50, 1.0), (), None, sets=sets, prices=PriceSpec(case=7, owned_cases=owned))
    assert (plan.goal, plan.training, plan.total, plan.missing, plan.patients) == (
        "recommended",
        50,
        total,
        missing,
        patients,
    )
    assert plan.price == 7 * missing
    assert not plan.extrapolated


def test_every_goal_with_a_number_has_a_plan() -> None:
    """Recommended, enough, plateau and target; a part of a group of patients counts as a whole one."""
    goal = wanted(0.651, data_curves({4: lambda n: 0.5 + 0.001 * n}), recipes=[Recipe("", 4)])
    plans = annotation_plans(row(50, 1.0), (depth_answer(61, 90),), goal, sets=GROUPED, prices=PriceSpec())
    assert [(plan.goal, plan.depth, plan.training) for plan in plans[:3]] == [
        ("recommended", 3, 50),
        ("within the tolerance of all cases", 3, 61),
        ("plateau", 3, 90),
    ]
    assert plans[1].patients == 25 + 8 + 12  # 61 x 40 / 100 = 24.4
    assert [(plan.goal, plan.depth, plan.extrapolated) for plan in plans[3:]] == [
        ("target, expected", 4, True),
        ("target, assured", 4, True),
    ]
    assert plans[3].training == plans[4].training == pytest.approx(151, abs=2)
    assert plans[3].missing == plans[3].training - SETS.training
    assert plans[3].price == pytest.approx(5 * plans[3].missing)


def test_what_has_no_number_has_no_plan() -> None:
    """A plateau that is not reached, a target out of reach, nothing recommended: nothing is planned for them."""
    goal = wanted(0.9, data_curves({4: lambda n: 0.5 + 0 * n}), recipes=[Recipe("", 4)])
    plans = annotation_plans(row(50, 1.0), (depth_answer(61, None),), goal, sets=SETS, prices=PriceSpec())
    assert [plan.goal for plan in plans] == ["recommended", "within the tolerance of all cases"]
    unsure = annotation_plans(row(50, 1.0), (depth_answer(61, 90, reached=False),), None, sets=SETS, prices=PriceSpec())
    assert [plan.goal for plan in unsure] == ["recommended", "within the tolerance of all cases"]
    assert annotation_plans(None, (), goal, sets=SETS, prices=PriceSpec()) == ()
