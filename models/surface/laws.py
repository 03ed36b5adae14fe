"""Laws of growth: how the DSC falls short with few cases, as shapes that fall from 1 at few cases to 0 at all."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

POWERS = (0.3, 0.6, 1.0, 1.5, 2.2, 3.2)  # phi = (z + s)^-c, z the share of all cases
STARTS = (0.0, 0.05)  # s: the first cases bring less than the power alone would say
RATES = (0.7, 1.5, 2.5, 4.0, 7.0, 12.0, 30.0)  # phi = exp(-k·z)
FEW = 0.05  # the share of all cases at which phi is 1


class Law(NamedTuple):
    """A shape at J shares of all cases, of shape (J,), and what it weighs before anything is measured."""

    shape: Floats
    weight: float


def laws(share: Floats) -> list[Law]:
    """The logarithm, power laws (pow4) and exponential ones: three families, each as likely as the others."""
    log = [np.log(share) / np.log(FEW)]
    powers = [
        ((share + s) ** -c - (1 + s) ** -c) / ((FEW + s) ** -c - (1 + s) ** -c) for c, s in product(POWERS, STARTS)
    ]
    rates = [(np.exp(-k * share) - np.exp(-k)) / (np.exp(-k * FEW) - np.exp(-k)) for k in RATES]
    return [Law(shape, 1 / len(family)) for family in (log, powers, rates) for shape in family]
