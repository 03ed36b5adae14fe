"""Data curves and their joint draws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.curves.data_curves import DataCurves, DataPoints, fit_data_curves, resampled_shift
from tests.helpers.answers import single_runs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def points(
    dsc: Sequence[float],
    *,
    depth: Sequence[int] | None = None,
    gain_sigma: float = 0.0,
    apart: Sequence[float] = (0.0,),
) -> DataPoints:
    """Configurations with 100, 200, ... cases, scored on three cases that score alike, one run for each distance."""
    count, seeds = len(dsc), len(apart)
    depths, cases = np.array(depth or [4] * count), np.linspace(100.0, 100.0 * count, count)
    return DataPoints(
        depth=depths,
        num_cases=cases,
        seeds=np.full(count, float(seeds)),
        case_dsc=np.repeat(np.array(dsc, dtype=float)[:, None], 3, axis=1) + np.mean(apart),
        gain=np.zeros(count),
        runs=single_runs(depths, cases, dsc, sigma=gain_sigma, apart=apart),
    )


def fit(scores: DataPoints, replicates: int = 10, **wanted: Any) -> DataCurves:
    """Curves of a study with 700 cases at hand, on the same cases in every replicate."""
    shift = np.zeros((replicates, len(scores.depth)))
    return fit_data_curves(scores, shift, np.random.default_rng(0), num_train=700, **wanted)


def test_repeats_tell_the_noise_of_runs() -> None:
    """Three seeds at four sizes have eight degrees of freedom: they, and no longer the prior, say how far runs lie."""
    seeds = np.random.default_rng(1).permutation(np.linspace(-1, 1, 5))
    near, far = (fit(points([0.6, 0.65, 0.7, 0.72], apart=(d * seeds).tolist()), 500).noise for d in (0.006, 0.06))
    assert near.degrees_of_freedom == far.degrees_of_freedom == 16
    assert not near.is_assumed
    assert near.interval.upper < far.interval.lower
    assert near.sigma < 0.01
    assert far.sigma > 0.02


def test_one_run_each_leaves_the_noise_to_the_prior() -> None:
    """What a seed adds to all sizes cannot be seen under one seed: residuals bound the noise from below alone."""
    cases = np.arange(1, 7)
    calm, rough = 0.8 - 0.2 / cases, 0.8 - 0.2 / cases + 0.03 * (-1.0) ** cases
    quiet, loud = (fit(points(dsc), 500).noise for dsc in (calm, rough))
    assert quiet.is_assumed
    assert loud.is_assumed
    assert quiet.interval.upper > 0.009
    assert loud.interval.lower > quiet.interval.lower


def test_one_repeat_is_still_mostly_assumed() -> None:
    """Two runs that happen to agree do not promise that every run ends alike."""
    noise = fit(points([0.7], apart=(0.0, 0.0)), 500).noise
    assert noise.degrees_of_freedom == 1
    assert noise.is_assumed
    assert noise.interval.upper > 0.01


def test_all_configurations_share_the_drawn_cases() -> None:
    """What all cases of one configuration score less than those of another stays between them, draw by draw."""
    case_dsc = np.random.default_rng(0).uniform(0.2, 1, 100)
    shift = resampled_shift(np.stack([case_dsc, case_dsc - 0.1]), None, 50, np.random.default_rng(0))
    # The unseen case scores alike in both.
    assert np.abs(shift[:, 1] - shift[:, 0]).max() < 0.01
    assert shift[:, 0].std() > 0.015


def test_other_cases_have_the_standard_error_of_a_mean() -> None:
    """The shift's standard deviation is that of a mean over the cases, a little more for what none of them is."""
    case_dsc = np.random.default_rng(0).uniform(0, 1, 50)
    shift = resampled_shift(case_dsc[None, :], None, 20_000, np.random.default_rng(1))
    assert shift.std() == pytest.approx(case_dsc.std() / 50**0.5, rel=0.05)
    assert shift.mean() == pytest.approx(0.8 * (0.5 - case_dsc.mean()) / 51, abs=0.002)


@pytest.mark.parametrize(("num_cases", "least"), [(10, 0.8), (20, 0.87), (30, 0.87)])
def test_few_cases_that_all_score_well_may_have_failures_among_their_kind(num_cases: int, least: float) -> None:
    """Where one case in ten fails, intervals of the mean over a few hold the truth as often as is promised."""
    rng = np.random.default_rng(0)
    hits = []
    for _ in range(300):
        fails = rng.random(num_cases) < 0.1
        scores = np.where(fails, rng.beta(4, 4, num_cases), rng.beta(60, 2, num_cases))
        drawn = scores.mean() + resampled_shift(scores[None, :], None, 500, rng)[:, 0]
        lower, upper = np.percentile(drawn, [5, 95])
        hits.append(lower <= 0.1 * 0.5 + 0.9 * 60 / 62 <= upper)
    assert np.mean(hits) >= least


