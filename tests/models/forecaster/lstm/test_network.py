"""The network, whatever it has learned."""

from __future__ import annotations

import numpy as np
import torch

from models.forecaster.lstm.network import LEVELS, ForecastNetwork
from models.forecaster.prior.training_batches import draw_training_batch


def test_quantiles_never_cross() -> None:
    """Whatever the weights."""
    torch.manual_seed(0)
    network = ForecastNetwork()
    for parameter in network.parameters():
        parameter.data.mul_(4.0)
    batch = draw_training_batch(np.random.default_rng(0), draws=2, groups=2, curves=4)
    state = network.state(batch.sequence, batch.summary)
    quantiles = network(state, batch.horizon[:, 0], batch.tokens[:, 0], batch.there)
    assert quantiles.shape[-1] == len(LEVELS)
    assert (quantiles.diff(dim=-1) >= 0).all()
