"""Pixel counts of every scored case in bulk, as one array: parsing JSON a cell would take most of the time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import sqlalchemy as sa

from storage.database.engine import reading
from storage.database.retry import with_retries
from storage.database.tables import attempts, cells

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from storage.ledger.ledger import Ledger

COUNTS = 3  # true positives, false positives, false negatives
_NO_NUMBERS = b"[] \n"


@dataclass(frozen=True)
class StudyCounts:
    """What the test phases of a study counted at the best-validation checkpoints, for estimates only.

    Attributes:
        keys: The scored cells, in the order of the layout.
        validation: (true positives, false positives, false negatives), shape (cells, validation cases, 3).
        test: Likewise, shape (cells, test cases, 3).
    """

    keys: list[str]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]


@with_retries
def study_counts(ledger: Ledger, study_id: int) -> StudyCounts:
    """The counts of every scored cell's current attempt."""
    texts = [sa.cast(column, sa.Text) for column in (attempts.c.validation_counts, attempts.c.test_counts)]
    query = (
        sa.select(cells.c.key, *texts)
        .join(attempts, (attempts.c.cell_id == cells.c.id) & (attempts.c.number == cells.c.attempt))
        .where(cells.c.study_id == study_id, attempts.c.best_evaluation.is_not(None))
        .order_by(cells.c.id)
    )
    with reading(ledger.engine) as connection:
        rows = connection.execute(query).all()
    keys = [row[0] for row in rows]
    return StudyCounts(keys, _parsed([row[1] for row in rows]), _parsed([row[2] for row in rows]))


def _parsed(texts: list[str]) -> NDArray[np.int64]:
    """JSON lists of triples, each of the same length, as an array of shape (texts, cases, 3)."""
    numbers = ",".join(texts).encode().translate(None, _NO_NUMBERS)
    flat = np.fromstring(numbers.strip(b","), dtype=np.int64, sep=",") if texts else np.zeros(0, dtype=np.int64)
    return flat.reshape(len(texts), -1, COUNTS) if flat.size else np.zeros((len(texts), 0, COUNTS), dtype=np.int64)