def test_cases_of_one_group_come_and_go_together() -> None:
    """Ten copies of each of twenty patients hold no more knowledge than twenty cases."""
    patients = np.random.default_rng(0).uniform(0.5, 1, 20)
    copies = np.repeat(patients, 10)[None, :]
    single, grouped, apart = (
        resampled_shift(scores, groups, 4000, np.random.default_rng(1)).std()
        for scores, groups in ((patients[None, :], None), (copies, np.repeat(np.arange(20), 10)), (copies, None))
    )
    assert grouped == pytest.approx(single, rel=0.1)
    assert apart < grouped / 2


def test_a_single_score_stays() -> None:
    """One number, as of an imported table, is a mean over cases that nobody knows: it cannot be drawn again."""
    assert not resampled_shift(np.array([[0.8], [0.7]]), None, 10, np.random.default_rng(0)).any()


def test_groups_must_fit_the_cases() -> None:
    """A group for each case, no more and no fewer."""
    with pytest.raises(ValueError, match=r"each of 3 cases, got shape \(2,\)"):
        resampled_shift(np.zeros((1, 3)), np.array([0, 1]), 5, np.random.default_rng(0))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.integers(0, 9))
def test_a_shifted_mean_is_a_dsc(scores: list[float], seed: int) -> None:
    """Whatever the cases scored, a mean over others of their kind lies between 0 and 1."""
    case_dsc = np.array(scores)
    shift = resampled_shift(case_dsc[None, :], None, 20, np.random.default_rng(seed))
    assert (case_dsc.mean() + shift >= -1e-9).all()
    assert (case_dsc.mean() + shift <= 1 + 1e-9).all()


def test_the_error_of_a_forecast_gain_makes_its_curve_less_certain() -> None:
    """The gain of a stopped run is uncertain on top of the run itself."""
    sure, unsure = (fit(points([0.5, 0.6, 0.65], gain_sigma=s, apart=[0.0] * 5), 2_000) for s in (0.0, 0.06))
    assert unsure.drawn([4], [200.0]).std() > 2 * sure.drawn([4], [200.0]).std()


def test_a_new_run_varies_more_with_few_cases_where_its_noise_grows() -> None:
    """Its noise is that of all cases there, and larger by the drawn power below; beyond them it grows no more."""
    curves = fit(points([0.5, 0.6, 0.65]), 2_000)
    spread = curves.new_run([70.0, 700.0, 1400.0]).std(axis=0)
    assert spread[0] > 1.1 * spread[1]
    assert spread[1] == spread[2]


def test_a_run_unlike_its_neighbours_moves_no_curve() -> None:
    """One run at 0.05 among eleven good ones is marked, and what is expected of its configuration is not 0.05."""
    dsc = (0.85 - 0.2 * np.arange(1, 13) ** -0.6).tolist()
    good = fit(points(dsc))
    odd = fit(points([*dsc[:7], 0.05, *dsc[8:]]))
    assert odd.unlike.tolist() == [place == 7 for place in range(12)]
    assert not good.unlike.any()
    cases = 100.0 * np.arange(1, 13)
    assert odd.expected([4] * 12, cases) == pytest.approx(good.expected([4] * 12, cases), abs=0.02)


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


def test_more_seeds_leave_less_uncertainty() -> None:
    """The mean of nine runs is known better than a single run."""
    one, many = (fit(points([0.6, 0.65, 0.7], apart=apart), 1_000) for apart in ((0.0,), np.linspace(-0.02, 0.02, 9)))
    assert many.drawn([4], [200.0]).std() < 0.7 * one.drawn([4], [200.0]).std()


def test_a_large_grid_is_averaged_with_its_neighbours() -> None:
    """Five hundred numbers of cases of one depth still give one smooth curve, in no time."""
    cases = np.arange(1, 501)
    dsc = 0.8 - 0.3 / np.sqrt(cases) + np.random.default_rng(0).normal(0, 0.01, 500)
    curves = fit(points(dsc.tolist()))
    assert len(curves.curve[4].positions) < 80
    assert np.abs(curves.expected([4] * 400, 100.0 * cases[100:]) - (0.8 - 0.3 / np.sqrt(cases[100:]))).max() < 0.01
