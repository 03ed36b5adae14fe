"""The command that makes the weights."""

from __future__ import annotations

import numpy as np
import torch

from models.forecaster.lstm.forecaster import WEIGHTS, load
from models.forecaster.lstm.network import ForecastNetwork
from models.forecaster.prior.fit import fit, pinball
from models.forecaster.prior.training_batches import draw_training_batch


def test_the_same_seed_fits_the_same_weights() -> None:
    """To the last bit, on one machine."""
    first, second = (fit(steps=2, seed=3).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_the_shipped_weights_are_small_and_fitted() -> None:
    """Under 3 MB, and far better on drawn curves than a network that knows nothing."""
    assert WEIGHTS.stat().st_size < 3e6
    batch = draw_training_batch(np.random.default_rng(11), draws=3, groups=2, curves=6)
    with torch.inference_mode():
        assert pinball(load().network, batch) < 0.6 * pinball(ForecastNetwork(), batch)
