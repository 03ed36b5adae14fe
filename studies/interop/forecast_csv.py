"""Forecasts of the curves in a CSV file, with no study at all."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from models.forecaster.lstm.forecaster import load
from storage.errors import InputError
from storage.frames.published_table import VARIANT, variant_column
from storage.variants import OWN

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from models.forecaster.forecast import Floats, Forecast

POSITIONS = ("evaluation", "epoch", "step", "ratio", "cases", "x")  # the first that a file has is the position
APART = ("variant", "curve", "depth", "ratio", "cases", "seed")  # columns that tell curves apart


@dataclass(frozen=True)
class ForecastRow:
    """One forecast value, ready for JSON.

    Attributes:
        curve: Which curve, as "depth 3, seed 0".
        seen: Points that it has.
        last: Its last value.
        position: Column of the positions.
        at: The position asked for.
        mean: Forecast.
        interval: 90 %, of a new measured value.
        mean_interval: 90 %, of the expected value.
        method: Which forecaster.
    """

    curve: str
    seen: int
    last: float
    position: str
    at: float
    mean: float
    interval: tuple[float, float]
    mean_interval: tuple[float, float]
    method: str

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True)
class _Curve:
    """One curve of the file, with what tells it from the others."""

    name: str
    variant: str
    x: Floats
    y: Floats
    covariates: Floats | None


def forecast_file(path: Path, column: str, at: Sequence[float], position: str | None = None) -> list[ForecastRow]:
    """Forecast every curve of a CSV file; each is a sibling of the others, of those of its variant where there are any.

    Args:
        path: A row a point.
        column: The measured values.
        at: Positions asked for.
        position: Column of the positions; by default the first of POSITIONS that the file has.

    Raises:
        InputError: The file cannot be read, lacks a column, or a position is not a positive number.
    """
    if any(not np.isfinite(value) or value <= 0 for value in at):
        raise InputError(f"positions must be positive numbers, got {', '.join(f'{a:g}' for a in at)} (--at)")
    table = _table(path)
    position = position or next((name for name in POSITIONS if name in table and name != column), "x")
    curves = _curves(table, path, column, position)
    forecaster, asked = load(), np.array(at, dtype=np.float64)
    rows: list[ForecastRow] = []
    for curve in curves:
        others = [other for other in curves if other is not curve and other.variant == curve.variant]
        siblings = forecaster.context([(other.x, other.y, other.covariates) for other in others])
        if siblings is not None and curve.covariates is not None:
            siblings = siblings.near(curve.covariates)
        rows.extend(_rows(curve, position, asked, forecaster.forecast(curve.x, curve.y, asked, siblings)))
    return rows


def render_forecasts(rows: Sequence[ForecastRow]) -> str:
    """The same as text."""
    wide = max(len("curve"), *(len(row.curve) for row in rows))
    at = rows[0].position
    head = f"{'curve':{wide}} {'seen':>5} {'last':>7} {at:>10} {'forecast':>9} {'a new value':>16} {'expected':>16}"
    lines = [
        f"{r.curve:{wide}} {r.seen:>5} {r.last:>7.4f} {r.at:>10g} {r.mean:>9.4f} "
        f"{_interval(r.interval):>16} {_interval(r.mean_interval):>16}  {r.method}"
        for r in rows
    ]
    return "\n".join([head, *lines, "", "Intervals: 90 %, of a new measured value and of the expected one."]) + "\n"


def _table(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path} as CSV: {error}") from None
    if table.empty:
        raise InputError(f"{path} has no rows; a row a point is expected")
    return table


def _curves(table: pd.DataFrame, path: Path, column: str, position: str) -> list[_Curve]:
    for name, option in ((column, "--column"), (position, "--x")):
        if name not in table:
            raise InputError(f"{path} has no column {name!r}; it has {', '.join(map(str, table.columns))} ({option})")
        if not pd.api.types.is_numeric_dtype(table[name]):
            raise InputError(f"column {name!r} of {path} must hold numbers ({option})")
    # Over cases a ratio is the same axis twice, and tells no curves apart.
    same_axis = {"ratio", "cases"} if position in {"ratio", "cases"} else {position}
    keys = [name for name in APART if name in table and name not in same_axis | {column}]
    if VARIANT in table:
        table = table.assign(variant=variant_column(table, str(path)))
    parts = table.groupby(keys, dropna=False) if keys else [((), table)]
    curves = [_curve(keys, key, rows, position, column) for key, rows in parts]
    _refuse_doubles(curves, path, position)
    return curves


def _refuse_doubles(curves: Sequence[_Curve], path: Path, position: str) -> None:
    for curve in curves:
        values, counts = np.unique(curve.x[np.isfinite(curve.x)], return_counts=True)
        if (counts > 1).any():
            first = int((counts > 1).argmax())
            raise InputError(
                f"{path} has {position} {values[first]:g} of curve {curve.name!r} {counts[first]} times; keep one row "
                "a position, such as each training's best evaluation, and give repeated trainings a column seed"
            )


def _curve(keys: list[str], key: tuple[Any, ...], rows: pd.DataFrame, position: str, column: str) -> _Curve:
    told = dict(zip(keys, key, strict=True))
    variant = str(told.pop(VARIANT, OWN))
    apart = [variant] if variant else []
    apart += [f"{k} {v:g}" if isinstance(v, int | float) else f"{k} {v}" for k, v in told.items()]
    numbers = [float(v) for v in told.values() if isinstance(v, int | float)]
    covariates = np.array(numbers) if numbers and len(numbers) == len(told) else None
    rows = rows.sort_values(position)
    return _Curve(
        ", ".join(apart) or "all", variant, rows[position].to_numpy(float), rows[column].to_numpy(float), covariates
    )


def _rows(curve: _Curve, position: str, at: Floats, forecast: Forecast) -> list[ForecastRow]:
    finite = curve.y[np.isfinite(curve.y)]
    last = float(finite[-1]) if len(finite) else float("nan")
    return [
        ForecastRow(
            curve.name,
            len(finite),
            last,
            position,
            float(at[i]),
            float(forecast.mean[i]),
            (float(forecast.lower[i]), float(forecast.upper[i])),
            (float(forecast.mean_lower[i]), float(forecast.mean_upper[i])),
            forecast.method,
        )
        for i in range(len(at))
    ]


def _interval(bounds: tuple[float, float]) -> str:
    return f"[{bounds[0]:.4f}, {bounds[1]:.4f}]"
