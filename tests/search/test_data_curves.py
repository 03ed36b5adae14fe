"""Data curves and their bootstrap replicates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.data_curves import (
    ASSUMED_RUN_SIGMA,
    LEAST_RUN_SIGMA,
    DataPoints,
    fit_data_curves,
    resampled_shift,
    run_noise,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def points(
    dsc: Sequence[float],
    *,
    depth: Sequence[int] | None = None,
    seeds: Sequence[int] | None = None,
    gain_sigma: float = 0.0,
    repeat_squares: float = 0.0,
) -> DataPoints:
    """Configurations with 100, 200, ... cases, each scored on three cases that score alike."""
    count = len(dsc)
    return DataPoints(
        depth=np.array(depth or [4] * count),
        num_cases=np.linspace(100.0, 100.0 * count, count),
        seeds=np.array(seeds or [1] * count, dtype=float),
        case_dsc=np.repeat(np.array(dsc, dtype=float)[:, None], 3, axis=1),
        gain=np.zeros(count),
        gain_sigma=np.full(count, gain_sigma),
        repeat_squares=np.full(count, repeat_squares),
    )


@pytest.mark.parametrize(
    ("seeds", "squares", "residuals", "sigma", "source", "degrees"),
    [
        # two configurations of three seeds: (2 x 0.0008 / 4) ** 0.5
        ([3, 3, 1, 1, 1], [4e-4, 4e-4, 0, 0, 0], [1.0] * 5, 0.01 * 2**0.5, "repeats", 4),
        # five points, three parameters: ((5 x 0.0004) / 2) ** 0.5
        ([1] * 5, [0.0] * 5, [0.02, -0.02, 0.02, -0.02, 0.02], 0.001**0.5, "residuals", 2),
        ([1] * 3, [0.0] * 3, [0.02, -0.02, 0.02], ASSUMED_RUN_SIGMA, "assumed", 0),
        ([2, 1], [0.0, 0.0], [0.0, 0.0], LEAST_RUN_SIGMA, "repeats", 1),
    ],
)
def test_run_noise_takes_the_best_source(
    *, seeds: list[int], squares: list[float], residuals: list[float], sigma: float, source: str, degrees: int
) -> None:
    """Repeats come before residuals, residuals before the assumption; lucky repeats do not make it vanish."""
    scores = points([0.7] * len(seeds), seeds=seeds)
    scores.repeat_squares[:] = squares
    noise = run_noise(scores, np.array(residuals))
    assert noise.sigma == pytest.approx(sigma)
    assert (noise.source, noise.degrees_of_freedom) == (source, degrees)


def test_residuals_of_sparse_depths_are_left_out() -> None:
    """A law that goes through its three points by construction does not lower the noise."""
    scores = points([0.7] * 8, depth=[3, 3, 3, 4, 4, 4, 4, 4])
    noise = run_noise(scores, np.array([0.0, 0.0, 0.0, 0.02, 0.02, 0.02, 0.02, 0.02]))
    assert noise.sigma == pytest.approx(0.001**0.5)


def test_all_configurations_share_the_resampled_cases() -> None:
    """A shift that all cases share moves every configuration alike: differences between them stay."""
    case_dsc = np.random.default_rng(0).uniform(0, 1, 20)
    shift = resampled_shift(np.stack([case_dsc, case_dsc / 2]), None, 50, np.random.default_rng(0))
    assert shift[:, 1] == pytest.approx(shift[:, 0] / 2)


def test_resampling_cases_has_their_standard_error() -> None:
    """The shift's standard deviation is that of a mean over the cases."""
    case_dsc = np.random.default_rng(0).uniform(0, 1, 50)
    shift = resampled_shift(case_dsc[None, :], None, 20_000, np.random.default_rng(1))
    assert shift.std() == pytest.approx(case_dsc.std() / 50**0.5, rel=0.03)
    assert shift.mean() == pytest.approx(0.0, abs=0.002)


def test_cases_of_one_group_come_and_go_together() -> None:
    """Ten copies of two patients hold no more knowledge than two cases."""
    case_dsc = np.repeat([0.4, 0.8], 10)[None, :]
    shift = resampled_shift(case_dsc, np.repeat([7, 3], 10), 200, np.random.default_rng(0))
    assert set(np.round(shift[:, 0], 9)) == {-0.2, 0.0, 0.2}


def test_groups_must_fit_the_cases() -> None:
    """A group for each case, no more and no fewer."""
    with pytest.raises(ValueError, match=r"each of 3 cases, got shape \(2,\)"):
        resampled_shift(np.zeros((1, 3)), np.array([0, 1]), 5, np.random.default_rng(0))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.integers(0, 9))
def test_cases_that_score_alike_in_all_replicates_do_not_shift(scores: list[float], seed: int) -> None:
    """A shift stays within the range of the scores, and a single case never shifts."""
    case_dsc = np.array(scores)
    shift = resampled_shift(case_dsc[None, :], None, 20, np.random.default_rng(seed))
    assert np.abs(shift).max() <= np.ptp(case_dsc) + 1e-9


def test_a_replicate_redraws_the_run_noise_of_each_mean() -> None:
    """Four seeds halve the noise of their mean; a new run has all of it."""
    scores = points([0.5, 0.6], seeds=[1, 4], repeat_squares=1.5 * 0.02**2)
    curves = fit_data_curves(scores, None, 20_000, np.random.default_rng(0))
    assert curves.replicate_error.std(axis=0) == pytest.approx([0.02, 0.01], rel=0.03)
    assert curves.new_run.std() == pytest.approx(0.02, rel=0.03)


def test_the_error_of_a_forecast_gain_widens_its_replicates() -> None:
    """The gain of a stopped run is uncertain on top of the run itself: squares add."""
    scores = points([0.5, 0.6], gain_sigma=0.03)
    curves = fit_data_curves(scores, None, 20_000, np.random.default_rng(0))
    assert curves.replicate_error.std(axis=0) == pytest.approx([np.hypot(0.03, ASSUMED_RUN_SIGMA)] * 2, rel=0.03)


def test_each_depth_has_its_own_law() -> None:
    """Two points fix a rising law, and each depth passes through its own."""
    scores = points([0.5, 0.6, 0.3, 0.7], depth=[3, 3, 4, 4])
    curves = fit_data_curves(scores, None, 10, np.random.default_rng(0))
    assert curves.fitted == pytest.approx([0.5, 0.6, 0.3, 0.7])
    assert sorted(curves.laws) == [3, 4]


def test_the_mean_of_more_seeds_pulls_harder() -> None:
    """A depth that does not rise is fitted by its mean over runs, not over configurations."""
    curves = fit_data_curves(points([0.7, 0.6], seeds=[3, 1]), None, 10, np.random.default_rng(0))
    assert curves.fitted == pytest.approx([0.675, 0.675])
