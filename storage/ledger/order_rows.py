"""Rows of nested orders: which cases a subset holds, by name, so that a study can be told from its database alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from storage.data.splits import nested_order
from storage.database.tables import orders, studies
from storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def note(connection: sa.Connection, study_id: int, seeds: Iterable[int]) -> None:
    """Note the order of the training cases for each seed that is new, and check it for those that are known.

    A study of numbers alone has no cases, and no orders.

    Raises:
        StorageError: The order of a seed differs from the noted one.
    """
    row = connection.execute(sa.select(studies.c.split, studies.c.groups).where(studies.c.study_id == study_id)).one()
    train = row.split.get("train", [])
    if not set(train) <= row.groups.keys():
        return
    known = read(connection, study_id)
    for seed in sorted(set(seeds)):
        order = nested_order(train, row.groups, seed)
        if seed not in known:
            insert(connection, study_id, seed, order)
        elif known[seed] != order:
            raise StorageError(
                f"the order in which training cases join the subsets of seed {seed} differs from that which the study "
                "began with, though its split is the same; go on with the versions of dicecurve and numpy that it "
                "began with, or start another study with --name"
            )


def insert(connection: sa.Connection, study_id: int, seed: int, cases: Sequence[str]) -> None:
    """Insert the order of a seed."""
    connection.execute(orders.insert().values(study_id=study_id, seed=seed, cases=list(cases)))


def read(connection: sa.Connection, study_id: int) -> dict[int, list[str]]:
    """Training cases in the order in which they join the subsets, by seed: the first n are the subset of n cases."""
    query = sa.select(orders.c.seed, orders.c.cases).where(orders.c.study_id == study_id).order_by(orders.c.seed)
    return {row.seed: row.cases for row in connection.execute(query)}
