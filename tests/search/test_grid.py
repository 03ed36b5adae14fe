"""The grid, laid out as cells."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from models.protocol import TrainingSpec
from search.grid import GridSpec, cell_key, lay_out
from storage.errors import InputError
from storage.variants import Recipe

PARAMETERS = {Recipe("", 2): 20, Recipe("", 3): 30, Recipe("", 4): 40, Recipe("", 5): 50}

ratios = st.lists(
    st.integers(1, 1_000_000).map(lambda millionths: millionths / 1_000_000), min_size=1, max_size=8, unique=True
)


def grid(**axes: Any) -> GridSpec:
    """A grid of two ratios and two depths, unless said otherwise."""
    return GridSpec.model_validate({"ratio": [0.1, 1.0], "depth": [3, 4]} | axes)


def test_cells_come_from_cheap_to_dear() -> None:
    """Few cases before many, shallow before deep, first seed before second; whatever the order in the spec."""
    plans = lay_out(grid(ratio=[1.0, 0.1], depth=[4, 3], seed=[1, 0]), 700, PARAMETERS)
    assert [(p.num_cases, p.depth, p.seed) for p in plans] == [
        (70, 3, 0), (70, 3, 1), (70, 4, 0), (70, 4, 1), (700, 3, 0), (700, 3, 1), (700, 4, 0), (700, 4, 1),
    ]  # fmt: skip
    assert {(p.depth, p.parameters) for p in plans} == {(3, 30), (4, 40)}
    assert plans[0].key == "ratio0.1-depth3-seed0"


def test_the_paper_has_200_cells() -> None:
    """50 ratios of 700 cases at four depths are 200 cells of 14 to 700 cases."""
    plans = lay_out(grid(ratio=[i / 50 for i in range(1, 51)], depth=[2, 3, 4, 5]), 700, PARAMETERS)
    assert len(plans) == len({p.key for p in plans}) == 200
    assert sorted({p.num_cases for p in plans}) == list(range(14, 701, 14))


@given(values=ratios, num_train=st.integers(1, 2000))
def test_keys_and_cases_are_unique_or_refused(values: list[float], num_train: int) -> None:
    """Two cells never share a key or, at one depth, a number of cases; a grid where they would is refused."""
    try:
        plans = lay_out(grid(ratio=values, depth=[3]), num_train, PARAMETERS)
    except InputError:
        return
    assert len({p.key for p in plans}) == len({p.num_cases for p in plans}) == len(values)
    assert all(1 <= p.num_cases <= num_train for p in plans)


@pytest.mark.parametrize(
    ("values", "num_train", "message"),
    [
        (
            [0.5, 0.51],
            10,
            r"ratios 0.5 and 0.51 of 10 training cases are both 5 cases; keep one of them \(\[grid\] ratio\)",
        ),
        ([0.01], 10, r"ratio 0.01 of 10 training cases is no case; raise it \(\[grid\] ratio\)"),
    ],
)
def test_ratios_that_cannot_be_told_apart_are_refused(values: list[float], num_train: int, message: str) -> None:
    """No two cells train the same thing, and none trains on nothing."""
    with pytest.raises(InputError, match=message):
        lay_out(grid(ratio=values), num_train, PARAMETERS)


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ({"ratio": [0.0]}, r"ratio must be in \(0, 1\], got 0"),
        ({"ratio": [-0.1]}, r"ratio must be in \(0, 1\], got -0.1"),
        ({"ratio": [1.01]}, r"ratio must be in \(0, 1\], got 1.01"),
        ({"ratio": [float("nan")]}, r"ratio must be in \(0, 1\], got nan"),
        ({"ratio": [0.1234567]}, r"at most 6 decimal places, got 0.1234567"),
        ({"ratio": [0.1, 0.5, 0.1]}, r"each value may stand once, got 0.1 twice"),
        ({"ratio": []}, "at least 1 item"),
        ({"depth": []}, "at least 1 item"),
        ({"depth": [1]}, r"depth must be 2\.\.8, got 1"),
        ({"depth": [9]}, r"depth must be 2\.\.8, got 9"),
        ({"depth": [3.5]}, "valid integer"),
        ({"depth": [3, 3]}, r"each value may stand once, got 3 twice"),
        ({"seed": [-1]}, "greater than or equal to 0"),
        ({"seed": [1, 1]}, r"each value may stand once, got 1 twice"),
    ],
)
def test_axes_that_cannot_be_are_refused(axes: dict[str, Any], message: str) -> None:
    """The rule and the value are told."""
    with pytest.raises(ValidationError, match=message):
        grid(**axes)


@pytest.mark.parametrize(
    ("ratio", "key"),
    [
        (0.1, "ratio0.1-depth4-seed0"),
        (1.0, "ratio1-depth4-seed0"),
        (0.000001, "ratio0.000001-depth4-seed0"),
        (0.30, "ratio0.3-depth4-seed0"),
    ],
)
def test_a_key_is_fit_for_a_path(ratio: float, key: str) -> None:
    """A ratio is written as a plain decimal, one way only."""
    assert cell_key(ratio, 4, 0) == key


def test_a_key_names_the_variant_between_depth_and_seed() -> None:
    """Each axis with its value, fit for a path; the protocol's own variant leaves a key as it was."""
    assert cell_key(0.5, 3, 1, "loss=dice_ce,optimiser=sgd") == "ratio0.5-depth3-loss.dice_ce-optimiser.sgd-seed1"
    assert cell_key(0.5, 3, 1, "") == "ratio0.5-depth3-seed1"


def test_variants_are_the_combinations_of_the_axes_that_are_given() -> None:
    """The protocol's own values are left out of a name, and so its own variant comes first."""
    training = TrainingSpec(loss="bce", optimiser="adamw")
    assert grid().variants(training) == [""]
    assert grid(loss=["dice_ce", "bce"]).variants(training) == ["", "loss=dice_ce"]
    axes = {"loss": ["bce", "dice_ce"], "optimiser": ["sgd", "adamw"]}
    assert grid(**axes).variants(training) == ["", "loss=dice_ce", "loss=dice_ce,optimiser=sgd", "optimiser=sgd"]


def test_an_axis_holds_the_value_of_the_protocol() -> None:
    """Else the cells that a study began with would drop out of it when it gains the axis."""
    told = r"grid.loss must hold .* training.loss = 'bce', got \['dice_ce'\]; add it, or set training.loss = 'dice_ce'"
    with pytest.raises(ValueError, match=told):
        grid(loss=["dice_ce"]).variants(TrainingSpec())


def test_each_variant_is_laid_out_over_the_whole_grid() -> None:
    """From cheap to dear as before, the variants of one depth beside each other; keys stay unique."""
    parameters = {Recipe(variant, depth): 10 * depth for variant in ("", "loss=dice_ce") for depth in (3, 4)}
    plans = lay_out(grid(seed=[0, 1]), 700, parameters)
    assert len({plan.key for plan in plans}) == len(plans) == 2 * 2 * 2 * 2
    assert [(p.num_cases, p.depth, p.seed, p.variant) for p in plans[:4]] == [
        (70, 3, 0, ""),
        (70, 3, 0, "loss=dice_ce"),
        (70, 3, 1, ""),
        (70, 3, 1, "loss=dice_ce"),
    ]
    own = [plan for plan in plans if plan.variant == ""]
    assert own == lay_out(grid(seed=[0, 1]), 700, {Recipe("", 3): 30, Recipe("", 4): 40})
