"""How far runs lie apart."""

from __future__ import annotations

import numpy as np
import pytest

from models.surface.run_noise import MEDIAN, Repeats, growth_factor, noise_points, seed_likeness
from models.surface.runs import SingleRuns, mean_runs

LOG = np.log(np.array([0.05, 0.1, 0.2, 0.4, 0.7, 1.0]))


def believed(repeats: list[Repeats]) -> dict[str, float]:
    """Median and 90 % interval of sigma, and the means of lasting share and growth."""
    points = noise_points(repeats)
    weight = np.exp([point.log_weight for point in points])
    weight /= weight.sum()
    sigma = np.array([point.sigma for point in points])
    order = np.argsort(sigma)
    low, middle, high = np.interp([0.05, 0.5, 0.95], np.cumsum(weight[order]), sigma[order])
    lasting, growth = (float(weight @ [getattr(point, name) for point in points]) for name in ("lasting", "growth"))
    return {"low": low, "middle": middle, "high": high, "lasting": lasting, "growth": growth}


def drawn(sigma: float, lasting: float, growth: float, seeds: int, depths: int) -> list[Repeats]:
    """Repeats of a study of six sizes: deviations of each seed at each depth from the mean over seeds."""
    rng = np.random.default_rng(1)
    root = np.linalg.cholesky(lasting * seed_likeness(LOG) + (1 - lasting) * np.eye(6))
    runs = [(depth, seed) for depth in range(depths) for seed in range(seeds)]
    dsc = [sigma * growth_factor(LOG, growth) * (root @ rng.standard_normal(6)) for _ in runs]
    single = SingleRuns(
        place=np.array([6 * depth + size for depth, _ in runs for size in range(6)]),
        depth=np.repeat([depth for depth, _ in runs], 6),
        num_cases=np.tile(700 * np.exp(LOG), len(runs)),
        seed=np.repeat([seed for _, seed in runs], 6),
        dsc=np.concatenate(dsc),
        sigma=np.zeros(6 * len(runs)),
    )
    return list(mean_runs(single, 700).deviations)


def test_before_any_repeat_there_is_the_prior() -> None:
    """Its median is 0.015 DSC, and 95 % lie below 0.05."""
    prior = believed([])
    assert prior["middle"] == pytest.approx(MEDIAN, rel=0.1)
    assert prior["high"] == pytest.approx(0.05, rel=0.25)


@pytest.mark.parametrize("sigma", [0.006, 0.015, 0.04, 0.08])
def test_repeats_overrule_the_prior(sigma: float) -> None:
    """Five seeds at four depths say how far runs lie, be it far beyond what was expected."""
    found = believed(drawn(sigma, 0.5, 0.0, seeds=5, depths=4))
    assert found["low"] < sigma * 1.1
    assert found["high"] > sigma * 0.9
    assert found["middle"] == pytest.approx(sigma, rel=0.3)


def test_repeats_tell_what_lasts_and_what_grows() -> None:
    """Offsets that a seed keeps along n are told from independent luck, and growing noise from noise that stays."""
    lasting, fleeting = (believed(drawn(0.02, share, 0.0, 5, 4))["lasting"] for share in (0.9, 0.1))
    assert lasting > 0.7
    assert fleeting < 0.4
    growing, steady = (believed(drawn(0.02, 0.5, power, 5, 4))["growth"] for power in (0.45, 0.0))
    assert growing > 0.3
    assert steady < 0.2


def test_noise_grows_towards_few_cases_alone() -> None:
    """At all cases and beyond the factor is 1."""
    factor = growth_factor(np.log(np.array([0.25, 1.0, 2.0])), 0.5)
    assert factor.tolist() == pytest.approx([2.0, 1.0, 1.0])
