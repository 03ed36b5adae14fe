"""How variants of the protocol are named, and kept."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

import optuna
import pandas as pd
import pytest

from storage.frames.study_frames import SURFACE_COLUMNS, cells_frame, surface
from storage.ledger.ledger import Ledger
from storage.records import CellPlan, Evaluation
from storage.variants import Recipe, axis_values, is_variant, variant_of, variants_in
from tests.helpers.ledgers import NO_PARTS, WORKER, claim_cell

if TYPE_CHECKING:
    from collections.abc import Sequence

OWN = CellPlan("ratio0.5-depth3-seed0", 0.5, 3, 0, 5, 1000)
OTHER = replace(OWN, key="ratio0.5-depth3-loss.dice_ce-seed0", variant="loss=dice_ce")


def test_axes_stand_in_the_order_of_the_alphabet() -> None:
    """So that a variant has one name; it is read back as it was."""
    values = {"optimiser": "sgd", "loss": "dice_ce"}
    assert variant_of(values) == "loss=dice_ce,optimiser=sgd"
    assert axis_values("loss=dice_ce,optimiser=sgd") == values
    assert (variant_of({}), axis_values("")) == ("", {})


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("", True),
        ("loss=dice_ce", True),
        ("loss=dice_ce,optimiser=sgd", True),
        ("optimiser=sgd,loss=dice_ce", False),
        ("loss=bce,loss=dice_ce", False),
        ("loss", False),
        ("loss=../x", False),
        ("loss=bce,", False),
    ],
)
def test_a_name_has_one_form(text: str, *, right: bool) -> None:
    """Anything else, such as what would leave its folder, is none."""
    assert is_variant(text) is right


def test_a_recipe_is_told_without_the_protocol_s_own_variant() -> None:
    """So texts of a study without axes stay as they were."""
    assert str(Recipe("", 3)) == f"{Recipe('', 3)}" == "depth 3"
    assert str(Recipe("loss=dice_ce", 3)) == "depth 3 (loss=dice_ce)"
    assert variants_in([OTHER, OWN, OTHER]) == ["", "loss=dice_ce"]


def laid_out(url: str, plans: Sequence[CellPlan]) -> tuple[Ledger, int]:
    """A ledger with a study of these cells, each with one evaluation."""
    ledger = Ledger.open(url, create=True)
    study = ledger.create_study(
        "s", **NO_PARTS | {"split": {"train": ["a"], "validation": [], "test": []}, "groups": {"a": 0}}
    )
    ledger.layout(study.study_id, plans)
    for plan in plans:
        claim = claim_cell(ledger, study, plan.key)
        ledger.record(claim, [Evaluation(1, 1.0, 9, 0.5, 1.0, 0.1)], checkpoint="x", worker=WORKER)
    return ledger, study.study_id


def test_a_column_is_there_only_where_there_is_more_than_one(storage_url: str) -> None:
    """Cells and surfaces of a study without axes keep their columns."""
    ledger, number = laid_out(storage_url, [OWN])
    with ledger:
        assert tuple(surface(ledger, number).columns) == SURFACE_COLUMNS
        assert "variant" not in cells_frame(ledger, number)


def test_a_surface_tells_variants_apart(storage_url: str) -> None:
    """Written as CSV and read again, its first column does."""
    ledger, number = laid_out(storage_url, [OWN, OTHER])
    with ledger:
        text = surface(ledger, number).to_csv(index=False)
        assert [cell.plan for cell in ledger.cells(number)] == [OWN, OTHER]
    read = pd.read_csv(io.StringIO(text))
    assert tuple(read.columns) == ("variant", *SURFACE_COLUMNS)
    assert read["variant"].fillna("").tolist() == ["", "loss=dice_ce"]


def test_optuna_has_an_attribute_an_axis(storage_url: str) -> None:
    """By the axis' own name; string axes are no params, whose choices could not grow."""
    ledger, _ = laid_out(storage_url, [OWN, OTHER])
    ledger.close()
    trials = optuna.load_study(study_name="s", storage=storage_url).trials
    assert [trial.user_attrs.get("loss") for trial in trials] == [None, "dice_ce"]
    assert [set(trial.params) for trial in trials] == [{"ratio", "depth"}] * 2
