"""Strategies of the savings benchmark play by its rules, and its surfaces are what they say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from ray.tune.schedulers import FIFOScheduler

from tests.benchmarks.savings.answers import answered, ended_runs, measurement
from tests.benchmarks.savings.drawn_surfaces import draw_surfaces
from tests.benchmarks.savings.kinds import Kind
from tests.benchmarks.savings.optuna_rivals import hyperband_pruner, median_pruner
from tests.benchmarks.savings.ray_rivals import RecordedTune, asha
from tests.benchmarks.savings.real_surfaces import calm, recorded_surfaces, recorded_truth
from tests.benchmarks.savings.rivals import fully, ladder, tpe
from tests.benchmarks.savings.savings import strategies
from tests.benchmarks.savings.surface import drawn

SURFACE = drawn(draw_surfaces(6, "epochs", seed=7)[1])
KIND = Kind("one", [SURFACE], 1, 0.2)


@pytest.mark.parametrize("name", strategies(KIND))
def test_a_strategy_is_repeatable_and_reads_no_test_dsc(name: str) -> None:
    """The same order gives the same spending and recommendation, whatever the test scores; the grid costs most."""
    noise = np.random.default_rng(0).uniform(0, 1, SURFACE.test.shape)
    seen, blind = (strategies(KIND)[name](surface, 3) for surface in (SURFACE, replace(SURFACE, test=noise)))
    assert (seen.seconds, seen.recommended) == (blind.seconds, blind.recommended)
    assert 0 < seen.seconds <= SURFACE.grid_seconds * (1 + 1e-12)


def test_orders_differ() -> None:
    """The seed of the order matters to those that prune, and costs the grid nothing."""
    assert len({asha(SURFACE, order).seconds for order in range(4)}) > 1
    assert len({median_pruner(SURFACE, order).seconds for order in range(4)}) > 1
    assert len({hyperband_pruner(SURFACE, order).seconds for order in range(4)}) > 1
    fifo = RecordedTune(SURFACE, np.arange(SURFACE.num_cells), FIFOScheduler())
    fifo.run()
    assert (fifo.trained == SURFACE.evaluations).all()


def test_a_cell_is_measured_at_its_best_validation_evaluation() -> None:
    """Of a curve that was stopped, only what had been seen counts; its seconds are those of the planned budget."""
    cell, trained = 7, 12
    best = int(SURFACE.validation[cell, :trained].argmax())
    made = measurement(SURFACE, cell, trained)
    assert (made.dsc("validation"), made.dsc("test")) == (SURFACE.validation[cell, best], SURFACE.test[cell, best])
    assert made.seconds_estimated
    assert made.budget_seconds == pytest.approx(SURFACE.seconds[cell, :trained].mean() * 30)


def test_a_collapsed_cell_is_flagged() -> None:
    """The surface's collapsed run stays out of fits, as in a study."""
    flags = [measurement(SURFACE, cell, SURFACE.evaluations).flag for cell in range(SURFACE.num_cells)]
    assert flags.count("collapsed") == 1


def test_where_nothing_came_to_its_end_the_best_seen_is_recommended() -> None:
    """A pruned cell does not enter the answer, but it may be all there is."""
    trained = np.zeros(SURFACE.num_cells, dtype=int)
    trained[[2, 5]] = 10
    outcome = answered(SURFACE, ended_runs(SURFACE, trained))
    best = max((2, 5), key=lambda cell: SURFACE.validation[cell, :10].max())
    assert outcome.recommended == best
    assert outcome.sufficient_cases is None
    assert outcome.seconds == pytest.approx(SURFACE.seconds[[2, 5], :10].sum())


def test_tpe_keeps_within_its_share() -> None:
    """It stops before it spends more than it may."""
    outcome = tpe(lambda *_: 0.3)(SURFACE, 1)
    assert 0.1 < outcome.seconds / SURFACE.grid_seconds <= 0.3


