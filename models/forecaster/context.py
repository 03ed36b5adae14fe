"""The context of a forecast: curves of the same study, made ready once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models.forecaster.cleaning import clean
from models.forecaster.siblings import SiblingValues, smooth

if TYPE_CHECKING:
    from models.forecaster.encoding import Encoded
    from models.forecaster.forecast import Floats

MOST = 64
LEAST_REACH = -3.0

Curve = tuple["Floats", "Floats"] | tuple["Floats", "Floats", "Floats | None"]


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
    """At most MOST siblings, and how far each is from the curve to be forecast.

    Attributes:
        siblings: The curves.
        all: Those from which they were chosen.
        distance: Between covariates, in standard deviations of each; 0 where unknown, shape (J,).
        known: Whether it is known, 0 or 1, shape (J,).
    """

    siblings: tuple[Sibling, ...]
    all: tuple[Sibling, ...]
    distance: Floats
    known: Floats

    def near(self, covariates: Floats) -> Siblings:
        """The nearest siblings of a curve with these covariates of shape (C,)."""
        with_covariates = [s.covariates for s in self.all if s.covariates is not None]
        if not with_covariates:
            return self
        table = np.stack(with_covariates)
        unit = np.maximum(table.std(axis=0), 1e-9)
        known = np.array([s.covariates is not None for s in self.all])
        distance = np.full(len(self.all), np.inf)
        apart = np.clip((table - np.asarray(covariates, dtype=np.float64)) / unit, -1e3, 1e3)
        distance[known] = np.sqrt((apart**2).mean(axis=1))
        nearest = np.argsort(distance, kind="stable")[:MOST]
        return Siblings(
            tuple(self.all[i] for i in nearest),
            self.all,
            np.where(known, distance, 0.0)[nearest],
            known.astype(np.float64)[nearest],
        )

    def values(self, target: Encoded, at: Floats) -> SiblingValues:
        """Siblings at the positions of one target curve and at ``at`` of shape (1, H)."""
        positions = np.concatenate([target.bin_x[0], target.last_x, at[0]])
        table = np.stack([np.interp(positions, s.x, s.y) for s in self.siblings])
        bins = target.bin_x.shape[1]
        ends = np.array([s.x[-1] for s in self.siblings])
        reach = np.clip(np.log(ends / at[0][:, None]), LEAST_REACH, 0.0)
        return SiblingValues(
            table[None, :, :bins],
            table[None, :, bins],
            table[None, :, bins + 1 :].swapaxes(1, 2),
            reach[None],
            self.distance[None],
            self.known[None],
        )


def gather(curves: Sequence[Curve]) -> Siblings | None:
    """Siblings (x, y) or (x, y, covariates); those without a usable point are left out, None if none is left."""
    ready = [_ready(*curve) for curve in curves]
    siblings = tuple(sibling for sibling in ready if sibling is not None)
    if not siblings:
        return None
    spaced = np.unique(np.linspace(0, len(siblings) - 1, min(MOST, len(siblings))).astype(np.intp))
    some = tuple(siblings[i] for i in spaced)
    return Siblings(some, siblings, np.zeros(len(some)), np.zeros(len(some)))


def _ready(x: Floats, y: Floats, covariates: Floats | None = None) -> Sibling | None:
    seen = clean([x], [y])
    if seen.count[0] == 0:
        return None
    values = None if covariates is None else np.asarray(covariates, dtype=np.float64)
    return Sibling(seen.x[0], smooth(seen.y[0]), values)
