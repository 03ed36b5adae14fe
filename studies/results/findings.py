"""From a study in the ledger to its answer: the one place where test scores leave storage."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast

import numpy as np

from models.metrics import per_case
from search.analysis.answer import answer_with_curves
from search.curves.measurements import Measurement, Planned
from search.policy.stop_rule import remaining_gain
from search.training_time import cost_model
from storage.frames.study_frames import cases_frame
from storage.records import CellState
from storage.variants import OWN, configuration_of, variants_in
from studies.results.case_metrics import case_metrics
from studies.results.criteria import criteria_of
from studies.results.known_facts import TableAnswer, known_facts, known_of
from studies.spec import recorded_spec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from search.analysis.answer import Answer
    from search.curves.data_curves import DataCurves
    from search.curves.measurements import Flag
    from search.prices import Device
    from storage.ledger.count_rows import StudyCounts
    from storage.ledger.ledger import Ledger
    from storage.records import CellPlan, CellRecord, StudyRecord
    from studies.results.case_metrics import CaseMetrics
    from studies.results.criteria import Criteria
    from studies.results.known_facts import KnownFacts

ASSUMED_DEVICE = "gpu"  # of an imported table, which tells none


@dataclass(frozen=True, eq=False)
class Findings:
    """What a report is written from.

    Attributes:
        study: Its name, spec, split and facts.
        records: All of its cells.
        spent_seconds: Device seconds that it has consumed, lost work included.
        criteria: Prices, tolerance, target and worth that were asked for.
        metrics: Of each scored cell, by key.
        measurements: The measured cells, by key.
        planned: Configurations of the grid that no cell has measured.
        answer: What the finished cells say.
        curves: The data curves on test cases behind it, by variant of which a run learned.
    """

    study: StudyRecord
    records: Sequence[CellRecord]
    spent_seconds: float
    criteria: Criteria
    metrics: Mapping[str, CaseMetrics]
    measurements: Mapping[str, Measurement]
    planned: Sequence[Planned]
    answer: Answer
    curves: Mapping[str, DataCurves]

    @cached_property
    def variants(self) -> list[str]:
        """Of the protocol, that cells were laid out for, the protocol's own first."""
        return variants_in(record.cell.plan for record in self.records) or [OWN]

    @property
    def has_variants(self) -> bool:
        """Whether there is one besides the protocol's own."""
        return any(self.variants)

    @property
    def is_imported(self) -> bool:
        """Whether its DSC are those of an imported table, without cases behind them."""
        return self.known.is_table

    @property
    def known(self) -> KnownFacts:
        """What is known of its runs besides their DSC."""
        return known_of(self.answer)


def findings_of(
    study: StudyRecord,
    records: Sequence[CellRecord],
    spent_seconds: float,
    criteria: Criteria | None = None,
    counts: StudyCounts | None = None,
) -> Findings:
    """The answer that a study's finished cells give, and what it rests on.

    Args:
        study: Its spec, split and groups.
        records: All of its cells.
        spent_seconds: Device seconds that it has consumed.
        criteria: What is asked; None: what the study itself asks.
        counts: Pixel counts, where the records were read without them.
    """
    criteria = criteria or criteria_of(study)
    metrics = case_metrics(records, counts)
    measurements = {
        record.cell.plan.key: measurement(record, metrics.get(record.cell.plan.key))
        for record in records
        if is_measured(record)
    }
    planned = _planned_configurations(study, records)
    has_cases = bool(metrics)
    answer, curves = answer_with_curves(
        list(measurements.values()),
        num_train=len(study.split["train"]),
        num_validation=len(study.split["validation"]),
        num_test=len(study.split["test"]),
        prices=criteria.prices,
        tolerance=criteria.tolerance,
        target=criteria.target_dsc,
        assurance=criteria.assurance,
        worth=criteria.worth,
        test_half_width=criteria.test_half_width,
        new_test_cases=criteria.new_test_cases,
        train_groups=_case_groups(study, "train") if has_cases else None,
        validation_groups=_case_groups(study, "validation") if has_cases else None,
        test_groups=_case_groups(study, "test") if has_cases else None,
        planned=planned,
    )
    known = known_facts(study, records)
    if known.is_table:
        answer = TableAnswer.of(answer, known)
    return Findings(study, records, spent_seconds, criteria, metrics, measurements, planned, answer, curves)


