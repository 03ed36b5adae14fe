"""What stands beside a trial in Optuna dashboard: metrics, costs and reasons, by readable names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from models.metrics import low_tail, summarise

if TYPE_CHECKING:
    from storage.records import CellRecord, Scores

PLACES = 4


def trial_attributes(record: CellRecord, scores: Scores) -> dict[str, Any]:
    """The user attributes of a finished trial, written before Optuna freezes it.

    Args:
        record: The cell, with its curve and costs.
        scores: Its pixel counts.
    """
    facts: dict[str, Any] = {"best_evaluation": scores.best_evaluation}
    for part, counts in (("val", scores.validation), ("test", scores.test)):
        for name, summary in summarise(counts).items():
            facts[f"{part}_{name}"] = round(summary.mean, PLACES)
            facts[f"{part}_{name}_pooled"] = round(summary.pooled, PLACES)
    p10, under_half = low_tail(scores.test)
    facts |= {"test_dsc_p10": round(p10, PLACES), "test_share_under_0.5": round(under_half, PLACES)}
    facts |= {
        f"{record.attempt.device}_seconds": round(record.device_seconds, 2),
        "spent_seconds": round(record.spent_seconds, 2),
        "device_name": record.attempt.device_name,
    }
    if record.attempt.stop_reason is not None:
        facts["stop_reason"] = record.attempt.stop_reason
    if record.attempt.forecast is not None:
        facts["forecast_val_dsc"] = round(record.attempt.forecast.mean, PLACES)
        facts["forecast_method"] = record.attempt.forecast.method
    return facts
