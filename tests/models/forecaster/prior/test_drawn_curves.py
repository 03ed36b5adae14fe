"""What the shipped forecaster is fitted on."""

from __future__ import annotations

import numpy as np
import pytest

from models.forecaster.prior.drawn_curves import draw


@pytest.mark.parametrize("seed", range(6))
def test_drawn_curves_are_scores(seed: int) -> None:
    """Finite, within [0, 1], at rising positive positions."""
    drawn = draw(np.random.default_rng(seed), groups=3, curves=5)
    assert drawn.y.shape == drawn.expected.shape == (3, 5, len(drawn.x))
    for values in (drawn.y, drawn.expected):
        assert np.isfinite(values).all()
        assert (values >= 0).all()
        assert (values <= 1).all()
    assert (np.diff(drawn.x) > 0).all()
    assert drawn.x[0] > 0


def test_curves_of_a_group_are_more_alike_than_groups() -> None:
    """Else siblings would teach nothing."""
    rng, within, between = np.random.default_rng(5), [], []
    for _ in range(60):
        ends = draw(rng, groups=4, curves=4, max_points=30).expected[..., -1]
        within.append(ends.std(axis=1).mean())
        between.append(ends.mean(axis=1).std())
    assert np.mean(within) < np.mean(between)
