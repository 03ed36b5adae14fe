"""Shares over studies: every study is a cluster, whose items are not independent."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.benchmarks.coverage.judging.items import Chance, Interval

Z = 1.96
NEAR = 0.07  # of a stated probability to how often it comes true


@dataclass(frozen=True)
class Share:
    """Of items for which something holds, with its binomial 95 % interval.

    Attributes:
        value: Of all items; not a number without any.
        lower: Of the interval.
        upper: Of the interval.
        items: Their number.
        studies: That have any.
    """

    value: float
    lower: float
    upper: float
    items: int
    studies: int


@dataclass(frozen=True)
class Covered:
    """Of 90 % intervals: the share that holds the truth, and means of width and interval score."""

    share: Share
    width: float
    score: float


@dataclass(frozen=True)
class Calibrated:
    """Of stated probabilities: their mean, and how often they came true."""

    stated: float
    true: Share

    @property
    def agrees(self) -> bool:
        """Whether both lie within 0.07, or the interval of the latter holds the former."""
        near = abs(self.stated - self.true.value) <= NEAR
        return near or self.true.lower <= self.stated <= self.true.upper


def share_of(clusters: Sequence[Sequence[bool]]) -> Share:
    """Wilson's interval with as many items as independent ones would tell as much (Kish's design effect).

    Args:
        clusters: Whether it holds for each item, by study.
    """
    kept = [cluster for cluster in clusters if len(cluster)]
    if not kept:
        return Share(math.nan, math.nan, math.nan, 0, 0)
    held, counts = np.array([sum(c) for c in kept], dtype=np.float64), np.array([len(c) for c in kept])
    items, studies = int(counts.sum()), len(kept)
    value = float(held.sum() / items)
    spread = float(((held - value * counts) ** 2).sum()) * studies / max(1, studies - 1) / items**2
    told = min(items, max(studies, value * (1 - value) / spread)) if spread > 0 else studies
    lower, upper = wilson(value, told)
    return Share(value, lower, upper, items, studies)


def wilson(value: float, count: float) -> tuple[float, float]:
    """The 95 % interval of a share among ``count`` independent items."""
    middle = (value + Z**2 / (2 * count)) / (1 + Z**2 / count)
    half = Z / (1 + Z**2 / count) * math.sqrt(value * (1 - value) / count + Z**2 / (4 * count**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def covered(clusters: Sequence[Sequence[Interval]]) -> Covered:
    """Of intervals, by study."""
    every = [interval for cluster in clusters for interval in cluster]
    return Covered(
        share=share_of([[interval.holds for interval in cluster] for cluster in clusters]),
        width=float(np.mean([interval.width for interval in every])) if every else math.nan,
        score=float(np.mean([interval.score for interval in every])) if every else math.nan,
    )


def calibrated(clusters: Sequence[Sequence[Chance]]) -> Calibrated:
    """Of stated probabilities, by study."""
    every = [chance.stated for cluster in clusters for chance in cluster]
    return Calibrated(
        stated=float(np.mean(every)) if every else math.nan,
        true=share_of([[chance.true for chance in cluster] for cluster in clusters]),
    )
