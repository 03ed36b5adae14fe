"""The four predictors of the paper: uni- or bi-directional LSTM, one step or all steps ahead (Lee et al. 2025).

A data curve is a sequence of DSC over rising dataset sizes. One-step: the next value from the observed ones. Full-step:
all values after a prefix, each from the prefix and the predictions before it. Adam and mean absolute error are the
paper's; layer sizes and the number of steps are ours, for the paper does not give them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from models.threads import one_torch_thread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.forecaster.curves import Floats

HIDDEN = 32  # ours: the paper does not say
STEPS = 400  # ours: the paper does not say
RATE = 5e-3  # ours: the paper does not say


@dataclass(frozen=True)
class PaperLstm:
    """One of the four.

    Attributes:
        bidirectional: Whether a second LSTM reads backwards.
        full_step: Whether it lives on its own predictions after the prefix.
        sees_future: Bi-directional and one-step only: the backward LSTM reads the whole curve, the predicted value
            included, as a plain bi-directional layer does; else it reads what comes before that value.
    """

    bidirectional: bool
    full_step: bool
    sees_future: bool = False

    @property
    def name(self) -> str:
        """As the paper says it."""
        return f"{'bi' if self.bidirectional else 'uni'}-directional {'full' if self.full_step else 'one'}-step"


PAPER_LSTMS = tuple(PaperLstm(bidirectional, full) for bidirectional in (False, True) for full in (False, True))


class PaperNetwork(nn.Module):
    """An LSTM and a linear layer: the value after each point of a sequence."""

    def __init__(self, *, bidirectional: bool) -> None:
        """One layer of HIDDEN units in each direction."""
        super().__init__()
        self.lstm = nn.LSTM(1, HIDDEN, batch_first=True, bidirectional=bidirectional)
        self.out = nn.Linear(HIDDEN * (1 + bidirectional), 1)

    def forward(self, y: Tensor) -> Tensor:
        """Sequences (N, T) to the value after each of their points, (N, T)."""
        hidden, _ = self.lstm(y[..., None])
        values: Tensor = self.out(hidden)[..., 0]
        return values


@dataclass(frozen=True)
class PaperPredictor:
    """One of the four, fitted."""

    kind: PaperLstm
    network: PaperNetwork

    def predict(self, y: Floats, prefix: int) -> Floats:
        """Values after the first ``prefix`` points.

        Args:
            y: The whole curve, shape (T,). One-step reads all points before each predicted one; full-step reads
                the prefix alone.
            prefix: Points seen at the start, at least 1.

        Returns:
            Shape (T - prefix,).
        """
        with torch.inference_mode():
            values = _predicted(self.kind, self.network, torch.tensor(y, dtype=torch.float32)[None], prefix)
        return values[0].numpy().astype(np.float64)


def fit_paper_lstm(kind: PaperLstm, curves: Sequence[Floats], prefix: int, seed: int = 0) -> PaperPredictor:
    """Fit on curves of equal length T, shape (T,) each, with the loss over the points after the prefix.

    Raises:
        ValueError: If curves differ in length, or have no point after the prefix.
    """
    lengths = {len(curve) for curve in curves}
    if len(lengths) != 1 or not 1 <= prefix < min(lengths):
        raise ValueError(f"curves must share one length above the prefix {prefix}, got {sorted(lengths)}")
    with one_torch_thread(), torch.random.fork_rng():
        torch.manual_seed(seed)
        network = PaperNetwork(bidirectional=kind.bidirectional)
        values = torch.tensor(np.stack(curves), dtype=torch.float32)
        optimiser = torch.optim.Adam(network.parameters(), RATE)
        for _ in range(STEPS):
            optimiser.zero_grad()
            loss = (_predicted(kind, network, values, prefix) - values[:, prefix:]).abs().mean()
            torch.autograd.backward(loss)
            optimiser.step()
    return PaperPredictor(kind, network.eval())


def roll_out(network: PaperNetwork, seen: Tensor, steps: int) -> Tensor:
    """Continue sequences (N, P) by ``steps`` values, each read by the next: (N, steps)."""
    values = seen
    for _ in range(steps):
        values = torch.cat([values, network(values)[:, -1:]], dim=1)
    return values[:, seen.shape[1] :]


def _predicted(kind: PaperLstm, network: PaperNetwork, values: Tensor, prefix: int) -> Tensor:
    """What one says of all points after the prefix of sequences (N, T): (N, T - prefix)."""
    points = values.shape[1]
    if kind.full_step:
        return roll_out(network, values[:, :prefix], points - prefix)
    if kind.sees_future or not kind.bidirectional:
        after: Tensor = network(values[:, :-1])
        return after[:, prefix - 1 :]
    return torch.stack([network(values[:, :end])[:, -1] for end in range(prefix, points)], dim=1)
