"""What a training will take, predicted from those that ran."""

from __future__ import annotations

import pytest

from search.training_time import PER_DEPTH, CostModel, cost_model
from storage.records import CellPlan, Evaluation


def plan(num_cases: int, depth: int = 3) -> CellPlan:
    """A cell."""
    return CellPlan(f"{num_cases}-{depth}", num_cases / 100, depth, 0, num_cases, 1000)


def curve(step_seconds: float, val_seconds: float = 2.0) -> list[Evaluation]:
    """Three evaluations of ten steps each, the first of them slow."""
    slow = [5.0, 1.0, 1.0]
    return [
        Evaluation(i, i / 1, 10 * i, 0.5, 10 * step_seconds * slow[i - 1], val_seconds * slow[i - 1]) for i in (1, 2, 3)
    ]


def fitted(*trainings: tuple[CellPlan, list[Evaluation]], share: float = 1.0) -> CostModel:
    """A model of full budgets of 30 evaluations and as many steps as there are cases."""
    return cost_model(trainings, device_share=share, evaluations=30, total_steps=lambda cases: cases)


def test_seconds_are_those_of_steps_and_validations() -> None:
    """200 steps of 0.1 s, and 30 validations of 2 s; one slow evaluation is an outlier."""
    assert fitted((plan(50), curve(0.1))).seconds(plan(200)) == pytest.approx(200 * 0.1 + 30 * 2)


def test_device_seconds_are_shares_of_wall_seconds() -> None:
    """A quarter of a GPU costs a quarter of its seconds."""
    whole, quarter = (fitted((plan(50), curve(0.1)), share=share).seconds(plan(200)) for share in (1.0, 0.25))
    assert quarter == pytest.approx(whole / 4)


def test_a_depth_that_was_not_run_follows_from_the_nearest() -> None:
    """Two levels deeper than the deepest that ran: 1.3 times as long for each."""
    known = fitted((plan(50, 3), curve(0.1)), (plan(50, 5), curve(0.4)))
    at = {depth: known.seconds(plan(100, depth)) for depth in (2, 3, 5, 7)}
    assert at[2] == pytest.approx(at[3] / PER_DEPTH)
    assert at[7] == pytest.approx(at[5] * PER_DEPTH**2)


def test_before_anything_ran_deeper_and_more_is_dearer() -> None:
    """Without any evaluation the seconds are relative, and still order the cells."""
    known = fitted((plan(50), []))
    assert known.seconds(plan(50, 2)) < known.seconds(plan(50, 3)) < known.seconds(plan(100, 3))
