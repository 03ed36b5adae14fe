"""What the scored cells of a study reached on each case, worked out for all of them at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from models.metrics import per_case, summarise_per_case
from storage.ledger.count_rows import StudyCounts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from models.metrics import MetricSummary
    from storage.records import CellRecord

    Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CaseMetrics:
    """Of one cell at its best-validation checkpoint.

    Attributes:
        validation: DSC of each validation case, shape (V,).
        test: DSC of each test case, shape (T,).
        summary: Every metric over the test cases.
    """

    validation: Floats
    test: Floats
    summary: Mapping[str, MetricSummary]


def case_metrics(records: Sequence[CellRecord], counts: StudyCounts | None = None) -> dict[str, CaseMetrics]:
    """By key of each cell that has scores.

    Args:
        records: Cells.
        counts: Of all of them, where the records themselves do not hold any.
    """
    counts = counts or _counts(records)
    if not counts.keys:
        return {}
    on_test = per_case(counts.test)
    validation = per_case(counts.validation)["dsc"].reshape(counts.validation.shape[:2])
    test = on_test["dsc"].reshape(counts.test.shape[:2])
    return {
        key: CaseMetrics(validation[i], test[i], summary)
        for i, (key, summary) in enumerate(zip(counts.keys, summarise_per_case(counts.test, on_test), strict=True))
    }


def _counts(records: Sequence[CellRecord]) -> StudyCounts:
    scored = [(r.cell.plan.key, r.attempt.scores) for r in records if r.attempt.scores is not None]
    return StudyCounts(
        [key for key, _ in scored],
        _array([scores.validation for _, scores in scored]),
        _array([scores.test for _, scores in scored]),
    )


def _array(counts: Sequence[Sequence[tuple[int, int, int]]]) -> NDArray[np.int64]:
    """Shape (cells, cases, 3), of no cell too."""
    return np.array(counts, dtype=np.int64) if counts else np.zeros((0, 0, 3), dtype=np.int64)
