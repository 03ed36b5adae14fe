"""Segmentation metrics from pixel counts: everything follows from (true positives, false positives, false negatives).

A case whose truth and prediction are both empty scores 1; where only one of them is empty it scores 0 (for DSC and
IoU; recall without truth and precision without prediction are 1 only if the other is empty too).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

NAMES = ("dsc", "iou", "recall", "precision")


@dataclass(frozen=True)
class MetricSummary:
    """One metric over a set of cases: its mean over cases, and the value of the pooled counts."""

    mean: float
    pooled: float


def per_case(counts: ArrayLike) -> dict[str, Floats]:
    """DSC, IoU, recall and precision of every case.

    Args:
        counts: (tp, fp, fn) per case, shape (cases, 3).

    Returns:
        Arrays of shape (cases,) by metric name.
    """
    tp, fp, fn = np.asarray(counts, dtype=np.float64).reshape(-1, 3).T
    either = tp + fp + fn
    return {
        "dsc": _share(2 * tp, 2 * tp + fp + fn, either),
        "iou": _share(tp, either, either),
        "recall": _share(tp, tp + fn, either),
        "precision": _share(tp, tp + fp, either),
    }


def summarise(counts: ArrayLike) -> dict[str, MetricSummary]:
    """Every metric, as the mean over cases and pooled over the set.

    Raises:
        ValueError: There is no case.
    """
    (summary,) = summarise_sets(np.asarray(counts).reshape(1, -1, 3))
    return summary


def summarise_sets(counts: NDArray[np.int64]) -> list[dict[str, MetricSummary]]:
    """The same of many sets at once, with as many cases in each.

    Args:
        counts: (tp, fp, fn) per case, shape (sets, cases, 3).

    Raises:
        ValueError: There is no case.
    """
    sets, cases, _ = counts.shape
    if not sets:
        return []
    if not cases:
        raise ValueError("metrics need at least one case, got none")
    return summarise_per_case(counts, per_case(counts))


def summarise_per_case(counts: NDArray[np.int64], values: Mapping[str, Floats]) -> list[dict[str, MetricSummary]]:
    """`summarise_sets` of counts whose metrics of every case are known, as `per_case` gives them."""
    sets, cases, _ = counts.shape
    means = {name: values[name].reshape(sets, cases).mean(axis=1).tolist() for name in NAMES}
    pooled = {name: score.tolist() for name, score in per_case(counts.sum(axis=1)).items()}
    return [{name: MetricSummary(means[name][i], pooled[name][i]) for name in NAMES} for i in range(sets)]


def low_tail(counts: ArrayLike) -> tuple[float, float]:
    """The 10th percentile of case DSC, and the share of cases under 0.5."""
    dsc = per_case(counts)["dsc"]
    return float(np.percentile(dsc, 10)), float(np.mean(dsc < 0.5))  # noqa: PLR2004 - the definition


def everything_foreground_dsc(masks: Iterable[NDArray[np.uint8]]) -> float:
    """D0, the mean DSC of calling every pixel foreground: mean of 2p / (1 + p), p a case's foreground share.

    Args:
        masks: 0 and 1, an array of any shape a case.
    """
    share = np.array([mask.mean(dtype=np.float64) for mask in masks])
    return float(np.mean(2 * share / (1 + share)))


def _share(part: Floats, whole: Floats, either: Floats) -> Floats:
    score: Floats = part / np.maximum(whole, 1.0)  # counts: a part of nothing is 0
    score[either == 0] = 1.0
    return score
