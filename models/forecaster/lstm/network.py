"""The network: an LSTM over the binned curve, attention over siblings, and a head that gives quantiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.forecaster.lstm.encoding import HORIZON_FEATURES, SEQUENCE_FEATURES, SUMMARY_FEATURES
from models.forecaster.lstm.sibling_features import TOKEN_FEATURES

if TYPE_CHECKING:
    from models.forecaster.curves import Floats

LEVELS = (0.01, 0.05, 0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 0.95, 0.99)
MEDIAN = LEVELS.index(0.5)
KINDS = 2  # of a new measured value; of the expected value
GAINS = 3  # leading token features that say what a sibling did afterwards
HEADS = 4
# While it is fitted, so that no clue is relied on alone: measured curves are not quite like drawn ones.
INPUT_DROPOUT, DROPOUT = 0.1, 0.2


def as_tensor(values: Floats) -> Tensor:
    """Features as the network takes them, in float32."""
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))


class SiblingAttention(nn.Module):
    """Pools siblings, in whatever order they come."""

    def __init__(self, state: int, width: int) -> None:
        """``state``: size of the target's own state; ``width``: of a sibling's."""
        super().__init__()
        self.token = nn.Linear(TOKEN_FEATURES, width)
        self.target = nn.Linear(state, width)
        self.mix = nn.Linear(width, width)
        self.logits = nn.Linear(width, HEADS)
        self.values = nn.Linear(width, width)
        self.size = width + 2 * GAINS * HEADS + HEADS + 1

    def forward(self, state: Tensor, tokens: Tensor, there: Tensor) -> Tensor:
        """State (N, state), tokens (N, J, TOKEN_FEATURES), there (N, J) in 0..1: (N, size); zeros without siblings."""
        hidden = functional.silu(self.token(tokens) + self.target(state)[:, None])
        hidden = functional.silu(self.mix(hidden))
        logits = self.logits(hidden) + torch.log(there + 1e-9)[..., None]
        weights = torch.softmax(logits, dim=1) * there[..., None]  # (N, J, HEADS)
        values = self.values(hidden).unflatten(-1, (HEADS, -1))
        pooled = (weights[..., None] * values).sum(dim=1).flatten(1)
        gains, by_head = tokens[..., :GAINS], weights.transpose(1, 2)
        mean, square = by_head @ gains, by_head @ gains**2
        spread = torch.sqrt(torch.clamp(square - mean**2, min=1e-6))
        effective = torch.log(1e-3 + 1 / torch.clamp((weights**2).sum(dim=1), min=1e-3))
        number = torch.log1p(there.sum(dim=1, keepdim=True))
        some = (there.sum(dim=1, keepdim=True) > 0).to(tokens.dtype)
        return some * torch.cat([pooled, mean.flatten(1), spread.flatten(1), effective, number], dim=1)


class ForecastNetwork(nn.Module):
    """Quantiles of what a curve gains from its level, in units of its scale.

    Attributes:
        hidden: Size of the LSTM's state.
        width: Of the head's layers.
    """

    def __init__(self, hidden: int = 96, width: int = 256, sibling_width: int = 64) -> None:
        """Sizes as in the shipped weights."""
        super().__init__()
        self.lstm = nn.LSTM(SEQUENCE_FEATURES, hidden, batch_first=True)
        own = hidden + SUMMARY_FEATURES
        self.siblings = SiblingAttention(own, sibling_width)
        self.head = nn.Sequential(
            nn.Dropout(INPUT_DROPOUT),
            nn.Linear(own + HORIZON_FEATURES + self.siblings.size, width),
            nn.SiLU(),
            nn.Dropout(DROPOUT),
            nn.Linear(width, width),
            nn.SiLU(),
            nn.Dropout(DROPOUT),
            nn.Linear(width, width // 2),
            nn.SiLU(),
            nn.Linear(width // 2, KINDS * len(LEVELS)),
        )

    def state(self, sequence: Tensor, summary: Tensor) -> Tensor:
        """The state of R curves: sequence (R, BINS, F), summary (R, S) to (R, state)."""
        _, (last, _) = self.lstm(sequence)
        return torch.cat([last[0], summary], dim=1)

    def forward(self, state: Tensor, horizon: Tensor, tokens: Tensor, there: Tensor) -> Tensor:
        """Quantiles for N pairs of curve and horizon.

        Args:
            state: Shape (N, state).
            horizon: Shape (N, HORIZON_FEATURES).
            tokens: Shape (N, J, TOKEN_FEATURES).
            there: Which siblings there are, 0 or 1, shape (N, J); J may be 0.

        Returns:
            Rising quantiles (N, KINDS, len(LEVELS)).
        """
        if tokens.shape[1]:
            pooled = self.siblings(state, tokens, there)
        else:
            pooled = state.new_zeros((len(state), self.siblings.size))
        raw = self.head(torch.cat([state, horizon, pooled], dim=1)).unflatten(-1, (KINDS, len(LEVELS)))
        middle = raw[..., MEDIAN : MEDIAN + 1]
        # Steps away from the median are positive, so quantiles cannot cross; sinh opens the tails.
        up = torch.cumsum(functional.softplus(raw[..., MEDIAN + 1 :] - 2), dim=-1)
        down = torch.cumsum(functional.softplus(raw[..., :MEDIAN].flip(-1) - 2), dim=-1).flip(-1)
        return torch.sinh(torch.clamp(torch.cat([middle - down, middle, middle + up], dim=-1), -8, 8))
