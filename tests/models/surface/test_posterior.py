"""The joint distribution over the data curves of all depths."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models.surface.posterior import SurfacePrior
from models.surface.runs import Runs, SingleRuns, mean_runs
from tests.helpers.paths import RECORDED

CASES = np.tile(np.geomspace(14, 700, 12), 3)
DEPTH = np.repeat([3.0, 4.0, 5.0], 12)
PRIOR = SurfacePrior(DEPTH, CASES, 700)
RECORDED = RECORDED / "kvasir64_4x4.csv"


def truth(top: float = 0.8, rise: float = 0.25) -> np.ndarray:
    """A surface that rises with the cases, a little higher at each further depth."""
    return top + 0.01 * (DEPTH - 4) - rise * np.exp(-4 * CASES / 700)


def measured(at: list[int] | np.ndarray, dsc: np.ndarray, seeds: int = 1) -> Runs:
    """Runs at some configurations, the same values under every seed."""
    places = np.tile(np.asarray(at, dtype=np.int64), seeds)
    return mean_runs(
        SingleRuns(
            place=places,
            depth=DEPTH[places],
            num_cases=CASES[places],
            seed=np.repeat(np.arange(seeds), len(at)),
            dsc=np.tile(dsc, seeds),
            sigma=np.zeros(len(places)),
        ),
        700,
    )


def runs(at: list[int], noise: float = 0.0, seeds: int = 1) -> Runs:
    """Runs at some configurations, with drawn noise."""
    return measured(at, truth()[at] + np.random.default_rng(0).normal(0, noise, len(at)), seeds)


def test_draws_agree_with_mean_and_sigma() -> None:
    """The joint draws have the closed form's mean and standard deviation."""
    posterior = PRIOR.posterior(runs([0, 5, 11, 17]), 20_000, np.random.default_rng(0))
    assert posterior.draws.mean(axis=0) == pytest.approx(posterior.mean, abs=0.003)
    assert posterior.draws.std(axis=0) == pytest.approx(posterior.sigma, rel=0.06)


def test_what_was_measured_is_known_better() -> None:
    """Uncertainty is no more than the noise of runs where these are, and far more at a depth without any."""
    posterior = PRIOR.posterior(runs([0, 5, 11]), 100, np.random.default_rng(0))
    assert posterior.sigma[[0, 5, 11]].max() < 0.05
    assert posterior.sigma[29] > 2 * posterior.sigma[[0, 5, 11]].max()


def test_repeats_that_agree_leave_less_uncertainty() -> None:
    """More seeds say more, of the noise and of the curves."""
    one, many = (PRIOR.posterior(runs([0, 5, 11], seeds=s), 500, np.random.default_rng(0)) for s in (1, 9))
    assert many.sigma[5] < one.sigma[5] / 2
    assert np.median(many.noise) < np.median(one.noise)


def test_a_lasting_offset_of_the_only_seed_is_not_ruled_out() -> None:
    """Residuals of one seed show what is each run's own; what the seed adds to all of them is still not known."""
    posterior = PRIOR.posterior(runs(list(range(36)), noise=0.01), 2000, np.random.default_rng(0))
    assert posterior.sigma[11] > 0.01 / 3
    assert np.percentile(posterior.noise, 95) > 0.0125


def test_a_shift_of_the_runs_shifts_the_draws() -> None:
    """Draws follow what other scored cases would have said."""
    shift = np.repeat([[0.1], [-0.1]], 500, axis=0) * np.ones((1, 36))
    posterior = PRIOR.posterior(runs(list(range(36))), 1000, np.random.default_rng(0), shift=shift)
    assert posterior.draws[:500].mean() - posterior.draws[500:].mean() == pytest.approx(0.2, abs=0.02)


def test_a_run_that_no_other_foretells_moves_nothing() -> None:
    """One of twelve at 0.05: it is named, and the others stand where they stood."""
    at = [0, 2, 4, 6, 8, 11, 12, 14, 16, 18, 20, 23]
    odd = truth()[at]
    odd[4] = 0.05
    found, calm = (PRIOR.posterior(measured(at, dsc), 200, np.random.default_rng(0)) for dsc in (odd, truth()[at]))
    assert found.unlike.tolist() == [place == 4 for place in range(12)]
    assert not calm.unlike.any()
    assert np.abs(found.mean - calm.mean)[:24].max() < 0.02


