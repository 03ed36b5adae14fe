"""The training protocol's arithmetic."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from models.protocol import TrainingSpec, fits, smallest_side

evaluations = st.integers(2, 60)
num_cases = st.integers(1, 3000)


@given(evaluations=evaluations, surplus=st.integers(0, 5000), num_cases=num_cases)
def test_a_budget_of_steps_is_divided_wholly(evaluations: int, surplus: int, num_cases: int) -> None:
    """Periods are equal to within a step, each has one, the last ends with the budget; cases do not matter."""
    spec = TrainingSpec(unit="steps", budget=evaluations + surplus, evaluations=evaluations)
    assert spec.total_steps(num_cases) == evaluations + surplus
    check_periods(spec, num_cases)


@given(evaluations=evaluations, epochs=st.integers(1, 200), batch=st.integers(1, 64), num_cases=num_cases)
def test_a_budget_of_epochs_is_divided_wholly(evaluations: int, epochs: int, batch: int, num_cases: int) -> None:
    """The budget is the steps that pass over all cases so often, and at least one a period."""
    spec = TrainingSpec(unit="epochs", budget=epochs, evaluations=evaluations, batch=batch)
    total = spec.total_steps(num_cases)
    assert total * batch >= epochs * num_cases
    assert total == evaluations or (total - 1) * batch < epochs * num_cases
    check_periods(spec, num_cases)


def check_periods(spec: TrainingSpec, num_cases: int) -> None:
    """Periods follow each other from the first step to the last."""
    ends = [spec.last_step_of(evaluation, num_cases) for evaluation in range(spec.evaluations + 1)]
    lengths = [end - start for start, end in pairwise(ends)]
    assert ends[0] == 0
    assert ends[-1] == spec.total_steps(num_cases)
    assert min(lengths) >= 1
    assert max(lengths) - min(lengths) <= 1


@pytest.mark.parametrize(
    ("depth", "sides", "fit"),
    [
        (2, (4, 4), True),
        (3, (8, 8), True),
        (3, (12, 12), True),
        (3, (10, 10), False),
        (3, (4, 4), False),
        (6, (32, 32), False),
        (6, (64, 64), True),
        (8, (256, 256), True),
        (3, (32, 48, 32), True),
        (5, (32, 48, 32), True),
        (5, (32, 50, 32), False),
        (4, (16, 16, 8), True),
        (4, (8, 8, 8), False),
    ],
)
def test_depths_fit_sides(depth: int, sides: tuple[int, ...], *, fit: bool) -> None:
    """Every halving comes out even, and more than one pixel is left at the bottom."""
    assert fits(depth, sides) is fit


@given(st.integers(2, 8))
def test_the_smallest_side_is_the_smallest_that_fits(depth: int) -> None:
    """No smaller square fits."""
    assert [side for side in range(1, smallest_side(depth) + 1) if fits(depth, (side, side))] == [smallest_side(depth)]


def test_sides_are_those_that_the_network_sees() -> None:
    """Of the image in 2D, of the patch in 3D."""
    flat, solid = TrainingSpec(size=64), TrainingSpec(patch=(32, 48, 16))
    assert (flat.sides, flat.dimensions) == ((64, 64), 2)
    assert (solid.sides, solid.dimensions) == ((32, 48, 16), 3)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"budget": 10, "evaluations": 30}, "at least one step per evaluation .30., got 10"),
        ({"size": 4}, "greater than or equal to 8"),
        ({"evaluations": 1}, "greater than or equal to 2"),
        ({"learning_rate": 0}, "greater than 0"),
        ({"learning_rate": float("inf")}, "finite"),
        ({"threshold": 1.0}, "less than 1"),
        ({"loss": "dice"}, "'bce'"),
        ({"patch": [32, 32]}, "patch"),
        ({"patch": [32, 32, 2]}, "greater than or equal to 4"),
        ({"overlap": 1.0}, "less than or equal to 0.9"),
        ({"foreground_share": 1.1}, "less than or equal to 1"),
        ({"unit": "hours"}, "'steps' or 'epochs'"),
        ({"optimizer": "sgd"}, "not permitted"),
    ],
)
def test_a_protocol_that_cannot_be_is_refused(wrong: dict[str, object], message: str) -> None:
    """Each value has its range, and an unknown key is a typing error."""
    with pytest.raises(ValidationError, match=message):
        TrainingSpec.model_validate(wrong)
