"""Siblings: other curves of the same study, made ready once for many forecasts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from models.forecaster.curves import clean, smooth

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from models.forecaster.curves import Curve, Floats

MOST_SIBLINGS = 64  # that are asked
FARTHEST = 4.0  # distance between covariates; the prior hardly draws more
APART = 100.0  # between the logarithms of two siblings' positions, further than any position reaches


@dataclass(frozen=True)
class Sibling:
    """One finished or partial curve.

    Attributes:
        x: Positions, rising, shape (P,).
        y: Smoothed values, shape (P,).
        covariates: Depth, log parameters, log cases or the like, shape (C,), or None.
    """

    x: Floats
    y: Floats
    covariates: Floats | None


@dataclass(frozen=True)
class Siblings:
    """At most MOST_SIBLINGS siblings, and how far each is from the curve to be forecast.

    Attributes:
        chosen: The curves, at least one.
        pool: Those from which they were chosen.
        distance: Between covariates, in standard deviations of each; 0 where unknown, shape (J,).
        known: Whether it is known, 0 or 1, shape (J,).
    """

    chosen: tuple[Sibling, ...]
    pool: tuple[Sibling, ...]
    distance: Floats
    known: Floats

    def near(self, covariates: Floats) -> Siblings:
        """The siblings nearest to a curve with these covariates, shape (C,)."""
        known, table = self._table
        if not known.any():
            return self
        distance = np.full(len(self.pool), np.inf)
        distance[known] = _distances(table, np.asarray(covariates, dtype=np.float64))
        nearest = np.argsort(distance, kind="stable")[:MOST_SIBLINGS]
        chosen = tuple(self.pool[i] for i in nearest)
        return Siblings(chosen, self.pool, np.where(known, distance, 0.0)[nearest], known[nearest].astype(np.float64))

    @cached_property
    def ends(self) -> Floats:
        """Last position of each, shape (J,)."""
        return np.array([sibling.x[-1] for sibling in self.chosen])

    def at(self, positions: Floats) -> Floats:
        """Their values at positions (R, Q), by straight lines, and their ends beyond these: shape (R, J, Q)."""
        x, y, key = self._flat
        first, last = self._bounds
        siblings = APART * np.arange(len(self.chosen))
        right = np.searchsorted(key, np.log(positions)[:, None] + siblings[:, None])
        right = np.clip(right, first[:, None], last[:, None])
        left = np.maximum(right - 1, first[:, None])
        width = np.maximum(x[right] - x[left], 1e-12)
        weight = np.clip((positions[:, None] - x[left]) / width, 0.0, 1.0)
        values: Floats = (1 - weight) * y[left] + weight * y[right]
        return values

    @cached_property
    def _table(self) -> tuple[NDArray[np.bool_], Floats]:
        """Which curves of the pool have covariates, and these of shape (K, C)."""
        rows = [sibling.covariates for sibling in self.pool if sibling.covariates is not None]
        return np.array([sibling.covariates is not None for sibling in self.pool]), np.array(rows)

    @cached_property
    def _flat(self) -> tuple[Floats, Floats, Floats]:
        """All points of all siblings in a row: x, y, and log x with every sibling APART from the one before."""
        x = np.concatenate([sibling.x for sibling in self.chosen])
        y = np.concatenate([sibling.y for sibling in self.chosen])
        number = np.repeat(np.arange(len(self.chosen)), self._lengths)
        return x, y, np.log(x) + APART * number

    @property
    def _lengths(self) -> list[int]:
        return [len(sibling.x) for sibling in self.chosen]

    @cached_property
    def _bounds(self) -> tuple[Floats, Floats]:
        """First and last index of each sibling in the row, shape (J,)."""
        last = np.cumsum(self._lengths) - 1
        return np.concatenate([[0], last[:-1] + 1]), last


def gather(curves: Sequence[Curve | Sibling]) -> Siblings | None:
    """Siblings from curves; those without a usable point are left out, None if none is left.

    Of more than MOST_SIBLINGS, evenly chosen ones stand for all until ``near`` chooses.

    Raises:
        ValueError: If x and y of a curve differ in shape.
    """
    ready = [curve if isinstance(curve, Sibling) else make_ready(curve) for curve in curves]
    pool = tuple(sibling for sibling in ready if sibling is not None)
    if not pool:
        return None
    evenly = np.unique(np.linspace(0, len(pool) - 1, min(MOST_SIBLINGS, len(pool))).astype(np.intp))
    chosen = tuple(pool[i] for i in evenly)
    return Siblings(chosen, pool, np.zeros(len(chosen)), np.zeros(len(chosen)))


def make_ready(curve: Curve) -> Sibling | None:
    """A curve (x, y) or (x, y, covariates) as a sibling of others; None without a usable point.

    Raises:
        ValueError: If x and y differ in shape.
    """
    x, y, *covariates = curve
    seen = clean([x], [y])
    count = int(seen.count[0])
    if count == 0:
        return None
    known = None if not covariates or covariates[0] is None else np.asarray(covariates[0], dtype=np.float64)
    return Sibling(seen.x[0, :count], smooth(seen.y[0, :count]), known)


def _distances(table: Floats, covariates: Floats) -> Floats:
    """Root mean squared difference, in standard deviations of all: table (J, C), covariates (C,) to (J,)."""
    unit = np.vstack([table, covariates]).std(axis=0)
    apart = (table - covariates) / np.where(unit > 0, unit, 1.0)
    distances: Floats = np.minimum(np.sqrt((apart**2).mean(axis=1)), FARTHEST)
    return distances
