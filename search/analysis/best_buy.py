"""The best buy at a stated worth of 0.01 DSC: where the worth of a configuration's DSC exceeds its price the most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from search.analysis.good_enough import by_size
from storage.variants import OWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from search.analysis.ranking import RankedConfiguration

    Floats = NDArray[np.float64]

PER_DSC = 100
MOST_RIVALS = 5


@dataclass(frozen=True)
class Buy:
    """One configuration at the stated worth.

    Attributes:
        depth: Of the U-Net.
        num_cases: Training cases.
        price: Of one training and all cases.
        net_worth: Worth of its fitted validation DSC less its price.
        share_best: Share of the replicates in which no other configuration has more.
        is_forecast: Whether it was not measured.
        variant: Of the protocol; empty is its own.
    """

    depth: int
    num_cases: int
    price: float
    net_worth: float
    share_best: float
    is_forecast: bool
    variant: str = OWN


@dataclass(frozen=True)
class BestBuy:
    """What to buy if each 0.01 DSC is worth a stated amount.

    Attributes:
        worth: Of 0.01 DSC.
        best: The configuration of the largest net worth.
        rivals: Others that are best in some replicates, the likeliest first.
    """

    worth: float
    best: Buy
    rivals: tuple[Buy, ...]


def best_buy(rows: Sequence[RankedConfiguration], fitted: Floats, drawn: Floats, worth: float) -> BestBuy | None:
    """The best of J configurations; ties: fewer cases, then fewer parameters.

    Args:
        rows: The configurations.
        fitted: Fitted validation DSC of each, shape (J,).
        drawn: The same in R replicates, shape (R, J).
        worth: Of 0.01 DSC, in the currency of the prices.
    """
    if not rows:
        return None
    order = sorted(range(len(rows)), key=lambda i: by_size(rows[i]))
    prices = np.array([rows[i].price for i in order])
    net = PER_DSC * worth * fitted[order] - prices
    winners = np.argmax(PER_DSC * worth * drawn[:, order] - prices, axis=1)
    shares = np.bincount(winners, minlength=len(order)) / len(drawn)
    buys = [_buy(rows[i], float(n), float(s)) for i, n, s in zip(order, net, shares, strict=True)]
    best = buys[int(net.argmax())]
    rivals = sorted((buy for buy in buys if buy is not best and buy.share_best > 0), key=lambda buy: -buy.share_best)
    return BestBuy(worth, best, tuple(rivals[:MOST_RIVALS]))


def _buy(row: RankedConfiguration, net: float, share: float) -> Buy:
    return Buy(row.depth, row.num_cases, row.price, net, share, row.is_forecast, row.variant)
