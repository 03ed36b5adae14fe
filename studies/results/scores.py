"""Every metric of every configuration, measured: what the paper's heatmaps and curves are drawn from."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

from models.metrics import NAMES
from storage.records import CellState
from storage.variants import OWN, configuration_of
from studies.results.findings import is_measured

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from storage.records import CellRecord
    from storage.variants import ConfigurationKey
    from studies.results.case_metrics import CaseMetrics

METRICS = {"dsc": "DSC", "iou": "IoU", "recall": "recall", "precision": "precision"}
FLAGS = (CellState.NOT_LEARNED, CellState.COLLAPSED)


@dataclass(frozen=True)
class Scored:
    """One configuration, measured on test cases; means over the seeds that learned, else over the flagged ones.

    Attributes:
        depth: Of the U-Net.
        ratio: Share of the training cases.
        num_cases: Training cases.
        runs: Seeds that learned.
        flags: Why other seeds do not count, one each.
        mean: Mean over cases, by metric; of an imported table DSC alone.
        pooled: Of the pixel counts summed over all cases, by metric; empty for an imported table.
        variant: Of the protocol; empty is its own.
    """

    depth: int
    ratio: float
    num_cases: int
    runs: int
    flags: tuple[str, ...]
    mean: Mapping[str, float]
    pooled: Mapping[str, float]
    variant: str = OWN


def scored_configurations(records: Sequence[CellRecord], metrics: Mapping[str, CaseMetrics]) -> list[Scored]:
    """All configurations of which a cell has scores, by recipe and number of cases; metrics by key of the cell."""
    groups: dict[ConfigurationKey, list[CellRecord]] = defaultdict(list)
    for record in records:
        if is_measured(record):
            groups[configuration_of(record.cell.plan)].append(record)
    return [_scored(groups[key], metrics) for key in sorted(groups)]


def _scored(members: Sequence[CellRecord], metrics: Mapping[str, CaseMetrics]) -> Scored:
    learned = [record for record in members if record.cell.state not in FLAGS]
    plan = members[0].cell.plan
    values = [_values(record, metrics.get(record.cell.plan.key)) for record in learned or members]
    return Scored(
        depth=plan.depth,
        ratio=plan.ratio,
        num_cases=plan.num_cases,
        runs=len(learned),
        flags=tuple(record.cell.state.value for record in members if record.cell.state in FLAGS),
        mean=_averaged([mean for mean, _ in values]),
        pooled=_averaged([pooled for _, pooled in values]),
        variant=plan.variant,
    )


def _values(record: CellRecord, metrics: CaseMetrics | None) -> tuple[dict[str, float], dict[str, float]]:
    """One cell: the mean over test cases and the value of the pooled counts, by metric."""
    if metrics is None:
        return {"dsc": record.attempt.told_dsc or 0.0}, {}
    summary = metrics.summary
    return {name: summary[name].mean for name in NAMES}, {name: summary[name].pooled for name in NAMES}


def _averaged(values: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: fmean(cell[name] for cell in values) for name in values[0]}
