"""The fitted data curves behind an answer, evaluated for drawing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from search.analysis.answer import Answer
    from search.curves.data_curves import DataCurves

    Floats = NDArray[np.float64]

POSITIONS = 80


@dataclass(frozen=True, eq=False)
class FittedCurve:
    """The curve of one depth on test cases, from the fewest cases that were tried to twice those at hand.

    Attributes:
        depth: Of the U-Net.
        most_cases: Most training cases that were measured; beyond, the curve is a forecast.
        num_cases: Positions, shape (P,), ``most_cases`` among them.
        dsc: Its values, shape (P,).
        lower: 5th percentile of the expected DSC, shape (P,).
        upper: 95th percentile, shape (P,).
    """

    depth: int
    most_cases: float
    num_cases: Floats
    dsc: Floats
    lower: Floats
    upper: Floats


@dataclass(frozen=True)
class ExpectedPoint:
    """What a configuration of stopped runs is expected to score after its full budget: measured and forecast gain."""

    depth: int
    num_cases: int
    dsc: float


@dataclass(frozen=True)
class FittedCurves:
    """All that the figure of data curves draws as a forecast."""

    curves: tuple[FittedCurve, ...]
    expected: tuple[ExpectedPoint, ...]


def fitted_curves(answer: Answer, curves: DataCurves | None) -> FittedCurves:
    """The answer's own curves on test cases, of the depths that have one."""
    if curves is None:
        return FittedCurves((), ())
    readable = [depth.depth for depth in answer.depths if depth.on_test is not None]
    return FittedCurves(tuple(_curve(curves, depth, answer.num_train) for depth in readable), _expected(curves))


def _curve(curves: DataCurves, depth: int, num_train: int) -> FittedCurve:
    tried = curves.points.num_cases[curves.points.depth == depth]
    most = float(tried.max())
    last = max(2.0 * num_train, most)
    positions = np.unique(np.append(np.geomspace(tried.min(), last, POSITIONS), [most, num_train]))
    positions = positions[positions >= tried.min()]
    lower, upper = np.percentile(curves.replicates[depth].at(positions), [5, 95], axis=0)
    return FittedCurve(depth, most, positions, curves.curve[depth].at(positions)[0], lower, upper)


def _expected(curves: DataCurves) -> tuple[ExpectedPoint, ...]:
    points = curves.points
    return tuple(
        ExpectedPoint(int(points.depth[i]), int(points.num_cases[i]), float(points.dsc[i]))
        for i in np.flatnonzero(points.gain > 0)
    )
