"""Seconds of a log: of single evaluations, or since the training began."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.replay.recorded_surface import recorded_runs
from storage.frames.elapsed_seconds import own_seconds
from storage.frames.published_table import read_published

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

SECONDS = st.lists(st.floats(0.5, 2.0), min_size=12, max_size=12)


def surface(seconds: list[float], *, clock: bool) -> pd.DataFrame:
    """Two trainings of six evaluations."""
    steps = np.array(seconds).reshape(2, 6)
    shown = steps.cumsum(axis=1) if clock else steps
    return pd.DataFrame(
        {"depth": depth, "ratio": 1.0, "epoch": epoch, "val_dsc": 0.5, "dsc": 0.5, "seconds": shown[depth - 3, epoch]}
        for depth in (3, 4)
        for epoch in range(6)
    )


@given(SECONDS, st.randoms())
def test_a_clock_is_told_from_times(seconds: list[float], order: Random) -> None:
    """Sums are taken apart whatever the order of rows; what was measured of single evaluations stays as it is."""
    rows = list(range(12))
    order.shuffle(rows)
    seconds[5] = seconds[0]  # no six times in a row rise by chance
    own = surface(seconds, clock=False).iloc[rows]
    assert own_seconds(own, ("depth",), "epoch", "a.csv").tolist() == own["seconds"].tolist()
    steps = own_seconds(surface(seconds, clock=True).iloc[rows], ("depth",), "epoch", "a.csv")
    assert steps.to_numpy() == pytest.approx(own["seconds"].to_numpy())


def test_times_that_grow_a_little_are_no_clock() -> None:
    """A machine that slows down by a half does not make one, nor do two evaluations."""
    slower = surface([1.0, 1.1, 1.2, 1.3, 1.4, 1.5] * 2, clock=False)
    assert own_seconds(slower, ("depth",), "epoch", "a.csv").equals(slower["seconds"])
    short = slower[slower["epoch"] < 2].assign(seconds=[1.0, 2.0] * 2)
    assert own_seconds(short, ("depth",), "epoch", "a.csv").equals(short["seconds"])


def test_a_replay_and_an_import_take_clocks_apart(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A training costs what its last second says, and a warning tells why."""
    table = surface([2.0] * 12, clock=True)
    replayed = recorded_runs(table, "a.csv", {3: 1000, 4: 4000})
    assert [sum(point.train_seconds for point in run.curve) for run in replayed] == [12.0, 12.0]
    table.drop(columns="val_dsc").to_csv(tmp_path / "b.csv", index=False)
    imported = read_published(tmp_path / "b.csv", 100)
    assert [[point.train_seconds for point in run.curve] for run in imported.runs] == [[2.0] * 6] * 2
    assert [record.message.split(":")[0] for record in caplog.records] == ["a.csv", "b.csv"]
