"""The front of price and DSC: which configurations no other beats, and what each further 0.01 DSC costs along it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from search.analysis.good_enough import by_size
from search.curves.intervals import interval_of
from storage.variants import OWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from search.analysis.ranking import RankedConfiguration
    from search.curves.intervals import Estimate, Interval

    Floats = NDArray[np.float64]

PER_DSC = 100  # hundredths in one unit of DSC
ROUNDING = 1e-9  # steps on one straight line all stay
STEPS_TO_BEND = 3


@dataclass(frozen=True)
class FrontStep:
    """One configuration of the front, and what it adds to the one before it.

    Attributes:
        depth: Of the U-Net.
        num_cases: Training cases.
        price: Of one training and all cases.
        validation_fitted: Fitted validation DSC, which decides.
        estimate: Test DSC, measured or forecast.
        is_forecast: Whether it was not measured.
        gain: Of fitted validation DSC over the step before; None for the first.
        gain_interval: Of the same, paired over replicates; None for the first.
        icer: Incremental price of each further 0.01 DSC (incremental cost-effectiveness ratio); None for the first.
        distinguishable: Whether the 5th percentile of the gain is above 0; None for the first.
        variant: Of the protocol; empty is its own.
    """

    depth: int
    num_cases: int
    price: float
    validation_fitted: float
    estimate: Estimate
    is_forecast: bool
    gain: float | None
    gain_interval: Interval | None
    icer: float | None
    distinguishable: bool | None
    variant: str = OWN


def front_steps(rows: Sequence[RankedConfiguration], fitted: Floats, drawn: Floats) -> tuple[FrontStep, ...]:
    """The front of J judged configurations, by rising price.

    Args:
        rows: The configurations.
        fitted: Fitted validation DSC of each, shape (J,).
        drawn: The same in R replicates, shape (R, J).
    """
    order = sorted(range(len(rows)), key=lambda i: by_size(rows[i]))
    steps: list[FrontStep] = []
    before = None
    for place in front_of([rows[j].price for j in order], [float(fitted[j]) for j in order]):
        index = order[place]
        steps.append(_step(rows[index], float(fitted[index]), before, drawn[:, index]))
        before = _Before(rows[index].price, float(fitted[index]), drawn[:, index])
    return tuple(steps)


class _Before(NamedTuple):
    """The configuration before one of the front."""

    price: float
    fitted: float
    drawn: Floats


def front_of(prices: Sequence[float], dsc: Sequence[float]) -> list[int]:
    """Indices of the front by rising price, without those that are dominated, or extended-dominated.

    One is dominated if another costs no more and scores no less, and one of both strictly; of equals in both the first
    stands. While an incremental price is below the one before it, the configuration before is taken out.

    Example:
        >>> front_of([100, 200, 300, 350, 400], [0.70, 0.80, 0.82, 0.81, 0.90])
        [0, 1, 4]
    """
    kept: list[int] = []
    for index in sorted(range(len(prices)), key=lambda i: (prices[i], -dsc[i], i)):
        if kept and dsc[index] <= dsc[kept[-1]]:
            continue
        kept.append(index)
        while _bends_back(prices, dsc, kept):
            del kept[-2]
    return kept


def _bends_back(prices: Sequence[float], dsc: Sequence[float], front: Sequence[int]) -> bool:
    """Whether the last step of a front costs less for each 0.01 DSC than the step before it."""
    if len(front) < STEPS_TO_BEND:
        return False
    first, predecessor, last = front[-3:]
    return _icer(prices, dsc, predecessor, last) < _icer(prices, dsc, first, predecessor) * (1 - ROUNDING)


def _icer(prices: Sequence[float], dsc: Sequence[float], before: int, after: int) -> float:
    return (prices[after] - prices[before]) / (PER_DSC * (dsc[after] - dsc[before]))


def _step(row: RankedConfiguration, fitted: float, before: _Before | None, drawn: Floats) -> FrontStep:
    gain = inside = icer = None
    if before is not None:
        gain, inside = fitted - before.fitted, interval_of(drawn - before.drawn)
        icer = (row.price - before.price) / (PER_DSC * gain)
    return FrontStep(
        depth=row.depth,
        num_cases=row.num_cases,
        price=row.price,
        validation_fitted=fitted,
        estimate=row.estimate,
        is_forecast=row.is_forecast,
        gain=gain,
        gain_interval=inside,
        icer=icer,
        distinguishable=None if inside is None else inside.lower > 0,
        variant=row.variant,
    )
