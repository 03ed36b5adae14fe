"""What a study will take, from the seconds of a few steps."""

from __future__ import annotations

from functools import partial

import pytest

from models.protocol import TrainingSpec
from search.prices import PriceSpec
from storage.records import CellPlan
from storage.variants import Recipe
from studies.estimate.study_time import Range, cell_seconds, price_of, range_of, study_seconds
from studies.estimate.throughput import Speed

STEPS = TrainingSpec(unit="steps", budget=100, evaluations=10, batch=4)
HELD_OUT = {"num_validation": 5, "num_test": 15}


def plan(depth: int = 3, num_cases: int = 20) -> CellPlan:
    """A cell."""
    return CellPlan(f"ratio{num_cases}-depth{depth}", 1.0, depth, 0, num_cases, 1000)


def speed(*step_seconds: float, depth: int = 3, trials: int = 1) -> Speed:
    """Of steps; a validated case takes 10 ms."""
    return Speed(Recipe("", depth), 4, trials, step_seconds, (0.01,))


def test_a_cell_is_its_steps_its_validations_and_its_test() -> None:
    """100 steps of 0.5 s; 10 validations of 5 cases; the test phase scores those and 15 test cases."""
    seconds = cell_seconds(plan(), speed(0.5), STEPS, **HELD_OUT)
    assert seconds == Range(*[pytest.approx(100 * 0.5 + (10 * 5 + 5 + 15) * 0.01)] * 3)


def test_epochs_follow_the_cases() -> None:
    """A budget in epochs takes as many steps as there are batches in it."""
    epochs = TrainingSpec(unit="epochs", budget=8, evaluations=4, batch=4)
    few, many = (cell_seconds(plan(num_cases=n), speed(1.0), epochs, **HELD_OUT).mean for n in (20, 40))
    assert many - few == pytest.approx(8 * 20 / 4)


def test_a_range_holds_what_was_measured() -> None:
    """From the 5th to the 95th percentile, all steps at one end."""
    middle = range_of([1.0] * 10 + [2.0] * 9 + [30.0])
    assert (middle.low, middle.mean) == (1.0, pytest.approx(2.9))
    assert 2.0 <= middle.high < 30.0
    slow = cell_seconds(plan(), speed(*[1.0] * 10, *[2.0] * 10), STEPS, **HELD_OUT)
    assert (slow.low, slow.high) == (pytest.approx(100.7), pytest.approx(200.7))


def test_slots_share_the_cells() -> None:
    """Device seconds are those of all cells; the wall shows a slot's share, and never less than the longest cell."""
    plans = [plan(2), plan(2), plan(3), plan(3)]
    speeds = {Recipe("", 2): speed(0.1, depth=2), Recipe("", 3): speed(1.0)}
    seconds = partial(cell_seconds, training=STEPS, **HELD_OUT)
    total, wall = study_seconds(plans, speeds, seconds, slots=2)
    assert total.mean == pytest.approx(2 * 10 + 2 * 100 + 4 * 0.7)
    assert wall.mean == pytest.approx(total.mean / 2)
    _, crowded = study_seconds(plans, speeds, seconds, slots=8)
    assert crowded.mean == pytest.approx(100.7)


def test_the_price_is_that_of_the_device() -> None:
    """GPU hours and CPU hours have prices of their own."""
    hours = Range(3600, 7200, 10_800)
    prices = PriceSpec(gpu_hour=2, cpu_hour=0.1)
    assert price_of(hours, prices, "gpu") == Range(2, 4, 6)
    assert price_of(hours, prices, "cpu").mean == pytest.approx(0.2)


def test_all_trials_train_together() -> None:
    """Cases a second are those of all trials at once."""
    assert speed(0.5, trials=4).cases_per_second == pytest.approx(4 * 4 / 0.5)
