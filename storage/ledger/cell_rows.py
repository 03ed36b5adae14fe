"""Rows of cells inside a transaction: how they are locked, put back and closed together with their Optuna trials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from storage.database.tables import attempts, cells
from storage.errors import LostLease
from storage.ledger import optuna_rows
from storage.records import Cell, CellPlan, CellState, Claim, SkipForecast
from storage.variants import OWN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from storage.records import Artifact


def cell_of(row: Mapping[str, Any]) -> Cell:
    """A row of `cells` with `trial_number`, as a record."""
    return Cell(
        plan=plan_of(row),
        state=CellState(row["state"]),
        attempt=row["attempt"],
        claims=row["claims"],
        owner=row["owner"],
        counter=row["counter"],
        losses=row["losses"],
        trial_number=row["trial_number"],
        skip=None if row["skip"] is None else SkipForecast(row["skip"], **row["skip_forecast"]),
    )


def read(connection: sa.Connection, study_id: int) -> list[Cell]:
    """All cells of a study, in the order in which they were laid out."""
    numbers = optuna_rows.trials
    query = (
        sa.select(cells, numbers.c.number.label("trial_number"))
        .join(attempts, (attempts.c.cell_id == cells.c.id) & (attempts.c.number == cells.c.attempt))
        .join(numbers, numbers.c.trial_id == attempts.c.trial_id)
        .where(cells.c.study_id == study_id)
        .order_by(cells.c.id)
    )
    return [cell_of(dict(row)) for row in connection.execute(query).mappings()]


def plan_of(row: Mapping[str, Any]) -> CellPlan:
    """The plan in a row of `cells`."""
    names = ("key", "ratio", "depth", "seed", "num_cases", "parameters")
    return CellPlan(**{name: row[name] for name in names}, role=row["role"] or "grid", variant=row["variant"] or OWN)


def skip_columns(skip: SkipForecast | None) -> dict[str, Any]:
    """The columns of `cells` that say why a cell is not trained."""
    if skip is None:
        return {"skip": None, "skip_forecast": None}
    return {"skip": skip.reason, "skip_forecast": {"mean": skip.mean, "lower": skip.lower, "upper": skip.upper}}


def insert(connection: sa.Connection, study_id: int, plans: Sequence[CellPlan]) -> None:
    """Insert cells that wait, each with its first attempt and its trial."""
    rows = [vars(plan) | {"study_id": study_id, "state": CellState.WAITING, "attempt": 1} for plan in plans]
    cell_ids = insert_rows(connection, rows)
    trial_rows = optuna_rows.add_waiting_trials(connection, study_id, plans)
    connection.execute(
        attempts.insert(),
        [
            {"cell_id": cell_id, "number": 1, "trial_id": trial_id}
            for cell_id, (trial_id, _) in zip(cell_ids, trial_rows, strict=True)
        ],
    )


def insert_rows(connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Insert rows of `cells` alone; returns their ids."""
    returning = cells.insert().returning(cells.c.id, sort_by_parameter_order=True)
    return list(connection.execute(returning, rows).scalars()) if rows else []