def test_without_runs_it_is_the_prior() -> None:
    """Nothing measured leaves the belief that more cases bring more."""
    posterior = PRIOR.posterior(runs([]), 50, np.random.default_rng(0))
    assert (np.diff(posterior.mean[:12]) > 0).all()
    assert posterior.sigma.min() > 0.1


@pytest.mark.parametrize("rise", [0.05, 0.25, 0.4])
def test_intervals_hold_surfaces_of_another_family(rise: float) -> None:
    """Nine runs at small ratios and one at all cases: most of a surface lies in its 90 % interval."""
    rng = np.random.default_rng(1)
    inside = []
    for _ in range(10):
        wanted = truth(rise=rise)
        at = np.array([0, 4, 8, 12, 16, 20, 24, 28, 32, 23])
        noisy = measured(at, wanted[at] + rng.normal(0, 0.011, 10))
        posterior = PRIOR.posterior(noisy, 10, np.random.default_rng(0))
        inside.append(np.abs(posterior.mean - wanted) < 1.645 * posterior.sigma)
    assert np.mean(inside) > 0.85


def test_a_depth_between_the_trained_ones_is_known() -> None:
    """Depths 3 and 5 say what depth 4 does."""
    trained = np.flatnonzero(DEPTH != 4.0)
    posterior = PRIOR.posterior(runs(list(trained)), 10, np.random.default_rng(0))
    never = DEPTH == 4.0
    np.testing.assert_allclose(posterior.mean[never], truth()[never], atol=0.02)


def test_more_cases_than_there_are_bring_more_with_less_certainty() -> None:
    """What would 700 more cases bring? Something, and the interval opens."""
    cases = np.array([70.0, 140, 280, 490, 700, 1000, 1400])
    prior = SurfacePrior(np.full(7, 4.0), cases, 700)
    seen = 0.8 - 0.6 * cases[:5] ** -0.3
    single = SingleRuns(np.arange(5), np.full(5, 4), cases[:5], np.zeros(5, dtype=np.int64), seen, np.zeros(5))
    posterior = prior.posterior(mean_runs(single, 700), 200, np.random.default_rng(0))
    assert (np.diff(posterior.mean[4:]) > 0).all()
    assert (np.diff(posterior.sigma[4:]) > 0).all()


def test_the_recorded_surface_is_forecast_cell_by_cell() -> None:
    """Each real cell from the fifteen others: closer than their mean, and mostly within the interval of one run."""
    table = pd.read_csv(RECORDED)
    ends = table.groupby(["depth", "cases"], as_index=False)["val_dsc"].max()
    prior = SurfacePrior(ends["depth"].to_numpy(float), ends["cases"].to_numpy(float), 700)
    dsc = ends["val_dsc"].to_numpy()
    errors, hits = [], []
    for cell in range(len(dsc)):
        others = np.flatnonzero(np.arange(len(dsc)) != cell)
        single = SingleRuns(
            place=others,
            depth=ends["depth"].to_numpy()[others],
            num_cases=ends["cases"].to_numpy(float)[others],
            seed=np.zeros(len(others), dtype=np.int64),
            dsc=dsc[others],
            sigma=np.zeros(len(others)),
        )
        posterior = prior.posterior(mean_runs(single, 700), 400, np.random.default_rng(0))
        errors.append(abs(posterior.mean[cell] - dsc[cell]))
        hits.append(errors[-1] <= 1.645 * np.hypot(posterior.sigma[cell], posterior.noise.mean()))
    assert np.mean(errors) < np.abs(dsc - dsc.mean()).mean() / 2
    assert np.mean(hits) >= 0.75


def test_a_single_run_is_enough_to_say_how_little_is_known() -> None:
    """One measurement: its own configuration is known, others hardly."""
    posterior = PRIOR.posterior(runs([11]), 10, np.random.default_rng(0))
    assert posterior.mean[11] == pytest.approx(truth()[11], abs=0.05)
    assert 2 * 1.645 * posterior.sigma[0] > 0.15
