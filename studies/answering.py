"""From a study in the ledger to its answer: the one place where test scores leave storage."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from models.metrics import per_case
from search.answer import Answer, answer
from search.measurements import Measurement
from search.prices import PriceSpec
from search.stop_rule import level
from storage.frames import cases_frame
from storage.records import CellState

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from search.measurements import Flag
    from search.prices import Device
    from storage.ledger import Ledger
    from storage.records import CellRecord, StudyRecord


def answer_of(study: StudyRecord, records: Sequence[CellRecord]) -> Answer:
    """The answer that a study's finished cells give, with the prices, tolerance and target of its spec."""
    measured = [record for record in records if is_measured(record)]
    has_cases = any(record.attempt.scores is not None for record in measured)
    return answer(
        [measurement(record) for record in measured],
        num_train=len(study.split["train"]),
        num_validation=len(study.split["validation"]),
        num_test=len(study.split["test"]),
        prices=PriceSpec.model_validate(study.running["prices"]),
        tolerance=study.running["tolerance"],
        target=study.running["target_dsc"],
        validation_groups=case_groups(study, "validation") if has_cases else None,
        test_groups=case_groups(study, "test") if has_cases else None,
    )


def is_measured(record: CellRecord) -> bool:
    """Whether a cell has a DSC to answer with: of its cases, or told by an imported table."""
    return record.attempt.scores is not None or record.attempt.told_dsc is not None


def measurement(record: CellRecord) -> Measurement:
    """A measured cell as the answer reads it."""
    plan, attempt = record.cell.plan, record.attempt
    last_step = record.curve[-1].step
    now = level(record.curve)
    gain = attempt.forecast
    return Measurement(
        key=plan.key,
        depth=plan.depth,
        ratio=plan.ratio,
        num_cases=plan.num_cases,
        seed=plan.seed,
        parameters=plan.parameters,
        device=cast("Device", attempt.device),
        budget_seconds=record.device_seconds * attempt.planned_steps / last_step,
        seconds_estimated=last_step < attempt.planned_steps,
        validation=_case_dsc(record, "validation"),
        test=_case_dsc(record, "test"),
        remaining_gain=0.0 if gain is None else max(0.0, gain.mean - now),
        remaining_gain_lower=0.0 if gain is None else max(0.0, gain.lower - now),
        remaining_gain_upper=0.0 if gain is None else max(0.0, gain.upper - now),
        flag=_flag(record.cell.state),
    )


def _case_dsc(record: CellRecord, part: str) -> NDArray[np.float64]:
    """DSC of each case; of an imported table the one number that stands for all."""
    if record.attempt.scores is None:
        assert record.attempt.told_dsc is not None
        return np.array([record.attempt.told_dsc])
    return per_case(getattr(record.attempt.scores, part))["dsc"]


def _flag(state: CellState) -> Flag | None:
    return cast("Flag", state.value) if state in {CellState.NOT_LEARNED, CellState.COLLAPSED} else None


def case_scores(ledger: Ledger, study: StudyRecord) -> pd.DataFrame:
    """Scores of every case: columns cell, part, case, tp, fp, fn, dsc, iou, recall, precision."""
    counts = cases_frame(ledger, study)
    return counts.assign(**per_case(counts[["tp", "fp", "fn"]].to_numpy()))


def case_groups(study: StudyRecord, part: str) -> NDArray[np.int64]:
    """Group number of each case of a part of the split, shape (cases,)."""
    return np.array([study.groups[name] for name in study.split[part]], dtype=np.int64)