def lock(
    connection: sa.Connection, study_id: int, key: str, condition: sa.ColumnElement[bool]
) -> Mapping[str, Any] | None:
    """A cell with its current attempt, locked until the transaction ends; None if the condition does not hold."""
    query = (
        sa.select(cells, attempts.c.id.label("attempt_id"), attempts.c.trial_id, attempts.c.notes)
        .join(attempts, (attempts.c.cell_id == cells.c.id) & (attempts.c.number == cells.c.attempt))
        .where(cells.c.study_id == study_id, cells.c.key == key, condition)
        .with_for_update(of=cells)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else row._asdict()


def lock_claim(connection: sa.Connection, claim: Claim) -> Mapping[str, Any] | None:
    """The cell of a claim, locked; None if it was given to somebody else."""
    ours = (cells.c.owner == claim.owner) & (cells.c.claims == claim.number)
    return lock(connection, claim.study_id, claim.plan.key, ours)


def held(connection: sa.Connection, claim: Claim) -> Mapping[str, Any]:
    """The cell of a claim, locked.

    Raises:
        LostLease: It was given to somebody else.
    """
    row = lock_claim(connection, claim)
    if row is None:
        raise LostLease(f"cell {claim.plan.key} is no longer held under claim {claim.number}")
    return row


def claim(connection: sa.Connection, study_id: int, keys: Sequence[str], owner: str, *, again: bool) -> Claim | None:
    """Give the first of these cells that is free to an owner, `again` one that it has already; None if none is."""
    free = cells.c.owner.is_(None) & cells.c.state.in_([CellState.WAITING, CellState.TEST])
    ours = cells.c.owner == owner
    among = (cells.c.study_id == study_id) & cells.c.key.in_(keys)
    for condition in (ours, free) if again else (free,):
        claimable = set(connection.execute(sa.select(cells.c.key).where(among, condition)).scalars())
        for key in [key for key in keys if key in claimable]:
            row = lock(connection, study_id, key, condition)
            if row is not None:  # on PostgreSQL somebody else may have been faster since we looked
                return _claimed(connection, study_id, row, owner)
    return None


def _claimed(connection: sa.Connection, study_id: int, row: Mapping[str, Any], owner: str) -> Claim:
    in_test, number = row["state"] == CellState.TEST, row["claims"] + 1
    state = CellState.TEST if in_test else CellState.CLAIMED
    connection.execute(
        cells.update()
        .where(cells.c.id == row["id"])
        .values(state=state, owner=owner, claims=number, **skip_columns(None))
    )
    optuna_rows.start(connection, row["trial_id"])
    return Claim(study_id, plan_of(row), row["attempt"], number, owner, "test" if in_test else "train")


def renew(connection: sa.Connection, claim: Claim, unrecorded_seconds: float) -> bool:
    """Renew a claim's lease, and note device seconds since its last evaluation; False if it is no longer held."""
    ours = (cells.c.study_id == claim.study_id) & (cells.c.key == claim.plan.key)
    ours &= (cells.c.owner == claim.owner) & (cells.c.claims == claim.number)
    renewed = cells.update().where(ours).values(counter=cells.c.counter + 1).returning(cells.c.id)
    cell_id = connection.execute(renewed).scalar_one_or_none()
    if cell_id is not None:
        connection.execute(
            attempts.update()
            .where(attempts.c.cell_id == cell_id, attempts.c.number == claim.attempt)
            .values(unrecorded_seconds=unrecorded_seconds)
        )
    return cell_id is not None


def begin_test(connection: sa.Connection, row: Mapping[str, Any]) -> None:
    """Let a trained cell go on to its test, still held."""
    connection.execute(cells.update().where(cells.c.id == row["id"]).values(state=CellState.TEST))


def send_to_test(connection: sa.Connection, row: Mapping[str, Any]) -> None:
    """Let a trained cell wait for its test."""
    connection.execute(cells.update().where(cells.c.id == row["id"]).values(state=CellState.TEST, owner=None))
    optuna_rows.put_back(connection, row["trial_id"])


def put_back(connection: sa.Connection, row: Mapping[str, Any], *, losses: int) -> None:
    """Let a cell wait again, in the phase where it was."""
    state = CellState.TEST if row["state"] == CellState.TEST else CellState.WAITING
    connection.execute(cells.update().where(cells.c.id == row["id"]).values(state=state, owner=None, losses=losses))
    optuna_rows.put_back(connection, row["trial_id"])


def close(
    connection: sa.Connection,
    row: Mapping[str, Any],
    state: CellState,
    value: float | None,
    facts: Mapping[str, Any],
    *,
    artifacts: Sequence[Artifact] = (),
) -> None:
    """End a cell and tell its trial, with what stands beside it."""
    connection.execute(cells.update().where(cells.c.id == row["id"]).values(state=state, owner=None))
    facts = {"state": state.value, **facts}
    optuna_rows.add_artifacts(connection, row["trial_id"], artifacts)
    optuna_rows.tell(connection, row["trial_id"], state=optuna_rows.TOLD[state], value=value, facts=facts)
