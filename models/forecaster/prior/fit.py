"""Fits the shipped forecaster on curves drawn from the prior, and writes its weights.

    python -m models.forecaster.prior.fit [--steps N] [--seed S] [-o FILE]

One thread, so that the same command gives the same weights on the same kind of processor.
"""

from __future__ import annotations

import argparse
import copy
import math
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from models.forecaster.lstm.forecaster import WEIGHTS
from models.forecaster.lstm.network import LEVELS, ForecastNetwork
from models.forecaster.prior.training_batches import TrainingBatch, draw_training_batch

STEPS = 12000
DRAWS, GROUPS, CURVES = 8, 2, 12  # of a batch
RATE = 2e-3
RATE_AT_END = 0.01
WARM_UP = 200
EMA = 0.998
LOSS_SCALE = 0.03  # in DSC: errors of curves that vary less than this count by their size, others by their share


def main() -> None:
    """Fit, and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--output", type=Path, default=WEIGHTS)
    options = parser.parse_args()
    network = fit(options.steps, options.seed)
    save_file({name: value.contiguous() for name, value in network.state_dict().items()}, options.output)


def fit(steps: int, seed: int) -> ForecastNetwork:
    """A network fitted on ``steps`` batches of drawn curves."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = ForecastNetwork()
    averaged = copy.deepcopy(network)
    optimiser = torch.optim.Adam(network.parameters(), RATE)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step, steps))
    shown, started = 0.0, time.monotonic()
    for step in range(1, steps + 1):
        loss = pinball(network, draw_training_batch(rng, DRAWS, GROUPS, CURVES))
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        _follow(averaged, network)
        shown += loss.item()
        if step % 100 == 0:
            print(f"step {step} of {steps}: loss {shown:.3f}, {time.monotonic() - started:.0f} s", flush=True)
            shown = 0.0
    return averaged


def pinball(network: ForecastNetwork, batch: TrainingBatch) -> torch.Tensor:
    """Mean pinball loss of all quantiles (Koenker and Bassett 1978), in units between DSC and each curve's scale."""
    curves, horizons, *_ = batch.tokens.shape
    state = network.state(batch.sequence, batch.summary).repeat_interleave(horizons, dim=0)
    there = batch.there.repeat_interleave(horizons, dim=0)
    quantiles = network(state, batch.horizon.flatten(0, 1), batch.tokens.flatten(0, 1), there)
    scale = batch.scale[:, None, None, None]
    error = batch.gain[..., None] - scale * quantiles.unflatten(0, (curves, horizons))
    levels = torch.tensor(LEVELS)
    return (torch.maximum(levels * error, (levels - 1) * error) / (scale + LOSS_SCALE)).mean()


@torch.no_grad()
def _follow(averaged: ForecastNetwork, network: ForecastNetwork) -> None:
    """Exponential moving average of the weights."""
    for slow, fast in zip(averaged.parameters(), network.parameters(), strict=True):
        slow.lerp_(fast, 1 - EMA)


def _rate(step: int, steps: int) -> float:
    """Warm-up, then a cosine."""
    if step < WARM_UP:
        return (step + 1) / WARM_UP
    along = (step - WARM_UP) / max(1, steps - WARM_UP)
    return RATE_AT_END + (1 - RATE_AT_END) * 0.5 * (1 + math.cos(math.pi * min(1.0, along)))


if __name__ == "__main__":
    main()
