"""Single runs as means at places of a surface."""

from __future__ import annotations

import numpy as np
import pytest

from models.surface.runs import SingleRuns, mean_runs


def single(place: list[int], seed: list[int], dsc: list[float], depth: list[int] | None = None) -> SingleRuns:
    """Runs, one size a place."""
    return SingleRuns(
        place=np.array(place),
        depth=np.array(depth or [3] * len(place)),
        num_cases=100.0 * (1 + np.array(place)),
        seed=np.array(seed),
        dsc=np.array(dsc),
        sigma=np.full(len(place), 0.01),
    )


def test_means_know_how_many_runs_they_are_of() -> None:
    """Two runs at one place make one mean, with the error of a mean of two."""
    runs = mean_runs(single([0, 0, 1], [0, 1, 0], [0.5, 0.6, 0.7]), 700)
    assert runs.configuration.tolist() == [0, 1]
    assert runs.dsc.tolist() == pytest.approx([0.55, 0.7])
    assert runs.repeats.tolist() == [2, 1]
    assert runs.sigma.tolist() == pytest.approx([0.01 / 2**0.5, 0.01])


def test_means_share_the_seeds_that_both_have() -> None:
    """A seed's offset is in both means, by its part of each; at another depth the same seed is another offset."""
    runs = mean_runs(single([0, 0, 1, 2], [0, 1, 0, 0], [0.5, 0.6, 0.7, 0.8], depth=[3, 3, 3, 4]), 700)
    assert runs.shared.tolist() == [[0.5, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 1.0]]


def test_deviations_are_those_of_repeats_alone() -> None:
    """What has one run says nothing of the noise; of two runs both deviations stand for one degree of freedom."""
    runs = mean_runs(single([0, 0, 1], [0, 1, 0], [0.5, 0.6, 0.7]), 700)
    assert [own.deviation.tolist() for own in runs.deviations] == [
        pytest.approx([-(0.5**0.5) / 10]),
        pytest.approx([0.5**0.5 / 10]),
    ]
    assert sum(own.weight for own in runs.deviations) == 1
    assert mean_runs(single([0, 1], [0, 0], [0.5, 0.6]), 700).deviations == ()


def test_no_run_is_no_mean() -> None:
    """Before anything is measured there is nothing to take a mean of."""
    assert len(mean_runs(single([], [], []), 700).dsc) == 0
