"""The rule that is the answer: the cheapest configuration that is good enough. Pure, on arrays.

Without a target, good enough is likely within the tolerance of the best, and the cheapest is by cost per DSC; with one
it is surely at the target, and the cheapest is by price. Ranking, policy, acquisition and regret all ask this rule.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Reals = NDArray[np.float64] | NDArray[np.float32]
    Integers = NDArray[np.int64]

LIKELY = 0.5  # probability of lying within the tolerance of the best at which a configuration is eligible
SURE = 0.9  # probability of reaching a target, unless another one is asked for
PER_DSC = 100  # hundredths in one unit of DSC
DIGITS = 9  # of a cost; two that differ beyond are a tie
LEAST_DSC = 1e-6  # of a configuration that is right in a drawn or true surface where all are about 0


@dataclass(frozen=True)
class EnoughRule:
    """What is good enough among J configurations.

    Attributes:
        tolerance: DSC that does not matter.
        target: DSC to reach; None: the best of the same draw less the tolerance.
        assurance: Probability of reaching it from which on a configuration is eligible; None: 0.9 of a target, else
            0.5.
        out_of_reach: A target above the best is kept, so that nothing is good enough, or lowered to the best.
    """

    tolerance: float
    target: float | None
    assurance: float | None = None
    out_of_reach: Literal["kept", "lowered"] = "kept"

    @property
    def least_chance(self) -> float:
        """The probability from which on a configuration is eligible."""
        if self.assurance is not None:
            return self.assurance
        return LIKELY if self.target is None else SURE

    def floor(self, best: Floats | float) -> Floats:
        """The DSC to reach where the best configuration has this one; of the shape of ``best``."""
        best = np.asarray(best, dtype=np.float64)
        if self.target is None:
            return np.asarray(best - self.tolerance)
        return np.minimum(best, self.target) if self.out_of_reach == "lowered" else np.full(best.shape, self.target)

    def floors(self, draws: Reals) -> Reals:
        """The DSC to reach in each of S draws of shape (S, J), shape (S, 1)."""
        if self.target is not None and self.out_of_reach == "kept":
            return np.full((len(draws), 1), self.target, dtype=draws.dtype)
        best = draws.max(axis=1, keepdims=True)
        return np.asarray(best - self.tolerance if self.target is None else np.minimum(best, self.target))

    def probabilities(self, draws: Reals, weights: Reals | None = None) -> Floats:
        """Share of S draws in which each of J configurations reaches the floor.

        Args:
            draws: Expected DSC, without any error of run or cases added, shape (S, J).
            weights: Of the draws, adding up to 1, shape (S,), or several such, shape (E, S); None: all alike.

        Returns:
            Shape (J,), or (E, J).
        """
        reached = draws >= self.floors(draws)
        shares = reached.mean(axis=0) if weights is None else weights @ reached.astype(weights.dtype)
        return np.asarray(shares, dtype=np.float64)

    def by_merit(self, dsc: Floats, prices: Floats, chance: Floats, size: Integers) -> Integers:
        """Order of J configurations: the eligible by merit, then the others, the likeliest first.

        Far from the floor no draw reaches it: among equally unlikely ones the better DSC is the nearer one.

        Args:
            dsc: Expected DSC, shape (J,).
            prices: Shape (J,).
            chance: Probability of reaching the floor, shape (J,).
            size: Rank by size, which decides between equals, shape (J,).

        Returns:
            Indices, shape (J,).
        """
        eligible = self.eligible(chance)
        merit = np.where(eligible, rounded(self._cost(prices, dsc)), -chance)
        nearness = np.where(eligible, 0.0, -rounded(dsc))
        return np.lexsort((size, nearness, merit, ~eligible))

    def first(self, dsc: Floats, prices: Floats, chance: Floats, size: Integers) -> int:
        """The first `by_merit`, without putting the others in order."""
        eligible = self.eligible(chance)
        if eligible.any():
            merit = np.where(eligible, rounded(self._cost(prices, dsc)), np.inf)
            near = eligible & (merit == merit.min())
        else:
            near = chance == chance.max()
            merit = np.where(near, -rounded(dsc), np.inf)
            near &= merit == merit.min()
        return int(np.where(near, size, len(size)).argmin())

    def eligible(self, chance: Floats) -> NDArray[np.bool_]:
        """Which configurations are likely enough to reach the floor, of the shape of ``chance``."""
        return np.asarray(chance >= self.least_chance)

    def right(self, dsc: Floats, prices: Floats) -> Integers:
        """The right configuration of each surface whose DSC is known, shape (..., J): indices of shape (...)."""
        reached = dsc >= self.floor(dsc.max(axis=-1, keepdims=True))
        cost = np.broadcast_to(prices, dsc.shape) if self.target is not None else prices / np.maximum(dsc, LEAST_DSC)
        return np.asarray(np.where(reached, cost, np.inf).argmin(axis=-1))

    def _cost(self, prices: Floats, dsc: Floats) -> Floats:
        """What the eligible are ordered by: the price of a target, else that of each 0.01 DSC."""
        return prices if self.target is not None else cost_per_dsc(prices, dsc)


def cost_per_dsc(prices: Floats, dsc: Floats) -> Floats:
    """Price of each 0.01 DSC, shape (J,); infinite where the DSC is not positive."""
    return np.where(dsc > 0, prices / (PER_DSC * np.where(dsc > 0, dsc, 1.0)), np.inf)


class _Sized(Protocol):
    """A row of the ranking, a cell's plan, or anything else of a known size."""

    @property
    def num_cases(self) -> int: ...

    @property
    def parameters(self) -> int: ...

    @property
    def depth(self) -> int: ...

    @property
    def variant(self) -> str: ...


def by_size(configuration: _Sized) -> tuple[int, int, int, str]:
    """What decides between equals: fewer cases, then fewer parameters."""
    return configuration.num_cases, configuration.parameters, configuration.depth, configuration.variant


def rounded(values: Floats) -> Floats:
    """To nine significant digits, so that values which differ only by rounding are a tie; infinities stay."""
    finite = np.isfinite(values) & (values != 0)
    scale = 10.0 ** (DIGITS - 1 - np.floor(np.log10(np.abs(np.where(finite, values, 1.0)))))
    return np.where(finite, np.round(values * scale) / scale, values)
