"""The tables of a report as numbers, a frame each: what `--format csv,json` writes."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pandas as pd

from search.curves.flagged_runs import collapse_rates
from studies.report.text.ranking_columns import rows_of_files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from studies.report.report_data import ReportData
    from studies.results.half_forecasts import HalfForecast

FORECAST_COLUMNS = (
    "variant",
    "depth",
    "num_cases",
    "measured",
    "forecast",
    "forecast_lower",
    "forecast_upper",
    "linear",
)


def frames_of(data: ReportData) -> dict[str, pd.DataFrame]:
    """Frames by name; measured and forecast values in columns of their own; columns of nested values have dots."""
    frames = _frames(data)
    if data.findings.has_variants:
        return frames
    return {name: frame.drop(columns="variant", errors="ignore") for name, frame in frames.items()}


def _frames(data: ReportData) -> dict[str, pd.DataFrame]:
    answer = data.findings.answer
    return {
        "ranking": pd.json_normalize(rows_of_files(answer)),
        "depths": _frame(answer.depths),
        "plans": _frame(answer.plans),
        "target": _frame(() if answer.wanted is None else answer.wanted.depths),
        "front": _frame(answer.front),
        "best-buy": _frame(() if answer.best_buy is None else (answer.best_buy.best, *answer.best_buy.rivals)),
        "backtests": _frame(answer.backtests),
        "scores": _frame(scored for variant in data.variants for scored in variant.scored),
        "forecasts": pd.DataFrame(
            [
                row
                for variant in data.variants
                for forecast in variant.half_forecasts
                for row in _forecast_rows(variant.name, forecast)
            ],
            columns=list(FORECAST_COLUMNS),
        ),
        "claims": pd.json_normalize(
            [{"variant": variant.name, **asdict(claim)} for variant in data.variants for claim in variant.claims]
        ),
        "collapse-rates": _frame(collapse_rates(data.measurements)),
    }


def _frame(rows: Iterable[Any]) -> pd.DataFrame:
    return pd.json_normalize([asdict(row) for row in rows])


def _forecast_rows(variant: str, half: HalfForecast) -> Iterator[tuple[Any, ...]]:
    """A row a size that was not seen."""
    forecast, seen = half.forecast, half.seen
    sizes = (int(size) for size in half.num_cases[seen:])
    columns = (sizes, half.measured[seen:], forecast.mean, forecast.lower, forecast.upper, half.linear)
    for row in zip(*columns, strict=True):
        yield variant, half.depth, *row