def test_ladder_pays_for_what_it_recommends() -> None:
    """A recommended cell between its rungs is trained, and no cell that was trained is filled."""
    rungs = (0.25, 1.0)
    outcome = ladder(rungs)(SURFACE, 0)
    cells = {SURFACE.nearest(depth, rung) for depth in (3, 4, 5, 6) for rung in rungs} | {outcome.recommended}
    assert outcome.seconds == pytest.approx(SURFACE.seconds[sorted(cells)].sum())
    assert not cells & {each.cell for each in outcome.filled}
    assert len(outcome.filled) == SURFACE.num_cells - len(cells)


def test_trained_cells_and_no_others() -> None:
    """Cells are trained to the end, or not at all."""
    assert fully(SURFACE, [1]).tolist() == [0, 30] + [0] * (SURFACE.num_cells - 2)


def test_recorded_surfaces_are_whole() -> None:
    """Every recorded study in tests/data/ is a grid with a truth, and one surface per seed."""
    recorded = recorded_surfaces()
    assert "kvasir64_4x4" in recorded
    for surface in (each for surfaces in recorded.values() for each in surfaces):
        assert surface.num_cells == len(np.unique(surface.depth)) * len(np.unique(surface.ratio))
        assert np.isfinite(surface.truth).all()


def test_truth_of_repeats_is_their_mean() -> None:
    """With several seeds a cell, the truth is the mean test DSC at the best validation evaluation."""
    rows = [
        {"depth": 3, "ratio": 1.0, "cases": 10, "seed": seed, "val_dsc": val, "test_dsc": test}
        for seed, val, test in ((0, 0.5, 0.9), (0, 0.6, 0.4), (1, 0.7, 0.6), (1, 0.5, 0.9))
    ]
    assert recorded_truth(pd.DataFrame(rows)).tolist() == pytest.approx([0.5])


def test_truth_of_runs_that_learned() -> None:
    """A second truth of a study with repeats leaves out those that were flagged: it is higher where one collapsed."""
    recorded = recorded_surfaces()
    every, learned = (recorded["kvasir64_10x4" + part][0] for part in ("", ", runs that learned"))
    collapsing = every.depth == 3
    assert (learned.truth[collapsing] - every.truth[collapsing]).max() > 0.05
    assert (learned.truth[~collapsing] == every.truth[~collapsing]).all()
    assert np.array_equal(learned.validation, every.validation)


def test_truth_of_single_runs_is_smoothed() -> None:
    """With one seed, a law per depth smooths: truth never falls with cases, and stays near what was measured."""
    (surface,) = recorded_surfaces()["kvasir64_4x4"]
    best = np.array([surface.test[c, surface.best_evaluation(c, 30)] for c in range(surface.num_cells)])
    assert np.abs(surface.truth - best).max() < 0.03
    assert (np.diff(surface.truth.reshape(4, 4), axis=1) >= 0).all()


def test_level_of_recorded_curves() -> None:
    """Where no noise-free curve is known, it is the median of the last five evaluations, or of as many as there are."""
    (surface,) = recorded_surfaces()["kvasir64_4x4"]
    assert surface.level[3, 9] == np.median(surface.validation[3, 5:10])
    assert surface.level[3, 0] == surface.validation[3, 0]


def test_level_of_drawn_curves() -> None:
    """It is what the recorded curve lies around, but for the cases that happen to be there."""
    apart = SURFACE.validation - SURFACE.level
    assert (apart - np.median(apart)).std() < 0.02


def test_seconds_of_recorded_studies_are_those_of_a_quiet_machine() -> None:
    """One busy cell costs what the others of its depth do, in proportion to its steps."""
    (surface,) = recorded_surfaces()["kvasir64_4x4"]
    busy = surface.recorded.copy()
    late = (busy["depth"] == 5) & (busy["ratio"] == 0.5)
    busy.loc[late, "train_seconds"] *= 7
    pd.testing.assert_frame_equal(calm(busy), calm(surface.recorded))
    assert surface.recorded.groupby(["depth", "ratio"])["train_seconds"].sum().groupby("depth").std().max() < 1e-9
