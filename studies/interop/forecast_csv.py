"""Forecasts of the curves in a CSV file, with no study at all."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from models.forecaster.lstm.forecaster import load
from storage.errors import InputError
from storage.frames.table_checks import VARIANT, check_columns, check_rows, variant_column
from storage.variants import OWN

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from models.forecaster.curves import Floats
    from models.forecaster.forecast import Forecast

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
        f"{row.curve:{wide}} {row.seen:>5} {row.last:>7.4f} {row.at:>10g} {row.mean:>9.4f} "
        f"{_interval(row.interval):>16} {_interval(row.mean_interval):>16}  {row.method}"
        for row in rows
    ]
    return "\n".join([head, *lines, "", "Intervals: 90 %, of a new measured value and of the expected one."]) + "\n"


def _table(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path} as CSV: {error}") from None
    check_rows(table, f"{path} has no rows; a row a point is expected")
    return table


def _curves(table: pd.DataFrame, path: Path, column: str, position: str) -> list[_Curve]:
    _check_numbers(table, column, path, "--column")
    _check_numbers(table, position, path, "--x")
    # Over cases a ratio is the same axis twice, and tells no curves apart.
    same_axis = {"ratio", "cases"} if position in {"ratio", "cases"} else {position}
    keys = [name for name in APART if name in table and name not in same_axis | {column}]
    if VARIANT in table:
        table = table.assign(variant=variant_column(table, str(path)))
    groups = table.groupby(keys, dropna=False) if keys else [((), table)]
    curves = [_curve(dict(zip(keys, key, strict=True)), rows, position, column) for key, rows in groups]
    _refuse_doubles(curves, path, position)
    return curves


def _check_numbers(table: pd.DataFrame, column: str, path: Path, option: str) -> None:
    there = ", ".join(map(str, table.columns))
    check_columns(table, {column: (column,)}, lambda name: f"{path} has no column {name!r}; it has {there} ({option})")
    if not pd.api.types.is_numeric_dtype(table[column]):
        raise InputError(f"column {column!r} of {path} must hold numbers ({option})")


def _refuse_doubles(curves: Sequence[_Curve], path: Path, position: str) -> None:
    for curve in curves:
        values, counts = np.unique(curve.x[np.isfinite(curve.x)], return_counts=True)
        if (counts > 1).any():
            first = int((counts > 1).argmax())
            raise InputError(
                f"{path} has {position} {values[first]:g} of curve {curve.name!r} {counts[first]} times; keep one row "
                "a position, such as each training's best evaluation, and give repeated trainings a column seed"
            )


def _curve(key: dict[str, Any], rows: pd.DataFrame, position: str, column: str) -> _Curve:
    """One curve; ``key`` holds what tells it apart, by column."""
    variant = str(key.get(VARIANT, OWN))
    rest = {name: value for name, value in key.items() if name != VARIANT}
    apart = [variant] if variant else []
    apart += [f"{name} {v:g}" if isinstance(v, int | float) else f"{name} {v}" for name, v in rest.items()]
    numbers = [float(value) for value in rest.values() if isinstance(value, int | float)]
    covariates = np.array(numbers) if numbers and len(numbers) == len(rest) else None
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
