"""Claims of Lee et al. 2025, held against a study: held, not held, or undecided, each with its interval.

Curves and intervals are those of the answer on test cases. Shares of the cases are of those at hand, N.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.special import fdtri

from search.curves.intervals import Interval, interval_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from search.curves.data_curves import DataCurves

    Floats = NDArray[np.float64]

Verdict = Literal["held", "not held", "undecided"]

FEW = 0.3  # share of the cases above which the paper sees gains with depth
PLATEAU = 0.8  # share past which it sees a plateau
GOOD_ERROR = 0.0153  # mean absolute error, the largest that it publishes (BraTS, uni-directional)
LEAST_RESIDUALS = 3  # on each side, for a ratio of variances
POSITIONS = 16  # at which two depths are compared on each side
LEAST_ERRORS = 3  # from which on drawing them again says anything
RESAMPLES = 2000


@dataclass(frozen=True)
class PaperClaim:
    """One claim.

    Attributes:
        statement: In the paper's sense.
        measure: What was looked at here.
        value: Of the measure; None where the study cannot tell.
        interval: Its 90 % interval.
        bar: When the claim holds, in words.
        verdict: Undecided where the interval holds both, or nothing can be told.
    """

    statement: str
    measure: str
    value: float | None
    interval: Interval | None
    bar: str
    verdict: Verdict


def paper_claims(
    curves: DataCurves | None,
    depths: Sequence[int],
    errors: Mapping[int, Floats],
    *,
    num_train: int,
    tolerance: float,
) -> tuple[PaperClaim, ...]:
    """All claims, those that the study cannot tell of undecided.

    Args:
        curves: On test cases; None where nothing learned.
        depths: Those with a curve of their own, rising.
        errors: Absolute errors of forecasts from half of the cases, by depth.
        num_train: Training cases at hand, N.
        tolerance: DSC that does not matter.
    """
    read = None if curves is None or not depths else _Reading(curves, tuple(depths), num_train)
    return (
        _gain_with_data(read),
        _gain_with_depth(read, tolerance),
        _depth_saturates(read, tolerance),
        _plateau(read, tolerance),
        _fluctuations(read),
        _error_by_depth(errors),
        _good_from_half(errors),
    )


@dataclass(frozen=True, eq=False)
class _Reading:
    """Curves read at shares of the cases at hand: expected (1, P) first, replicates (R, P) after it."""

    curves: DataCurves
    depths: tuple[int, ...]
    num_train: int

    @property
    def fewest(self) -> float:
        """Share of the fewest cases that were tried."""
        return float(self.curves.points.num_cases.min()) / self.num_train

    def at(self, depth: int, shares: Floats | Sequence[float]) -> Floats:
        cases = np.asarray(shares, dtype=np.float64) * self.num_train
        return np.concatenate([self.curves.curve[depth].at(cases), self.curves.replicates[depth].at(cases)])

    def deepest_gain(self, shares: Floats) -> Floats:
        """Of the deepest over the shallowest depth, mean over shares: shape (1 + R,)."""
        gain: Floats = (self.at(self.depths[-1], shares) - self.at(self.depths[0], shares)).mean(axis=1)
        return gain


def _gain_with_data(read: _Reading | None) -> PaperClaim:
    statement, bar = "DSC gains with data", "above 0"
    measure = "rise from the fewest cases tried to all, mean over depths"
    if read is None or read.fewest >= 1:
        return _untold(statement, measure, bar)
    rise = np.mean([np.diff(read.at(depth, [read.fewest, 1.0]), axis=1)[:, 0] for depth in read.depths], axis=0)
    return _above_zero(statement, measure, bar, rise)


def _gain_with_depth(read: _Reading | None, tolerance: float) -> PaperClaim:
    statement = f"DSC gains with depth only above about {100 * FEW:.0f} % of the cases"
    bar = f"above 0 there, more than below {100 * FEW:.0f} %, and within the tolerance below"
    if read is None or len(read.depths) < len(("shallow", "deep")) or read.fewest >= FEW:
        return _untold(statement, "gain of the deepest over the shallowest depth", bar)
    many = read.deepest_gain(np.geomspace(FEW, 1.0, POSITIONS))
    few = read.deepest_gain(np.geomspace(read.fewest, FEW, POSITIONS))
    above, more = interval_of(many[1:]), interval_of((many - few)[1:])
    below = interval_of(few[1:])
    measure = (
        f"gain of depth {read.depths[-1]} over {read.depths[0]} above {100 * FEW:.0f} %"
        f" (below: {few[0]:.3f} [{below.lower:.3f}, {below.upper:.3f}])"
    )
    verdict: Verdict = "undecided"
    if above.lower > 0 and more.lower > 0 and few[0] <= tolerance:
        verdict = "held"
    elif above.upper <= 0 or more.upper <= 0 or below.lower > tolerance:
        verdict = "not held"
    return PaperClaim(statement, measure, float(many[0]), above, bar, verdict)


def _depth_saturates(read: _Reading | None, tolerance: float) -> PaperClaim:
    statement, bar = "Depth saturates", f"at most the tolerance, {tolerance:g}"
    if read is None or len(read.depths) < len(("last but one", "last")):
        return _untold(statement, "gain of the deepest over the depth before it, at all cases", bar)
    before, last = read.depths[-2:]
    gain = (read.at(last, [1.0]) - read.at(before, [1.0]))[:, 0]
    return _at_most(statement, f"gain of depth {last} over {before}, at all cases", bar, gain, tolerance)


def _plateau(read: _Reading | None, tolerance: float) -> PaperClaim:
    statement = f"A plateau past about {100 * PLATEAU:.0f} % of the cases"
    bar = f"at most the tolerance, {tolerance:g}"
    if read is None or read.fewest >= PLATEAU:
        return _untold(statement, f"gain from {100 * PLATEAU:.0f} % of the cases to all", bar)
    best = max(read.depths, key=lambda depth: float(read.at(depth, [1.0])[0, 0]))
    gain = np.diff(read.at(best, [PLATEAU, 1.0]), axis=1)[:, 0]
    return _at_most(
        statement, f"gain from {100 * PLATEAU:.0f} % of the cases to all, depth {best}", bar, gain, tolerance
    )


def _fluctuations(read: _Reading | None) -> PaperClaim:
    statement, bar = "DSC fluctuates more at low ratios", "above 1"
    measure = f"variance of measured around fitted DSC, up to {100 * FEW:.0f} % of the cases against beyond"
    if read is None:
        return _untold(statement, measure, bar)
    points = read.curves.points
    residual = (points.dsc - read.curves.expected(points.depth, points.num_cases)) * np.sqrt(points.seeds)
    low = points.num_cases <= FEW * read.num_train
    sides = residual[low], residual[~low]
    if min(map(len, sides)) < LEAST_RESIDUALS or not (sides[1] ** 2).mean() > 0:
        return _untold(statement, measure, bar)
    ratio = float((sides[0] ** 2).mean() / (sides[1] ** 2).mean())
    upper, lower = fdtri(len(sides[0]), len(sides[1]), np.array([0.05, 0.95]))
    inside = Interval(float(ratio / lower), float(ratio / upper))
    return PaperClaim(statement, measure, ratio, inside, bar, _verdict(inside.lower > 1, inside.upper <= 1))


def _error_by_depth(errors: Mapping[int, Floats]) -> PaperClaim:
    statement, bar = "The error of forecasts falls with depth", "below 0"
    measure = "change of the mean absolute error of forecasts from half of the cases with each level"
    if len(errors) < len(("one", "other")) or min(map(len, errors.values())) < LEAST_ERRORS:
        return _untold(statement, measure, bar)
    depths = np.array(sorted(errors), dtype=np.float64)
    slopes = np.array([np.polyfit(depths, means, 1)[0] for means in _mean_errors(errors)])
    inside = interval_of(slopes[1:])
    return PaperClaim(statement, measure, float(slopes[0]), inside, bar, _verdict(inside.upper < 0, inside.lower >= 0))


def _good_from_half(errors: Mapping[int, Floats]) -> PaperClaim:
    statement = "Forecasts are good from half of the data"
    bar = f"at most {GOOD_ERROR}, the largest error that the paper publishes"
    measure = "mean absolute error of forecasts from half of the cases"
    if sum(map(len, errors.values())) < LEAST_ERRORS:
        return _untold(statement, measure, bar)
    means = np.array([means.mean() for means in _mean_errors(errors, depths_too=len(errors) >= LEAST_ERRORS)])
    return _at_most(statement, measure, bar, means, GOOD_ERROR)


def _mean_errors(errors: Mapping[int, Floats], *, depths_too: bool = False) -> Iterator[Floats]:
    """Mean error of each depth, rising; then the same with every depth's errors drawn again, and the depths too."""
    own = [np.asarray(errors[depth]) for depth in sorted(errors)]
    yield np.array([errors.mean() for errors in own])
    rng = np.random.default_rng(0)
    drawn = [rng.choice(errors, (RESAMPLES, len(errors))).mean(axis=1) for errors in own]
    means = np.stack(drawn, axis=1)
    if depths_too:
        means = np.take_along_axis(means, rng.integers(0, len(own), means.shape), axis=1)
    yield from means


def _above_zero(statement: str, measure: str, bar: str, values: Floats) -> PaperClaim:
    inside = interval_of(values[1:])
    return PaperClaim(statement, measure, float(values[0]), inside, bar, _verdict(inside.lower > 0, inside.upper <= 0))


def _at_most(statement: str, measure: str, bar: str, values: Floats, most: float) -> PaperClaim:
    inside = interval_of(values[1:])
    verdict = _verdict(inside.upper <= most, inside.lower > most)
    return PaperClaim(statement, measure, float(values[0]), inside, bar, verdict)


def _verdict(held: bool, not_held: bool) -> Verdict:  # noqa: FBT001 - the two sides of one question
    return "held" if held else "not held" if not_held else "undecided"


def _untold(statement: str, measure: str, bar: str) -> PaperClaim:
    return PaperClaim(statement, measure, None, None, bar, "undecided")
