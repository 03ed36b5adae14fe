"""What the data curve of one depth says: enough cases, its plateau, and what more cases bring."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from search.curves.intervals import Estimate, Interval, interval_of
from storage.variants import OWN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from search.curves.data_curves import DataCurves
    from search.curves.interpolation import Curves

    Floats = NDArray[np.float64]

SURE = 0.9  # probability at which a curve is called flat, or still rising
FURTHER_CASES = 100
CurveVerdict = Literal["flat", "still rising", "cannot tell"]


@dataclass(frozen=True)
class CaseCount:
    """A number of training cases read off a data curve.

    Attributes:
        cases: None where it lies beyond twice the cases at hand.
        ratio: Share of the cases at hand; None with ``cases``.
        interval: In cases, from the fewest that were tried to twice those at hand.
        capped: Whether the interval ends at twice the cases at hand because nothing is extrapolated beyond.
    """

    cases: int | None
    ratio: float | None
    interval: Interval
    capped: bool


@dataclass(frozen=True)
class CurveAnswer:
    """One data curve, on validation or on test cases; N is the number of training cases at hand.

    Attributes:
        sufficient: Fewest cases within the tolerance of the DSC at N: it always exists, and says nothing of more data.
        plateau: Fewest cases whose doubling gains no more than the tolerance.
        reached: Whether the plateau is at most N, and doubling N gains no more than the tolerance with P >= 0.9.
        p_rising: Probability that doubling N gains more than the tolerance.
        verdict: Flat where the plateau is reached, still rising where doubling surely gains more than the tolerance.
        doubling_gain: f(2N) - f(N).
        doubling_gain_interval: Its interval.
        gain_per_100_cases: Gain of 100 further cases at N.
        gain_per_100_cases_interval: Its interval.
        dsc: f(N), fitted.
    """

    sufficient: CaseCount
    plateau: CaseCount
    reached: bool
    p_rising: float
    verdict: CurveVerdict
    doubling_gain: float
    doubling_gain_interval: Interval
    gain_per_100_cases: float
    gain_per_100_cases_interval: Interval
    dsc: Estimate


@dataclass(frozen=True)
class DepthAnswer:
    """The data curves of one recipe.

    Attributes:
        depth: Of the U-Net.
        fewest_cases: Fewest training cases that were tried at any depth of the variant and learned; no count is read
            off below it.
        num_flagged: Runs that did not learn, or collapsed.
        num_measured: All runs.
        on_validation: The curve that decides; None where too little was measured.
        on_test: The curve that estimates, and is printed; None with ``on_validation``.
        reason: Why there is no curve; None where there is one.
        variant: Of the protocol; empty is its own.
    """

    depth: int
    fewest_cases: int | None
    num_flagged: int
    num_measured: int
    on_validation: CurveAnswer | None
    on_test: CurveAnswer | None
    reason: str | None
    variant: str = OWN


def curve_answer(curves: DataCurves, depth: int, num_train: int, tolerance: float) -> CurveAnswer:
    """Read the curve of one depth; nothing is read off below the fewest cases that were tried at any depth."""
    expected, replicates = curves.curve[depth], curves.replicates[depth]
    fewest = float(curves.points.num_cases.min())
    sufficient, plateau = (
        (expected.sufficient_within(num_train, tolerance), replicates.sufficient_within(num_train, tolerance)),
        (expected.plateau(tolerance), replicates.plateau(tolerance)),
    )
    doubling, doublings = (curves.gain(num_train, 2 * num_train) for curves in (expected, replicates))
    further, furthers = (_gain_per_100_cases(curves, num_train) for curves in (expected, replicates))
    rising = float(np.mean(doublings > tolerance))
    reached = bool(plateau[0][0] <= num_train and rising <= 1 - SURE)
    return CurveAnswer(
        sufficient=case_count(*sufficient, fewest, num_train),
        plateau=case_count(*plateau, fewest, num_train),
        reached=reached,
        p_rising=rising,
        verdict="flat" if reached else "still rising" if rising >= SURE else "cannot tell",
        doubling_gain=float(doubling[0]),
        doubling_gain_interval=interval_of(doublings),
        gain_per_100_cases=float(further[0]),
        gain_per_100_cases_interval=interval_of(furthers),
        dsc=_dsc_at(curves, depth, num_train),
    )


def case_count(value: Floats, replicates: Floats, fewest: float, num_train: int) -> CaseCount:
    """Keep a count of shape (1,) and its replicates of shape (R,) to the range that the data speak of."""
    # Fewer cases than were ever tried are no finding, and beyond 2N nothing is extrapolated.
    most = 2.0 * num_train
    kept = np.clip(replicates, min(fewest, most), most)
    inside = interval_of(kept)
    whole = Interval(math.floor(inside.lower), math.ceil(inside.upper))
    capped = inside.upper >= most and bool((replicates > most).any())
    if value[0] > most:
        return CaseCount(None, None, whole, capped)
    cases = int(max(value[0], fewest))
    return CaseCount(cases, cases / num_train, whole, capped)


def _gain_per_100_cases(curves: Curves, num_train: int) -> Floats:
    """Gain of the next cases at N, per 100: shape (R,)."""
    # With fewer than 100 cases at hand, 100 more would lie beyond 2N.
    step = min(FURTHER_CASES, num_train)
    return curves.gain(num_train, num_train + step) * (FURTHER_CASES / step)


def _dsc_at(curves: DataCurves, depth: int, num_train: int) -> Estimate:
    at = np.array([float(num_train)])
    replicates = curves.replicates[depth].at(at)[:, 0]
    value = float(curves.curve[depth].at(at)[0, 0])
    return Estimate(value, interval_of(replicates), interval_of(replicates + curves.new_run(at)[:, 0]))
