"""What few test cases leave open: how precise they make a DSC, how many would do better, and a run scored on others."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from search.curves.data_curves import UNKNOWN, resampled_shift
from search.curves.intervals import interval_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from search.curves.data_curves import DataCurves
    from search.curves.intervals import Interval

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

UNIFORM = 1 / 12  # variance of a score that nothing is known of
MOST_GROUPS = 10**6


@dataclass(frozen=True)
class CasePrecision:
    """What the test cases leave open of one configuration's mean DSC, whatever runs leave open besides.

    Attributes:
        cases: Test cases.
        groups: That they come from.
        half_width: Of the 90 % interval of its mean DSC by these cases alone.
        wanted: The half-width that is wanted: half of that where none was asked for.
        is_asked: Whether that was asked for.
        groups_needed: How many would give it, if they score as these do.
        cases_needed: The same in cases, at as many a group as here.
        new_cases: Number of other test cases that a new run is scored on; None where not asked.
        new_run_interval: Of the mean DSC of one new run on so many other cases.
    """

    cases: int
    groups: int
    half_width: float
    wanted: float
    is_asked: bool
    groups_needed: int
    cases_needed: int
    new_cases: int | None
    new_run_interval: Interval | None


def case_precision(
    curves: DataCurves,
    depth: int,
    num_cases: int,
    groups: Integers | None,
    *,
    half_width: float | None = None,
    new_cases: int | None = None,
    seed: int = 0,
) -> CasePrecision | None:
    """What the test cases leave open of a measured configuration; None of a single score, which is of no cases.

    Args:
        curves: On test cases.
        depth: Of the configuration.
        num_cases: Training cases of it.
        groups: Group of each test case, shape (K,); None: each is its own.
        half_width: Wanted, in DSC; None: half of what it is.
        new_cases: Other test cases that a new run may be scored on.
        seed: Of the draws.
    """
    points = curves.points
    (place,) = np.flatnonzero((points.depth == depth) & (points.num_cases == num_cases))
    scores = points.case_dsc[place]
    if len(scores) == 1:
        return None
    rng = np.random.default_rng(seed)
    number = len(scores) if groups is None else len(np.unique(groups))
    inside = interval_of(resampled_shift(scores[None, :], groups, len(curves.luck), rng)[:, 0])
    now = (inside.upper - inside.lower) / 2
    wanted = now / 2 if half_width is None else half_width
    needed = _groups_needed(_group_means(scores, groups), now, wanted)
    return CasePrecision(
        cases=len(scores),
        groups=number,
        half_width=now,
        wanted=wanted,
        is_asked=half_width is not None,
        groups_needed=needed,
        cases_needed=math.ceil(needed * len(scores) / number),
        new_cases=new_cases,
        new_run_interval=None
        if new_cases is None
        else _on_others(_new_run(curves, depth, float(num_cases)), scores, groups, new_cases, rng),
    )


def _group_means(scores: Floats, groups: Integers | None) -> Floats:
    if groups is None:
        return scores
    _, member, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    return np.asarray(np.bincount(member, weights=scores) / sizes)


def _groups_needed(means: Floats, now: float, wanted: float) -> int:
    """The fewest groups that score like these and leave a half-width of at most ``wanted``, these leaving ``now``."""
    most = (wanted / now) ** 2 * _variance(means, len(means))
    return bisect_left(range(MOST_GROUPS), -most, lo=1, key=lambda number: -_variance(means, number))


def _variance(means: Floats, number: int) -> float:
    """Of the mean over so many groups, by the Bayesian bootstrap with one unseen case: see `resampled_shift`."""
    bias = UNKNOWN * (0.5 - means.mean())
    unseen = UNKNOWN * ((means.mean() - 0.5) ** 2 + UNIFORM) + (1 - UNKNOWN) * means.var()
    within = (number * means.var() + number / (number + 1) * unseen) / ((number + 1) * (number + 2))
    return float(within + (unseen - bias**2) / (number + 1) ** 2)


def _new_run(curves: DataCurves, depth: int, num_cases: float) -> Floats:
    """DSC of one new run over all cases of the kind, in each replicate, shape (R,)."""
    return np.asarray(curves.drawn([depth], [num_cases])[:, 0] + curves.new_run([num_cases])[:, 0])


def _on_others(
    run: Floats, scores: Floats, groups: Integers | None, new_cases: int, rng: np.random.Generator
) -> Interval:
    """One new run scored on about so many other cases, whose groups are drawn anew in each replicate."""
    _, member = np.unique(np.arange(len(scores)) if groups is None else groups, return_inverse=True)
    sizes, sums = np.bincount(member), np.bincount(member, weights=scores - scores.mean())
    number = max(1, round(new_cases * len(sizes) / len(scores)))
    times = rng.multinomial(number, np.full(len(sizes), 1 / len(sizes)), size=len(run))
    return interval_of(np.clip(run + (times @ sums) / (times @ sizes), 0.0, 1.0))
