"""Curves in bulk: a million evaluations as one array, since a Python object a row would take most of the time."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, cast

import numpy as np
import sqlalchemy as sa

from storage.database.tables import evaluations

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

COLUMNS = ("attempt_id", "evaluation", "epoch", "step", "val_dsc", "test_dsc", "train_seconds", "val_seconds")
NO_TEST = -1.0  # a DSC is never negative; NULL would be no number


def read(connection: sa.Connection, of_attempts: sa.Select[tuple[int]]) -> NDArray[np.float64]:
    """The evaluations of some attempts, in order, shape (n, `COLUMNS`); `NO_TEST` where there is no test DSC."""
    columns = [evaluations.c[name] for name in COLUMNS]
    query = (
        sa.select(*(sa.func.coalesce(c, NO_TEST) if c.name == "test_dsc" else c for c in columns))
        .where(evaluations.c.attempt_id.in_(of_attempts))
        .order_by(evaluations.c.attempt_id, evaluations.c.evaluation)
    )
    text = str(query.compile(connection, compile_kwargs={"literal_binds": True}))
    cursor = connection.connection.cursor()
    cursor.execute(text)
    rows = cast("Iterable[Sequence[float]]", cursor)
    numbers = np.fromiter(chain.from_iterable(rows), dtype=np.float64)
    cursor.close()
    return numbers.reshape(-1, len(COLUMNS))


def sums(of_attempts: sa.Select[tuple[int]]) -> sa.Subquery:
    """Of each attempt with a curve: attempt_id, evaluations (how many), last_step, best_val_dsc, seconds by kind."""
    return (
        sa.select(
            evaluations.c.attempt_id,
            sa.func.count().label("evaluations"),
            sa.func.max(evaluations.c.step).label("last_step"),
            sa.func.max(evaluations.c.val_dsc).label("best_val_dsc"),
            sa.func.sum(evaluations.c.train_seconds).label("train_seconds"),
            sa.func.sum(evaluations.c.val_seconds).label("val_seconds"),
            sa.func.sum(evaluations.c.train_seconds + evaluations.c.val_seconds).label("wall_seconds"),
        )
        .where(evaluations.c.attempt_id.in_(of_attempts))
        .group_by(evaluations.c.attempt_id)
        .subquery()
    )
