"""What stands beside a finished trial in Optuna dashboard."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from search.policy.trial_attributes import trial_attributes
from storage.records import (
    AttemptRecord,
    Cell,
    CellPlan,
    CellRecord,
    CellState,
    Evaluation,
    PlateauForecast,
    Scores,
)

SCORES = Scores(2, ((5, 0, 0), (1, 1, 1)), ((0, 0, 0), (0, 1, 0), (2, 1, 1)), 0.5)
ATTEMPT = AttemptRecord(device="gpu", device_share=0.5, device_name="H200", lost_seconds=2.0, planned_steps=90)


def record(**changes: Any) -> CellRecord:
    """A cell of two evaluations, 2 s each, on half a GPU."""
    plan = CellPlan("ratio0.5-depth3-seed0", 0.5, 3, 0, 350, 95_748)
    curve = tuple(Evaluation(i, i, 10 * i, 0.5, 1.5, 0.5) for i in (1, 2))
    return CellRecord(Cell(plan, CellState.TEST, 1, 2, "us", 0, 0, 0), replace(ATTEMPT, **changes), curve)


def test_facts_hold_every_metric_both_ways() -> None:
    """DSC, IoU, recall and precision stand there for validation and test, as mean over cases and pooled."""
    facts = trial_attributes(record(), SCORES)
    assert facts["val_dsc"] == 0.75
    assert facts["val_dsc_pooled"] == round(12 / 14, 4)
    assert facts["test_dsc"] == round((1 + 0 + 4 / 6) / 3, 4)
    assert facts["test_iou"] == 0.5
    assert {f"{part}_{name}{way}" for part in ("val", "test") for name in ("dsc", "iou", "recall", "precision")
            for way in ("", "_pooled")} <= facts.keys()  # fmt: skip
    assert facts["best_evaluation"] == 2
    assert (facts["test_dsc_p10"], facts["test_share_under_0.5"]) == (round(0.2 * 4 / 6, 4), round(1 / 3, 4))


@pytest.mark.parametrize(("device", "name"), [("gpu", "gpu_seconds"), ("cpu", "cpu_seconds")])
def test_facts_hold_the_cost_under_the_device_s_name(device: str, name: str) -> None:
    """Device seconds are wall seconds times the share; what was lost is spent besides."""
    facts = trial_attributes(record(device=device), SCORES)
    assert (facts[name], facts["spent_seconds"], facts["device_name"]) == (2.0, 4.0, "H200")
    assert ("gpu_seconds" in facts) + ("cpu_seconds" in facts) == 1


def test_a_stopped_trial_has_its_reason_and_forecast_under_names_of_their_own() -> None:
    """A forecast value is never under the name of a measured one; without a stop there is neither."""
    forecast = PlateauForecast(0.81234, 0.8, 0.82, "power law")
    facts = trial_attributes(record(stop_reason="plateau reached", forecast=forecast), SCORES)
    assert facts["stop_reason"] == "plateau reached"
    assert (facts["forecast_val_dsc"], facts["forecast_method"]) == (0.8123, "power law")
    assert not {"stop_reason", "forecast_val_dsc", "forecast_method"} & trial_attributes(record(), SCORES).keys()


def test_facts_are_json() -> None:
    """Optuna stores user attributes as JSON."""
    facts = trial_attributes(record(), SCORES)
    assert json.loads(json.dumps(facts)) == facts
