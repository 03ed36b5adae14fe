"""The ledger: the only truth about a study. Cells, attempts and curves beside Optuna's tables in one database.

Contract. Any process that reaches the database may open a ledger and read. Only the driver that holds a claim may
write to its cell; every write is one transaction, guarded by (owner, claim number), and raises `LostLease` when the
cell was given away. What a write has returned is durable against the death of any process. A repeated write of the
same evaluation changes nothing. Optuna's trial and our rows change together or not at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import sqlalchemy as sa

from storage import cell_rows, optuna_rows
from storage.database import create_tables, holds_studies, lock_optuna_study, make_optuna_study, refuse_foreign_study
from storage.engine import connect, hide_password, normalise_url, reading
from storage.errors import StorageError
from storage.records import Cell, CellPlan, CellState, Claim, StudyRecord
from storage.tables import SCHEMA_VERSION, attempts, cells, evaluations, spec_changes, studies

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from storage.records import Evaluation, PlateauForecast, Scores


class Ledger:
    """One open database. Close it, or use it in a `with` block; it may be used by several threads."""

    def __init__(self, url: str, engine: sa.Engine) -> None:
        """Use `open` instead."""
        self.url = url
        self.engine = engine

    @classmethod
    def open(cls, url: str, *, create: bool = False) -> Self:
        """Open the ledger at a database URL; with `create`, make its tables where they are missing.

        Raises:
            StorageError: The database cannot be opened, holds no studies, or another version's tables.
        """
        url = normalise_url(url)
        if not create and not holds_studies(url):
            raise StorageError(
                f"no dicecurve study in {hide_password(url)}; start one with `dicecurve run` (--storage)"
            )
        engine = connect(url)
        if create:
            create_tables(url, engine)
        return cls(url, engine)

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    # Studies

    def study_names(self) -> list[str]:
        """Names of all studies of ours, oldest first."""
        names = optuna_rows.studies
        query = sa.select(names.c.study_name).join(studies, studies.c.study_id == names.c.study_id)
        with reading(self.engine) as connection:
            return list(connection.execute(query.order_by(names.c.study_id)).scalars())

    def find_study(self, name: str) -> StudyRecord | None:
        """The study of that name, or None."""
        names = optuna_rows.studies
        query = sa.select(studies).join(names, studies.c.study_id == names.c.study_id)
        with reading(self.engine) as connection:
            row = connection.execute(query.where(names.c.study_name == name)).one_or_none()
        return None if row is None else _study(name, row._asdict())

    def create_study(
        self,
        name: str,
        *,
        identity: Mapping[str, Any],
        running: Mapping[str, Any],
        fingerprint: str,
        split: Mapping[str, Sequence[str]],
        groups: Mapping[str, int],
        facts: Mapping[str, Any],
    ) -> StudyRecord:
        """Make a study (maximise validation DSC), or return the one that another driver made meanwhile.

        Raises:
            StorageError: An Optuna study of that name has trials that are not ours.
        """
        study_id = make_optuna_study(self.url, name)
        row = {
            "study_id": study_id,
            "schema_version": SCHEMA_VERSION,
            "identity": dict(identity),
            "running": dict(running),
            "fingerprint": fingerprint,
            "split": {part: list(names) for part, names in split.items()},
            "groups": dict(groups),
            "facts": dict(facts),
        }
        with self.engine.begin() as connection:
            lock_optuna_study(connection, study_id)
            if connection.execute(sa.select(studies.c.study_id).where(studies.c.study_id == study_id)).first() is None:
                refuse_foreign_study(connection, study_id, name)
                connection.execute(studies.insert().values(row))
        found = self.find_study(name)
        assert found is not None
        return found

    def change_spec(
        self,
        study: StudyRecord,
        *,
        identity: Mapping[str, Any],
        running: Mapping[str, Any],
        changes: Mapping[str, Any],
        versions: Mapping[str, str],
    ) -> None:
        """Replace the spec's parts, and record what changed, when, and under which versions."""
        with self.engine.begin() as connection:
            connection.execute(
                studies.update()
                .where(studies.c.study_id == study.study_id)
                .values(identity=dict(identity), running=dict(running))
            )
            connection.execute(
                spec_changes.insert().values(
                    study_id=study.study_id,
                    changed_at=optuna_rows.utc_now(),
                    changes=dict(changes),
                    versions=dict(versions),
                )
            )

    def layout(self, study_id: int, plans: Sequence[CellPlan]) -> int:
        """Add the cells that are missing, each with its WAITING trial, in one transaction; returns how many."""
        with self.engine.begin() as connection:
            connection.execute(sa.select(studies.c.study_id).where(studies.c.study_id == study_id).with_for_update())
            known = set(connection.execute(sa.select(cells.c.key).where(cells.c.study_id == study_id)).scalars())
            new = [plan for plan in plans if plan.key not in known]
            if new:
                cell_rows.insert(connection, study_id, new)
        return len(new)

    # Cells

    def cells(self, study_id: int) -> list[Cell]:
        """All cells, in the order in which they were laid out."""
        numbers = optuna_rows.trials
        query = (
            sa.select(cells, numbers.c.number.label("trial_number"))
            .join(attempts, (attempts.c.cell_id == cells.c.id) & (attempts.c.number == cells.c.attempt))
            .join(numbers, numbers.c.trial_id == attempts.c.trial_id)
            .where(cells.c.study_id == study_id)
            .order_by(cells.c.id)
        )
        with reading(self.engine) as connection:
            return [cell_rows.cell_of(row._asdict()) for row in connection.execute(query)]

    def claim(self, study_id: int, key: str, owner: str) -> Claim | None:
        """Take a cell that is waiting, or waits for its test; None when somebody else was faster."""
        free = (cells.c.owner.is_(None)) & cells.c.state.in_([CellState.WAITING, CellState.TEST])
        with self.engine.begin() as connection:
            row = cell_rows.lock(connection, study_id, key, free)
            if row is None:
                return None
            in_test = row["state"] == CellState.TEST
            connection.execute(
                cells.update()
                .where(cells.c.id == row["id"])
                .values(state=CellState.TEST if in_test else CellState.CLAIMED, owner=owner, claims=row["claims"] + 1)
            )
            optuna_rows.start(connection, row["trial_id"])
        phase = "test" if in_test else "train"
        return Claim(study_id, cell_rows.plan_of(row), row["attempt"], row["claims"] + 1, owner, phase)

    def record(
        self,
        claim: Claim,
        points: Sequence[Evaluation],
        *,
        checkpoint: str | None,
        worker: Mapping[str, Any],
        test_curve: Mapping[int, float] | None = None,
    ) -> None:
        """Record evaluations that the ledger lacks, and move the checkpoint pointer, in one transaction.

        Args:
            claim: The right to write.
            points: The whole curve of the attempt so far; known points are left as they are.
            checkpoint: Name of the newest checkpoint.
            worker: Where it ran, as columns of `attempts`: device, device_share, device_name, planned_steps, versions.
            test_curve: Test DSC by evaluation, for recorded surfaces only.
        """
        with self.engine.begin() as connection:
            row = cell_rows.held(connection, claim)
            known = set(
                connection.execute(
                    sa.select(evaluations.c.evaluation).where(evaluations.c.attempt_id == row["attempt_id"])
                ).scalars()
            )
            new = [point for point in points if point.evaluation not in known]
            if new:
                connection.execute(
                    evaluations.insert(), [_evaluation_row(row["attempt_id"], p, test_curve or {}) for p in new]
                )
                optuna_rows.add_intermediate_values(connection, row["trial_id"], new)
            update = dict(worker) | {"checkpoint": checkpoint, "unrecorded_seconds": 0.0}
            connection.execute(attempts.update().where(attempts.c.id == row["attempt_id"]).values(update))

    def send_to_test(self, claim: Claim, *, stop_reason: str | None, forecast: PlateauForecast | None) -> None:
        """End the training of a cell; it waits, unowned, for its test phase."""
        with self.engine.begin() as connection:
            row = cell_rows.held(connection, claim)
            connection.execute(
                attempts.update()
                .where(attempts.c.id == row["attempt_id"])
                .values(stop_reason=stop_reason, forecast=None if forecast is None else vars(forecast))
            )
            connection.execute(cells.update().where(cells.c.id == row["id"]).values(state=CellState.TEST, owner=None))
            optuna_rows.put_back(connection, row["trial_id"])

    def finish(self, claim: Claim, state: CellState, *, value: float, scores: Scores, facts: Mapping[str, Any]) -> None:
        """Close a tested cell: scores, then Optuna's trial with its value (best validation DSC) and facts."""
        with self.engine.begin() as connection:
            row = cell_rows.held(connection, claim)
            connection.execute(
                attempts.update()
                .where(attempts.c.id == row["attempt_id"])
                .values(
                    best_evaluation=scores.best_evaluation,
                    validation_counts=scores.validation,
                    test_counts=scores.test,
                    test_seconds=scores.seconds,
                    unrecorded_seconds=0.0,
                )
            )
            cell_rows.close(connection, row, state, value, facts)

    def fail(self, claim: Claim, reason: str) -> None:
        """Close a cell as failed, with its reason; its curve stays."""
        with self.engine.begin() as connection:
            row = cell_rows.held(connection, claim)
            connection.execute(
                attempts.update()
                .where(attempts.c.id == row["attempt_id"])
                .values(
                    failure=reason,
                    lost_seconds=attempts.c.lost_seconds + attempts.c.unrecorded_seconds,
                    unrecorded_seconds=0.0,
                )
            )
            cell_rows.close(connection, row, CellState.FAILED, None, {"failure": reason})

    def retry(self, study_id: int, key: str) -> bool:
        """Let a failed cell wait again as a new attempt with a trial of its own; False if it has not failed.

        The failed attempt keeps its curve, cost and reason; the new one starts from the beginning.
        """
        with self.engine.begin() as connection:
            row = cell_rows.lock(connection, study_id, key, cells.c.state == CellState.FAILED)
            if row is None:
                return False
            number = row["attempt"] + 1
            ((trial_id, _),) = optuna_rows.add_waiting_trials(connection, study_id, [cell_rows.plan_of(row)])
            connection.execute(attempts.insert().values(cell_id=row["id"], number=number, trial_id=trial_id))
            connection.execute(
                cells.update().where(cells.c.id == row["id"]).values(state=CellState.WAITING, attempt=number, losses=0)
            )
        return True

    # Leases

    def renew(self, study_id: int, owner: str, unrecorded: Mapping[str, float]) -> None:
        """Renew the leases of an owner, and note device seconds worked since each cell's last evaluation."""
        with self.engine.begin() as connection:
            connection.execute(
                cells.update()
                .where(cells.c.study_id == study_id, cells.c.owner == owner)
                .values(counter=cells.c.counter + 1)
            )
            for key, seconds in unrecorded.items():
                held = sa.select(cells.c.id).where(
                    cells.c.study_id == study_id, cells.c.key == key, cells.c.owner == owner
                )
                connection.execute(
                    attempts.update()
                    .where(attempts.c.cell_id.in_(held), attempts.c.number == _current_attempt())
                    .values(unrecorded_seconds=seconds)
                )

    def release(self, claim: Claim, *, lost: bool = False) -> None:
        """Give a cell back to the waiting ones; `lost` counts it as a lost worker. A claim given away is left alone."""
        with self.engine.begin() as connection:
            row = cell_rows.lock_claim(connection, claim)
            if row is not None:
                cell_rows.put_back(connection, row, losses=row["losses"] + int(lost))

    def take_back(self, study_id: int, cell: Cell) -> bool:
        """Put a cell of a dead owner back, if its lease is still the one that was seen; its unrecorded work is lost."""
        seen = (cells.c.owner == cell.owner) & (cells.c.counter == cell.counter)
        with self.engine.begin() as connection:
            row = cell_rows.lock(connection, study_id, cell.plan.key, seen)
            if row is None:
                return False
            cell_rows.put_back(connection, row, losses=row["losses"])
        return True


def _study(name: str, row: Mapping[str, Any]) -> StudyRecord:
    if row["schema_version"] != SCHEMA_VERSION:
        raise StorageError(
            f"study {name!r} has tables of version {row['schema_version']}, this dicecurve reads {SCHEMA_VERSION}"
        )
    return StudyRecord(name=name, **{key: value for key, value in row.items() if key != "schema_version"})


def _evaluation_row(attempt_id: int, point: Evaluation, test_curve: Mapping[int, float]) -> dict[str, Any]:
    return vars(point) | {"attempt_id": attempt_id, "test_dsc": test_curve.get(point.evaluation)}


def _current_attempt() -> sa.ScalarSelect[int]:
    return sa.select(cells.c.attempt).where(cells.c.id == attempts.c.cell_id).scalar_subquery()