def _planned_configurations(study: StudyRecord, records: Sequence[CellRecord]) -> list[Planned]:
    """Configurations of the grid that no cell has measured, with the cost that the others predict."""
    waiting = _unmeasured(records)
    trained = [record for record in records if record.curve and record.attempt.device is not None]
    training = recorded_spec(study).training if trained and waiting else None
    if training is None:
        return []
    device, share = cast("Device", trained[0].attempt.device), trained[0].attempt.device_share
    ((device_name, _),) = Counter(record.attempt.device_name for record in trained).most_common(1)
    costs = cost_model(
        ((record.cell.plan, record.curve) for record in trained),
        device_share=share,
        evaluations=training.evaluations,
        total_steps=training.total_steps,
    )
    return [
        Planned(
            depth=plan.depth,
            ratio=plan.ratio,
            num_cases=plan.num_cases,
            parameters=plan.parameters,
            device=device,
            budget_seconds=costs.seconds(plan),
            device_name=device_name,
            variant=plan.variant,
        )
        for plan in waiting
    ]


def _unmeasured(records: Sequence[CellRecord]) -> list[CellPlan]:
    """A plan of each configuration that no cell has measured."""
    measured = {configuration_of(record.cell.plan) for record in records if is_measured(record)}
    plans = {configuration_of(record.cell.plan): record.cell.plan for record in records}
    return [plan for configuration, plan in plans.items() if configuration not in measured]


def is_measured(record: CellRecord) -> bool:
    """Whether a cell has a DSC to answer with: of its cases, or told by an imported table."""
    return record.attempt.scores is not None or record.attempt.told_dsc is not None


def measurement(record: CellRecord, metrics: CaseMetrics | None = None) -> Measurement:
    """A measured cell as the answer reads it; its metrics are worked out where they are not given."""
    plan, attempt = record.cell.plan, record.attempt
    last_step = record.totals.last_step
    end = attempt.forecast
    gain = 0.0 if end is None else remaining_gain(record.curve, end.mean)
    half = 0.0 if end is None else (end.upper - end.lower) / 2
    return Measurement(
        key=plan.key,
        depth=plan.depth,
        ratio=plan.ratio,
        num_cases=plan.num_cases,
        seed=plan.seed,
        parameters=plan.parameters,
        device=cast("Device", attempt.device or ASSUMED_DEVICE),
        budget_seconds=record.device_seconds * attempt.planned_steps / last_step,
        seconds_estimated=last_step < attempt.planned_steps,
        validation=_case_dsc(record, "validation") if metrics is None else metrics.validation,
        test=_case_dsc(record, "test") if metrics is None else metrics.test,
        remaining_gain=gain,
        remaining_gain_lower=gain - half,
        remaining_gain_upper=gain + half,
        flag=_flag(record.cell.state),
        confirms=plan.role == "confirm",
        device_name=attempt.device_name,
        variant=plan.variant,
    )


def _case_dsc(record: CellRecord, part: str) -> NDArray[np.float64]:
    """DSC of each case; of an imported table the one number that stands for all, or for all of that part."""
    if record.attempt.scores is not None:
        return per_case(getattr(record.attempt.scores, part))["dsc"]
    told = record.attempt.told_dsc if part == "test" else record.totals.best_val_dsc
    assert told is not None
    return np.array([told])


def _flag(state: CellState) -> Flag | None:
    return cast("Flag", state.value) if state in {CellState.NOT_LEARNED, CellState.COLLAPSED} else None


def case_scores(ledger: Ledger, study: StudyRecord) -> pd.DataFrame:
    """Scores of every case: columns cell, part, case, tp, fp, fn, dsc, iou, recall, precision."""
    counts = cases_frame(ledger, study)
    return counts.assign(**per_case(counts[["tp", "fp", "fn"]].to_numpy()))


def _case_groups(study: StudyRecord, part: str) -> NDArray[np.int64]:
    """Group number of each case of a part of the split, shape (cases,)."""
    return np.array([study.groups[name] for name in study.split[part]], dtype=np.int64)
