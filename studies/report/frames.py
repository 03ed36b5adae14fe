"""The tables of a report as numbers, a frame each: what `--format csv,json` writes."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pandas as pd

from search.curves.flagged_runs import collapse_rates
from studies.report.text.ranking_columns import rows_of_files
from studies.results.known_facts import FLAG_COUNTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

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

TWICE = (
    "validation_dsc",
    "on_validation",
    "test_fitted",
)  # columns that hold the same as others where one score does both
ONCE = {
    "on_test": "",
    "test_dsc": "{score}",
    "test_forecast": "{score}_forecast",
    "validation_fitted": "{score}_fitted",
}


def frames_of(data: ReportData) -> dict[str, pd.DataFrame]:
    """Frames by name; measured and forecast values in columns of their own; columns of nested values have dots.

    What is not known of an imported table is left out.
    """
    known = data.findings.known
    left_out = [*sorted(known.unknown_fields), *([] if data.findings.has_variants else ["variant"])]
    frames = {name: frame.drop(columns=left_out, errors="ignore") for name, frame in _frames(data).items()}
    if known.one_score:
        frames = {name: _of_one_score(frame, known.test.lower().replace(" ", "_")) for name, frame in frames.items()}
    if not known.flags:
        frames["depths"] = _without_zeros(frames["depths"], FLAG_COUNTS)
        del frames["collapse-rates"]
    return frames


def _of_one_score(frame: pd.DataFrame, score: str) -> pd.DataFrame:
    """The frame with the numbers that decide and estimate once, under the name that they have in the table."""
    columns = {str(name): str(name).partition(".") for name in frame}
    twice = [name for name, (first, _, _) in columns.items() if first in TWICE]
    named = {
        name: ONCE[first].format(score=score) + (f".{rest}" if rest and ONCE[first] else rest)
        for name, (first, _, rest) in columns.items()
        if first in ONCE
    }
    return frame.drop(columns=twice).rename(columns=named)


def _without_zeros(frame: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """The frame with nothing where these columns hold a 0, and without those that hold nothing else."""
    there = [name for name in names if name in frame]
    counts = frame[there].where(frame[there] > 0).astype("Int64").dropna(axis="columns", how="all")
    return frame.drop(columns=there).join(counts)


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
