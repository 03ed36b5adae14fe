"""Data curves and their bootstrap replicates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.curves.data_curves import LEAST_RUN_SIGMA, DataCurves, DataPoints, fit_data_curves, resampled_shift

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


def fit(scores: DataPoints, replicates: int = 10, **wanted: Any) -> DataCurves:
    """Curves of a study with 700 cases at hand."""
    rng = np.random.default_rng(0)
    shift = resampled_shift(scores.case_dsc, None, replicates, rng)
    return fit_data_curves(scores, shift, rng, num_train=700, **wanted)


@pytest.mark.parametrize(
    ("seeds", "squares", "sigma", "degrees"),
    [
        # two configurations of three seeds: (2 x 0.0008 / 4) ** 0.5
        ([3, 3, 1], [8e-4, 8e-4, 0], 0.02, 4),
        ([2, 1, 1], [0.0, 0.0, 0.0], LEAST_RUN_SIGMA, 1),
    ],
)
def test_repeats_tell_the_noise_of_runs(*, seeds: list[int], squares: list[float], sigma: float, degrees: int) -> None:
    """It is pooled over configurations; lucky repeats do not make it vanish."""
    scores = points([0.7] * len(seeds), seeds=seeds)
    scores.repeat_squares[:] = squares
    noise = fit(scores).noise
    assert noise.sigma == pytest.approx(sigma)
    assert (noise.source, noise.degrees_of_freedom) == ("repeats", degrees)


def test_residuals_tell_the_noise_where_nothing_was_repeated() -> None:
    """Runs that scatter around every smooth curve are noisier than runs that follow one; two runs tell nothing."""
    cases = np.arange(1, 7)
    calm, rough = 0.8 - 0.2 / cases, 0.8 - 0.2 / cases + 0.03 * (-1.0) ** cases
    assert fit(points(calm), 500).noise.sigma < fit(points(rough), 500).noise.sigma
    assert fit(points(calm)).noise.source == "residuals"
    assert fit(points([0.6, 0.7])).noise.source == "assumed"


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
    curves = fit(points([0.5, 0.6], seeds=[1, 4], repeat_squares=1.5 * 0.02**2), 5_000)
    assert curves.replicate_error.std(axis=0) == pytest.approx([0.02, 0.01], rel=0.05)
    assert curves.new_run.std() == pytest.approx(0.02, rel=0.05)


def test_the_error_of_a_forecast_gain_widens_its_replicates() -> None:
    """The gain of a stopped run is uncertain on top of the run itself, and its curve is less certain with it."""
    sure, unsure = fit(points([0.5, 0.6]), 2_000), fit(points([0.5, 0.6], gain_sigma=0.03), 2_000)
    assert (unsure.replicate_error.std(axis=0) > sure.replicate_error.std(axis=0) + 0.01).all()
    assert unsure.drawn([4], [200.0]).std() > sure.drawn([4], [200.0]).std() + 0.01


def test_curves_follow_what_was_measured() -> None:
    """Where runs agree the expected curve stays within their noise, and the truth lies inside most replicates."""
    cases = np.arange(1.0, 8.0)
    truth = 0.85 - 0.25 * cases**-0.7
    curves = fit(points(truth), 1_000)
    seen = curves.expected([4] * 7, 100 * cases)
    assert np.abs(seen - truth).max() < 0.01
    lower, upper = np.percentile(curves.drawn([4] * 7, 100 * cases), [2.5, 97.5], axis=0)
    assert ((lower < truth) & (truth < upper)).all()


def test_a_depth_learns_from_the_others() -> None:
    """One run of a depth takes its rise from those that were measured along it, less surely than these."""
    scores = points([0.5, 0.6, 0.65, 0.67, 0.7], depth=[3, 3, 3, 3, 4])
    scores.num_cases[:] = [50, 150, 350, 700, 700]
    curves = fit(scores, 1_000)
    few = curves.expected([3, 4], [50.0, 50.0])
    assert few[1] < 0.62
    spread = curves.drawn([3, 4], [150.0, 150.0]).std(axis=0)
    assert spread[1] > spread[0]


def test_an_unmeasured_depth_has_a_curve_when_it_is_wanted() -> None:
    """It is that of its neighbours, with their uncertainty and its own."""
    curves = fit(points([0.5, 0.6, 0.65, 0.67]), 1_000, depths=[4, 6], fewest=20.0)
    assert sorted(curves.curve) == [4, 6]
    assert curves.curve[6].positions[0] == pytest.approx(20.0)
    spread = curves.drawn([4, 6], [300.0, 300.0]).std(axis=0)
    assert spread[1] > 2 * spread[0]


def test_more_seeds_pull_harder() -> None:
    """A mean of many runs moves the curve further than a single run."""
    one, many = (fit(points([0.7, 0.6], seeds=[1, seeds], repeat_squares=0.015**2)) for seeds in (1, 25))
    assert many.expected([4], [200.0])[0] <= one.expected([4], [200.0])[0]


def test_a_large_grid_is_averaged_with_its_neighbours() -> None:
    """Five hundred numbers of cases of one depth still give one smooth curve, in no time."""
    cases = np.arange(1, 501)
    dsc = 0.8 - 0.3 / np.sqrt(cases) + np.random.default_rng(0).normal(0, 0.01, 500)
    curves = fit(points(dsc.tolist()))
    assert len(curves.curve[4].positions) < 80
    assert np.abs(curves.expected([4] * 400, 100.0 * cases[100:]) - (0.8 - 0.3 / np.sqrt(cases[100:]))).max() < 0.01
