"""An answer from joint draws of the curves: how every rival that is written here reads its own."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from search.analysis.front import front_of
from tests.benchmarks.coverage.scenes.study import Bounds, Place, Said, SaidDepth, SaidRow, SaidStep

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tests.benchmarks.coverage.scenes.study import Study

    Floats = NDArray[np.float64]

SURE, LIKELY = 0.9, 0.5


@dataclass(frozen=True, eq=False)
class Draws:
    """R joint draws of J configurations, on validation and on test cases.

    Attributes:
        places: The J configurations.
        validation: Mean over runs, shape (R, J).
        test: The same on test cases, shape (R, J).
        new_run: Of one new run on test cases, shape (R, J).
        at_all: Of each depth with all cases, on test cases, shape (R,).
        doubled: The same with twice all cases.
    """

    places: Sequence[Place]
    validation: Floats
    test: Floats
    new_run: Floats
    at_all: dict[int, Floats]
    doubled: dict[int, Floats]


def said_of(draws: Draws, study: Study) -> Said:
    """Read intervals, chances, front and recommendation off the draws."""
    chance = _chance(draws.validation, study)
    eligible = chance >= (LIKELY if study.target is None else SURE)
    rows = tuple(
        SaidRow(*place, bounds(draws.test[:, j]), bounds(draws.new_run[:, j]), float(chance[j]), bool(eligible[j]))
        for j, place in enumerate(draws.places)
    )
    return Said(
        rows=rows,
        depths=tuple(_depth(depth, draws, study.tolerance) for depth in draws.at_all),
        front=_front(draws, study),
        recommended=_recommended(draws, chance, eligible, study),
    )


def bounds(draws: Floats) -> Bounds:
    """The 5th and 95th percentile of draws of shape (R,), kept from 0 to 1."""
    lower, upper = np.percentile(np.clip(draws, 0, 1), [5, 95])
    return Bounds(float(lower), float(upper))


def difference_bounds(draws: Floats) -> Bounds:
    """The same of differences, which may be negative."""
    lower, upper = np.percentile(draws, [5, 95])
    return Bounds(float(lower), float(upper))


def _chance(validation: Floats, study: Study) -> Floats:
    best = validation.max(axis=1, keepdims=True)
    floor = best - study.tolerance if study.target is None else np.full_like(best, study.target)
    return np.asarray((validation >= floor).mean(axis=0))


def _depth(depth: int, draws: Draws, tolerance: float) -> SaidDepth:
    at_all = draws.at_all[depth]
    gain = draws.doubled[depth] - at_all
    reached = bool(np.mean(gain <= tolerance) >= SURE)
    return SaidDepth(depth, bounds(at_all), float(np.median(gain)), difference_bounds(gain), reached)


def _front(draws: Draws, study: Study) -> tuple[SaidStep, ...]:
    fitted = draws.validation.mean(axis=0)
    order = front_of([study.price(place) for place in draws.places], fitted.tolist())
    steps = [SaidStep(*draws.places[order[0]], None)]
    for before, now in pairwise(order):
        gain = difference_bounds(draws.validation[:, now] - draws.validation[:, before])
        steps.append(SaidStep(*draws.places[now], gain))
    return tuple(steps)


def _recommended(draws: Draws, chance: Floats, eligible: NDArray[np.bool_], study: Study) -> Place | None:
    if not eligible.any():
        return None if study.target is not None else draws.places[int(chance.argmax())]
    prices = np.array([study.price(place) for place in draws.places])
    merit = prices if study.target is not None else prices / np.maximum(draws.validation.mean(axis=0), 1e-6)
    return draws.places[int(np.where(eligible, merit, np.inf).argmin())]
