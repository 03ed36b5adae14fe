"""Seconds that run on within a training, as a clock does, told from seconds of single evaluations."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

FEWEST = 3  # evaluations of a training; of fewer nothing can be told
GROWTH = 2  # from first to last, of a clock at the least

log = logging.getLogger(__name__)


def own_seconds(table: pd.DataFrame, run: Sequence[str], order: str, source: str) -> pd.Series[float]:
    """Seconds of each evaluation alone, in the table's order of rows.

    Logs often hold the seconds since the training began. They are taken for such where they rise from each evaluation
    to the next in every training, and to twice the first or more in most; measured times of single evaluations do not.
    A warning tells of it.

    Args:
        table: A row an evaluation, with the column ``seconds``.
        run: Columns that tell trainings apart.
        order: Column that evaluations of a training are sorted by.
        source: Where the table comes from, for the warning.
    """
    ordered = table.sort_values(order, kind="stable")
    by_run = ordered.groupby(list(run))["seconds"]
    steps = by_run.diff()
    rises = bool((steps.dropna() > 0).all())
    grows = (by_run.last() >= GROWTH * by_run.first()).mean() > 1 / 2
    if by_run.size().min() < FEWEST or not rises or not grows:
        return table["seconds"]
    log.warning("%s: seconds run on within every training, as on a clock; their differences are taken", source)
    return steps.fillna(ordered["seconds"]).reindex(table.index)
