"""Tables of evaluations, read as recorded trainings."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest

from search.replay.recorded_surface import DEFAULT_CASES, recorded_runs
from storage.errors import InputError

PARAMETERS = {depth: 1000 * 4**depth for depth in range(2, 9)}
PLAIN = pd.DataFrame(
    [
        {"depth": depth, "ratio": ratio, "epoch": epoch, "val_dsc": epoch / 10, "test_dsc": epoch / 11, "seconds": 2.0}
        for depth in (3, 4)
        for ratio in (0.5, 1.0)
        for epoch in (1, 2, 3)
    ]
)


def changed(row: int = 1, **values: Any) -> pd.DataFrame:
    """The plain table with one row changed."""
    table = PLAIN.astype(object)
    for name, value in values.items():
        table.loc[row, name] = value
    return table


def test_the_plain_form_is_enough() -> None:
    """Depth, ratio, epoch, val_dsc, test_dsc and seconds make runs of seed 0, with cases of a made-up number."""
    runs = recorded_runs(PLAIN, "a.csv", PARAMETERS)
    assert [(r.plan.depth, r.plan.ratio, r.plan.num_cases, r.plan.seed) for r in runs] == [
        (depth, ratio, round(ratio * DEFAULT_CASES), 0) for depth in (3, 4) for ratio in (0.5, 1.0)
    ]
    assert [e.evaluation for e in runs[0].curve] == [1, 2, 3]
    assert [e.train_seconds + e.val_seconds for e in runs[0].curve] == [2.0, 2.0, 2.0]
    assert [e.step for e in runs[0].curve] == sorted({e.step for e in runs[0].curve})
    assert runs[0].test_curve == pytest.approx((1 / 11, 2 / 11, 3 / 11))
    assert runs[0].plan.parameters == PARAMETERS[3]


def test_the_order_of_rows_does_not_matter() -> None:
    """A table may be sorted by anything."""
    assert recorded_runs(PLAIN.sample(frac=1, random_state=0), "a.csv", PARAMETERS) == recorded_runs(
        PLAIN, "a.csv", PARAMETERS
    )


def test_without_test_scores_the_validation_score_stands_in() -> None:
    """A log that never saw test cases is scored by what it has; so is a row without one."""
    without = recorded_runs(PLAIN.drop(columns="test_dsc"), "a.csv", PARAMETERS)[0]
    assert without.test_curve == tuple(e.val_dsc for e in without.curve)
    assert recorded_runs(changed(test_dsc=math.nan), "a.csv", PARAMETERS)[0].test_curve[1] == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (PLAIN.drop(columns="val_dsc"), "a.csv lacks the column 'val_dsc'"),
        (PLAIN.drop(columns="epoch"), r"a.csv lacks the column 'evaluation \(or epoch\)'"),
        (PLAIN.iloc[:0], "a.csv has no rows"),
        (changed(val_dsc=math.nan), "val_dsc must be 0 to 1, got nan in row 2 of a.csv"),
        (changed(val_dsc=85.0), "val_dsc must be 0 to 1, got 85.0 in row 2 of a.csv"),
        (changed(val_dsc="good"), "val_dsc must be 0 to 1, got good in row 2 of a.csv"),
        (changed(ratio=0.0), "ratio must be more than 0 and at most 1, got 0.0 in row 2 of a.csv"),
        (changed(ratio=80), "ratio must be more than 0 and at most 1, got 80 in row 2 of a.csv"),
        (changed(seconds=-1), "seconds must be 0 or more, got -1 in row 2 of a.csv"),
        (changed(epoch=math.inf), "epoch must be 0 or more, got inf in row 2 of a.csv"),
        (changed(depth=9), r"depth must be 2\.\.8, got 9 in a.csv"),
        (changed(depth=3.5), r"depth must be 2\.\.8, got 3.5 in a.csv"),
        (changed(epoch=1), "a.csv has epoch 1 of one run twice"),
        (PLAIN.iloc[1:], "a.csv has runs of 2 and of 3 evaluations"),
    ],
)
def test_a_table_that_is_no_surface_is_refused(table: pd.DataFrame, message: str) -> None:
    """One message says which rule, which value and where."""
    with pytest.raises(InputError, match=message):
        recorded_runs(table, "a.csv", PARAMETERS)
