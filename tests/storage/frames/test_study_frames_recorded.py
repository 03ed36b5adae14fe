"""The recorded surfaces that replays will read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from storage.frames.study_frames import SURFACE_COLUMNS
from tests.helpers.paths import RECORDED

if TYPE_CHECKING:
    from pathlib import Path

SURFACES = sorted(RECORDED.glob("*.csv"))


@pytest.mark.parametrize("path", SURFACES, ids=lambda path: path.stem)
def test_a_recorded_surface_is_whole(path: Path) -> None:
    """It has the documented columns; every cell has each evaluation once, with scores in [0, 1] and seconds above 0."""
    surface = pd.read_csv(path)
    assert tuple(surface.columns) == SURFACE_COLUMNS
    cells = surface.groupby(["depth", "cases", "seed"])["evaluation"]
    assert all(list(numbers) == list(range(1, len(numbers) + 1)) for _, numbers in cells)
    assert len(set(cells.size())) == 1
    assert surface[["val_dsc", "test_dsc"]].apply(lambda column: column.between(0, 1).all()).all()
    assert (surface[["train_seconds", "val_seconds"]] > 0).all().all()


def test_the_first_real_surface_is_there() -> None:
    """Kvasir-SEG at 64x64: 4 ratios and 4 depths of 30 evaluations."""
    surface = pd.read_csv(SURFACES[[path.stem for path in SURFACES].index("kvasir64_4x4")])
    assert len(surface) == 4 * 4 * 30
    assert sorted(surface["cases"].unique()) == [70, 175, 350, 700]
