"""Data curves forecast from their first half, beside what was measured and the linear baseline of the paper."""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING

import numpy as np

from models.forecaster.baselines.families import line
from search.curves.backtest import HALF

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from models.forecaster.forecast import Forecast
    from search.curves.measurements import Measurement

    Floats = NDArray[np.float64]
    HalfForecaster = Callable[[Sequence[Measurement], int], "tuple[HalfForecast, ...]"]
    Curves = Mapping[int, tuple[Floats, Floats]]

LEAST_SEEN = 2  # sizes: a line takes two
MANY_CELLS = 1000  # their answer takes as long as PyTorch takes to load


@dataclass(frozen=True, eq=False)
class HalfForecast:
    """One depth: T sizes, the first S of which were seen.

    Attributes:
        depth: Of the U-Net.
        num_cases: Sizes, rising, shape (T,).
        measured: Test DSC, mean over cases and seeds, shape (T,).
        seen: S, the sizes of up to half of the cases at hand.
        forecast: Of the later sizes by the shipped LSTM beside the seen parts of other depths.
        linear: The same by linear regression on the seen sizes, shape (T - S,).
    """

    depth: int
    num_cases: Floats
    measured: Floats
    seen: int
    forecast: Forecast
    linear: Floats

    @property
    def errors(self) -> Floats:
        """Absolute errors of the forecast, shape (T - S,)."""
        return np.abs(self.forecast.mean - self.measured[self.seen :])

    @property
    def linear_errors(self) -> Floats:
        """Absolute errors of the baseline, shape (T - S,)."""
        return np.abs(self.linear - self.measured[self.seen :])


def half_forecasts(measurements: Sequence[Measurement], num_train: int) -> tuple[HalfForecast, ...]:
    """Each depth with two sizes up to half of the cases and one beyond; nothing beyond half is seen, of no depth."""
    curves = _curves(measurements)
    return _forecasts(curves, num_train) if _forecastable(curves, num_train) else ()


@contextmanager
def half_forecaster(num_cells: int) -> Iterator[HalfForecaster]:
    """`half_forecasts`; for a large study in a process of its own, which loads PyTorch while the answer is fitted."""
    if num_cells < MANY_CELLS:
        yield half_forecasts
        return
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as beside:
        beside.submit(_forecasts, {}, 0)
        yield lambda measurements, num_train: beside.submit(_forecasts, _curves(measurements), num_train).result()


def _forecastable(curves: Curves, num_train: int) -> list[int]:
    return [depth for depth, (sizes, _) in curves.items() if LEAST_SEEN <= _seen(sizes, num_train) < len(sizes)]


def _seen(sizes: Floats, num_train: int) -> int:
    return int((sizes <= HALF * num_train).sum())


def _forecasts(curves: Curves, num_train: int) -> tuple[HalfForecast, ...]:
    from models.forecaster.lstm.forecaster import load  # loads PyTorch: a report without forecasts need not wait

    forecaster = load()
    seen = {depth: _seen(sizes, num_train) for depth, (sizes, _) in curves.items()}
    starts = {depth: (sizes[: seen[depth]], dsc[: seen[depth]]) for depth, (sizes, dsc) in curves.items()}
    forecasts = []
    for depth in _forecastable(curves, num_train):
        sizes, dsc = curves[depth]
        siblings = [start for other, start in starts.items() if other != depth and len(start[0]) >= LEAST_SEEN]
        start, later = starts[depth], sizes[seen[depth] :]
        forecast = forecaster.forecast(*start, later, forecaster.context(siblings))
        forecasts.append(HalfForecast(depth, sizes, dsc, seen[depth], forecast, line(*start, later)))
    return tuple(forecasts)


def _curves(measurements: Sequence[Measurement]) -> dict[int, tuple[Floats, Floats]]:
    """Sizes and test DSC of each depth, flagged runs left out."""
    groups: dict[int, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for cell in measurements:
        if cell.flag is None:
            groups[cell.depth][cell.num_cases].append(cell.dsc("test"))
    return {
        depth: (
            np.array(sorted(sizes), dtype=np.float64),
            np.array([np.mean(sizes[size]) for size in sorted(sizes)]),
        )
        for depth, sizes in sorted(groups.items())
    }
