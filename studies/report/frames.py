"""The tables of a report as numbers, a frame each: what `--format csv,json` writes."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pandas as pd

from search.curves.flagged_runs import collapse_rates

if TYPE_CHECKING:
    from collections.abc import Iterable

    from studies.report.report_data import ReportData


def frames_of(material: ReportData) -> dict[str, pd.DataFrame]:
    """Frames by name; measured and forecast values in columns of their own; columns of nested values have dots."""
    frames = _frames(material)
    if material.findings.has_variants:
        return frames
    return {name: frame.drop(columns="variant", errors="ignore") for name, frame in frames.items()}


def _frames(material: ReportData) -> dict[str, pd.DataFrame]:
    found = material.findings.answer
    return {
        "ranking": _frame(found.ranking),
        "depths": _frame(found.depths),
        "plans": _frame(found.plans),
        "target": _frame(() if found.wanted is None else found.wanted.depths),
        "front": _frame(found.front),
        "best-buy": _frame(() if found.best_buy is None else (found.best_buy.best, *found.best_buy.rivals)),
        "backtests": _frame(found.backtests),
        "scores": _frame(each for part in material.parts for each in part.scored),
        "forecasts": pd.DataFrame(
            [
                (part.variant, each.depth, int(cases), measured, forecast, lower, upper, linear)
                for part in material.parts
                for each in part.halves
                for cases, measured, forecast, lower, upper, linear in zip(
                    each.num_cases[each.seen :],
                    each.measured[each.seen :],
                    each.forecast.mean,
                    each.forecast.lower,
                    each.forecast.upper,
                    each.linear,
                    strict=True,
                )
            ],
            columns=[
                "variant",
                "depth",
                "num_cases",
                "measured",
                "forecast",
                "forecast_lower",
                "forecast_upper",
                "linear",
            ],
        ),
        "claims": pd.json_normalize(
            [{"variant": part.variant, **asdict(claim)} for part in material.parts for claim in part.claims]
        ),
        "collapse-rates": _frame(collapse_rates(material.measurements)),
    }


def _frame(rows: Iterable[Any]) -> pd.DataFrame:
    return pd.json_normalize([asdict(row) for row in rows])
