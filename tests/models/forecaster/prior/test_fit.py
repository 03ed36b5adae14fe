"""The command that makes the weights, and what it is fitted on."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from models.forecaster.curves import SeenCurves
from models.forecaster.lstm.encoding import BINS, encode
from models.forecaster.lstm.extrapolations import POWERS, fit_lines
from models.forecaster.lstm.forecaster import WEIGHTS, load
from models.forecaster.lstm.network import LEVELS, ForecastNetwork
from models.forecaster.prior.drawn_curves import draw
from models.forecaster.prior.fit import fit, pinball
from models.forecaster.prior.training_batches import draw_training_batch


def test_the_same_seed_fits_the_same_weights() -> None:
    """To the last bit, on one machine."""
    first, second = (fit(steps=2, seed=3).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_the_shipped_weights_are_small_and_fitted() -> None:
    """Under 3 MB, and far better on drawn curves than a network that knows nothing."""
    assert WEIGHTS.stat().st_size < 3e6
    lesson = draw_training_batch(np.random.default_rng(11), draws=3, groups=2, curves=6)
    with torch.inference_mode():
        assert pinball(load().network, lesson) < 0.6 * pinball(ForecastNetwork(), lesson)


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


def test_lessons_tell_nothing_of_the_rest() -> None:
    """Another end of a curve leaves its encoding as it was."""
    x = np.arange(1.0, 31)
    y = np.stack([0.8 - 0.5 / x, 0.8 - 0.5 / x])
    y[1, 12:] = 0.0
    encoded = encode(SeenCurves(np.stack([x, x]), y, np.array([12, 12])))
    for values in (encoded.sequence, encoded.summary, encoded.level, encoded.scale, encoded.lines.slope):
        np.testing.assert_array_equal(values[0], values[1])


@pytest.mark.parametrize("points", [1, 2, 19, 20, 21, 200, 2000])
def test_bins_hold_every_point_once(points: int) -> None:
    """Whatever the length and the spacing, right-aligned and without a gap."""
    for x in (np.arange(1.0, points + 1), np.geomspace(1.0, 1e4, points)):
        encoded = encode(SeenCurves(x[None], np.full((1, points), 0.5), np.array([points])))
        count = encoded.bin_count[0]
        assert count.sum() == points
        assert (count[BINS - np.count_nonzero(count) :] > 0).all()
        assert encoded.bin_x[0, -1] <= x[-1]


def test_a_law_is_found_again() -> None:
    """A curve of one of the shapes is extrapolated exactly."""
    z = np.linspace(0.05, 1.0, BINS)
    lines = fit_lines(z[None, None], (0.8 - 0.1 * z**-0.5)[None, None], np.ones((1, 2, BINS)))
    shape = POWERS.index(-0.5)
    np.testing.assert_allclose(lines.at(np.array([[4.0]]))[0, 0, :, shape], 0.75)
    assert lines.error[0, :, shape].max() < 1e-9


def test_quantiles_never_cross() -> None:
    """Whatever the weights."""
    torch.manual_seed(0)
    network = ForecastNetwork()
    for parameter in network.parameters():
        parameter.data.mul_(4.0)
    lesson = draw_training_batch(np.random.default_rng(0), draws=2, groups=2, curves=4)
    state = network.state(lesson.sequence, lesson.summary)
    quantiles = network(state, lesson.horizon[:, 0], lesson.tokens[:, 0], lesson.there)
    assert quantiles.shape[-1] == len(LEVELS)
    assert (quantiles.diff(dim=-1) >= 0).all()
