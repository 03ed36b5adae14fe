"""Runs that did not learn or collapsed: which, and how often at each depth, with Wilson's interval."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

from search.curves.intervals import Interval
from search.curves.measurements import Measurement
from storage.variants import OWN, Recipe, recipe_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from search.curves.measurements import Flag, Measurement

    Floats = NDArray[np.float64]

Z = NormalDist().inv_cdf(0.95)


@dataclass(frozen=True)
class CollapseRate:
    """Flagged runs of one recipe.

    Attributes:
        depth: Of the U-Net.
        runs: Finished runs.
        not_learned: Those that never took off.
        collapsed: Those that fell back.
        rate: Share of both.
        interval: Its 90 % interval (Wilson 1927).
        variant: Of the protocol; empty is its own.
    """

    depth: int
    runs: int
    not_learned: int
    collapsed: int
    rate: float
    interval: Interval
    variant: str = OWN


def collapse_rates(measurements: Sequence[Measurement]) -> tuple[CollapseRate, ...]:
    """A rate for each recipe that has finished runs, rising."""
    runs = Counter(recipe_of(measurement) for measurement in measurements)
    flags = Counter((recipe_of(measurement), measurement.flag) for measurement in measurements)
    return tuple(
        CollapseRate(depth, number, silent, fallen, flagged / number, wilson(flagged, number), variant)
        for (variant, depth), number in sorted(runs.items())
        for silent, fallen in [(flags[Recipe(variant, depth), flag] for flag in ("not_learned", "collapsed"))]
        for flagged in [silent + fallen]
    )


def wilson(hits: int, number: int) -> Interval:
    """90 % interval of the share of ``hits`` in ``number`` trials, which must be 1 or more."""
    share, z2 = hits / number, Z**2
    middle = (share + z2 / (2 * number)) / (1 + z2 / number)
    half = Z / (1 + z2 / number) * math.sqrt(share * (1 - share) / number + z2 / (4 * number**2))
    return Interval(max(0.0, middle - half), min(1.0, middle + half))


@dataclass(frozen=True)
class FlaggedCell:
    """A cell that no curve is fitted to.

    Attributes:
        key: The cell's key.
        depth: Of the U-Net.
        num_cases: Training cases.
        seed: Of this run.
        flag: Why it is left out.
        validation_dsc: Of its best checkpoint.
        test_dsc: Of the same checkpoint.
        variant: Of the protocol; empty is its own.
    """

    key: str
    depth: int
    num_cases: int
    seed: int
    flag: Flag
    validation_dsc: float
    test_dsc: float
    variant: str = OWN


def flagged_cells(measurements: Iterable[Measurement]) -> tuple[FlaggedCell, ...]:
    """The cells that did not learn, or collapsed, in the given order."""
    return tuple(
        FlaggedCell(
            key=measurement.key,
            depth=measurement.depth,
            num_cases=measurement.num_cases,
            seed=measurement.seed,
            flag=measurement.flag,
            validation_dsc=measurement.dsc("validation"),
            test_dsc=measurement.dsc("test"),
            variant=measurement.variant,
        )
        for measurement in measurements
        if measurement.flag is not None
    )
