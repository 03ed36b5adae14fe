"""The ledger: the only truth about a study. Cells, attempts and curves beside Optuna's tables in one database.

Contract, the same on SQLite and PostgreSQL:

- *Who.* Any process that reaches the database may open a ledger and read. A driver gets the right to write to a cell by
  `claim`, which gives each cell to one driver at a time; the `Claim` that it returns goes with every later write. Only
  the driver's process writes; workers write checkpoints and report to their driver.
- *Fence.* Every write checks owner and claim number inside its own transaction, and raises `LostLease` when the cell
  was given away meanwhile: a late writer changes nothing. The same claim number guards the checkpoint files.
- *Leases.* A driver renews its claims while it lives, during long evaluations too. `take_back` puts a cell back only if
  its lease is still the one that was seen to be dead (`storage/ledger/leases.py`). Curve, checkpoint and cost stay.
- *Durable.* What a call has returned survives the death of any process. (On SQLite a power cut may take the last
  commits, never half of one; PostgreSQL keeps them.) Optuna's trial and our rows change together or not at all.
- *Again.* Every call may be repeated: an evaluation is recorded once, a cell laid out once, a trial told once. With
  a `RetryPolicy` a call waits, and is repeated by itself, while the database is away.
- *Counted.* Device seconds of each evaluation stand once; work that was lost or done again is added to the attempt's
  lost seconds. Failed attempts keep curve, cost and reason.

The states of a cell: waiting → claimed → test → done, collapsed, not_learned or failed; whoever trained a cell to its
end tests it under the same claim, and one that was stopped waits for its test unowned; claimed and test fall back to
waiting and test when their claim ends early, and failed to waiting while attempts are left. A claimed cell whose
training cannot matter is pruned. A waiting cell may be skipped: provisionally, until the study closes it as pruned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import sqlalchemy as sa

from storage.database.engine import connect, reading
from storage.database.retry import RetryPolicy, with_retries
from storage.database.schema import check_revision, create_tables, holds_studies, make_optuna_study, migrate_tables
from storage.database.tables import attempts, cells
from storage.database.urls import hide_password, normalise_url
from storage.errors import StorageError
from storage.ledger import attempt_rows, cell_rows, order_rows, skip_rows, study_rows
from storage.records import CellState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from storage.records import (
        Artifact,
        Cell,
        CellPlan,
        Claim,
        Evaluation,
        PlateauForecast,
        Scores,
        SkipForecast,
        StudyRecord,
    )


def _ready_tables(url: str, engine: sa.Engine, *, create: bool) -> None:
    if create:
        create_tables(url, engine)
    check_revision(engine)
    migrate_tables(engine)


class Ledger:
    """One open database. Close it, or use it in a `with` block; it may be used by several threads."""

    def __init__(self, url: str, engine: sa.Engine, retry_policy: RetryPolicy) -> None:
        """Use `open` instead."""
        self.url = url
        self.engine = engine
        self.retry_policy = retry_policy

    @classmethod
    def open(cls, url: str, *, create: bool = False, retry_policy: RetryPolicy | None = None) -> Self:
        """Open the ledger at a database URL, and bring its tables to the present version.

        Args:
            url: A database URL.
            create: Whether to make the tables where they are missing.
            retry_policy: How long calls wait for a database that went away once it had answered; by default not at all.

        Raises:
            StorageError: The database cannot be opened, holds no studies, or was made by another version of Optuna.
        """
        url = normalise_url(url)
        if not create and not holds_studies(url):
            raise StorageError(
                f"no dicecurve study in {hide_password(url)}; start one with `dicecurve run` (--storage)"
            )
        engine, retry_policy = connect(url), retry_policy or RetryPolicy()
        retry_policy.call(lambda _: _ready_tables(url, engine, create=create))
        return cls(url, engine, retry_policy)

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

    @with_retries
    def study_names(self) -> list[str]:
        """Names of all studies of ours, oldest first."""
        with reading(self.engine) as connection:
            return study_rows.names(connection)

    @with_retries
    def find_study(self, name: str) -> StudyRecord | None:
        """The study of that name, or None."""
        with reading(self.engine) as connection:
            return study_rows.find(connection, name)

    @with_retries
    def create_study(self, name: str, **parts: Any) -> StudyRecord:
        """Make a study (maximise validation DSC), or return the one that another driver made meanwhile.

        Args:
            name: Unique in the database.
            **parts: identity, running, fingerprint, split, groups and facts, as in `StudyRecord`.

        Raises:
            StorageError: An Optuna study of that name has trials that are not ours.
        """
        study_id = make_optuna_study(self.url, name)
        with self.engine.begin() as connection:
            study_rows.insert(connection, study_id, name, **parts)
            study = study_rows.find(connection, name)
        assert study is not None
        return study

    @with_retries
    def change_spec(
        self,
        study: StudyRecord,
        *,
        identity: Mapping[str, Any],
        running: Mapping[str, Any],
        changes: Mapping[str, Any],
        versions: Mapping[str, str],
    ) -> None:
        """Replace the spec's parts, and note what changed, when, and under which versions."""
        with self.engine.begin() as connection:
            study_rows.change_spec(
                connection, study.study_id, identity=identity, running=running, changes=changes, versions=versions
            )

    @with_retries
    def layout(self, study_id: int, plans: Sequence[CellPlan]) -> int:
        """Add the cells that are missing, each with its WAITING trial, in one transaction; returns how many.

        The order of the training cases is noted for each seed, and checked where it was noted before.

        Raises:
            StorageError: The order differs, so that subsets would hold other cases.
        """
        with self.engine.begin() as connection:
            study_rows.lock(connection, study_id)
            order_rows.note(connection, study_id, {plan.seed for plan in plans})
            known = set(connection.execute(sa.select(cells.c.key).where(cells.c.study_id == study_id)).scalars())
            new = [plan for plan in plans if plan.key not in known]
            if new:
                cell_rows.insert(connection, study_id, new)
        return len(new)

    # Cells

    @with_retries
    def cells(self, study_id: int) -> list[Cell]:
        """All cells, in the order in which they were laid out."""
        with reading(self.engine) as connection:
            return cell_rows.read(connection, study_id)

    def claim(self, study_id: int, keys: Sequence[str], owner: str) -> Claim | None:
        """Take the first of these cells that waits, also for its test, in one transaction; None when all are taken.

        An owner claims from one thread: when the answer to a claim is lost with the database, the cell that is its own
        by then is taken once more. It holds none of ``keys`` when it asks.
        """
        return self.retry_policy.call(lambda attempt: self._claim(study_id, keys, owner, again=attempt > 1))

    def _claim(self, study_id: int, keys: Sequence[str], owner: str, *, again: bool) -> Claim | None:
        with self.engine.begin() as connection:
            return cell_rows.claim(connection, study_id, keys, owner, again=again)

    @with_retries
    def record(
        self,
        claim: Claim,
        points: Sequence[Evaluation],
        *,
        checkpoint: str | None,
        worker: Mapping[str, Any],
        test_curve: Mapping[int, float] | None = None,
        note: str | None = None,
    ) -> None:
        """Record evaluations that the ledger lacks, and move the checkpoint pointer, in one transaction.

        Args:
            claim: The right to write.
            points: The whole curve of the attempt so far; known points are left as they are.
            checkpoint: Name of the newest checkpoint.
            worker: Where it ran, as columns of `attempts`: device, device_share, device_name, planned_steps, versions.
            test_curve: Test DSC by evaluation, for recorded surfaces only.
            note: What befell the attempt, such as a damaged checkpoint.
        """
        with self.engine.begin() as connection:
            row = cell_rows.held(connection, claim)
            repeated = attempt_rows.add_points(connection, row, points, test_curve or {})
            attempt_rows.change(
                connection,
                row,
                **worker,
                checkpoint=checkpoint,
                unrecorded_seconds=0.0,
                lost_seconds=attempts.c.lost_seconds + repeated * worker.get("device_share", 1.0),
                notes=attempt_rows.noted(row, note),
            )

    @with_retries
    def send_to_test(self, claim: Claim, *, stop_reason: str | None, forecast: PlateauForecast | None) -> None:
        """End the training of a cell; it waits, unowned, for its test phase."""
        with self.engine.begin() as connection:
            row = cell_rows.held(connection, claim)
            shown = None if forecast is None else vars(forecast)
            attempt_rows.change(connection, row, stop_reason=stop_reason, forecast=shown)
            cell_rows.send_to_test(connection, row)

    @with_retries
    def begin_test(self, claim: Claim) -> None:
        """The training of a cell has come to its end; the same worker tests it, under the same claim."""
        with self.engine.begin() as connection:
            cell_rows.begin_test(connection, cell_rows.held(connection, claim))

    @with_retries
    def finish(
        self,
        claim: Claim,
        state: CellState,
        *,
        value: float,
        scores: Scores,
        facts: Mapping[str, Any],
        artifacts: Sequence[Artifact] = (),
        note: str | None = None,
    ) -> None:
        """Close a tested cell: scores, then Optuna's trial with value (best validation DSC), facts and artifacts."""
        with self.engine.begin() as connection:
            row = cell_rows.held(connection, claim)
            attempt_rows.score(connection, row, scores, note)
            cell_rows.close(connection, row, state, value, facts, artifacts=artifacts)

    @with_retries
    def fail(self, claim: Claim, reason: str, *, max_attempts: int = 1) -> bool:
        """End an attempt with its reason; its curve stays. Returns whether the cell waits again, as a new attempt."""
        with self.engine.begin() as connection:
            study_rows.lock(connection, claim.study_id)  # trial numbers follow one another
            row = cell_rows.held(connection, claim)
            attempt_rows.fail(connection, row, reason)
            goes_on = bool(row["attempt"] < max_attempts)
            if goes_on:
                attempt_rows.follow(connection, row)
        return goes_on

    @with_retries
    def retry(self, study_id: int, key: str) -> bool:
        """Let a failed cell wait again as a new attempt with a trial of its own; False if it has not failed.

        The failed attempt keeps its curve, cost and reason; the new one starts from the beginning.
        """
        with self.engine.begin() as connection:
            study_rows.lock(connection, study_id)
            row = cell_rows.lock(connection, study_id, key, cells.c.state == CellState.FAILED)
            if row is not None:
                attempt_rows.follow(connection, row)
        return row is not None

    @with_retries
    def prune(self, claim: Claim, reason: str, forecast: PlateauForecast) -> None:
        """End a cell without a test: its training cannot matter. Curve and forecast stay, apart."""
        with self.engine.begin() as connection:
            row = cell_rows.held(connection, claim)
            attempt_rows.change(connection, row, stop_reason=reason, forecast=vars(forecast), unrecorded_seconds=0.0)
            facts = {"stop_reason": reason, "forecast_val_dsc": forecast.mean, "forecast_method": forecast.method}
            cell_rows.close(connection, row, CellState.PRUNED, None, facts)

    # Skips

    @with_retries
    def note_skips(self, study_id: int, skips: Mapping[str, SkipForecast]) -> None:
        """Note which free cells are skipped for now, and what stands in for them; the others are skipped no longer."""
        with self.engine.begin() as connection:
            skip_rows.replace(connection, study_id, skips)

    @with_retries
    def close_skipped(self, study_id: int) -> int:
        """End the cells that are skipped, their trials told as pruned with the forecast; returns how many."""
        with self.engine.begin() as connection:
            return skip_rows.close(connection, study_id)

    @with_retries
    def reopen_skipped(self, study_id: int) -> int:
        """Let every cell that was closed as skipped wait again, as a new attempt; returns how many."""
        with self.engine.begin() as connection:
            study_rows.lock(connection, study_id)
            return skip_rows.reopen(connection, study_id)

    @with_retries
    def retrain(self, study_id: int, key: str, reason: str) -> bool:
        """Fail a trained cell that waits for its test but cannot be tested, and let it train anew; False if none."""
        waits = (cells.c.owner.is_(None)) & (cells.c.state == CellState.TEST)
        with self.engine.begin() as connection:
            study_rows.lock(connection, study_id)
            row = cell_rows.lock(connection, study_id, key, waits)
            if row is not None:
                attempt_rows.fail(connection, row, reason)
                attempt_rows.follow(connection, row)
        return row is not None

    # Leases

    @with_retries
    def renew(self, working: Mapping[Claim, float]) -> list[Claim]:
        """Renew leases, and note device seconds worked since each cell's last evaluation; returns the lost claims."""
        with self.engine.begin() as connection:
            return [claim for claim, seconds in working.items() if not cell_rows.renew(connection, claim, seconds)]

    @with_retries
    def release(self, claim: Claim, *, lost: str | None = None) -> None:
        """Give a cell back to the waiting ones; with ``lost``, how its worker was lost, the loss is counted.

        A claim that was given away is left alone.
        """
        with self.engine.begin() as connection:
            row = cell_rows.lock_claim(connection, claim)
            if row is not None:
                attempt_rows.lose_unrecorded(connection, row, lost)
                cell_rows.put_back(connection, row, losses=row["losses"] + (lost is not None))

    @with_retries
    def take_back(self, study_id: int, cell: Cell) -> bool:
        """Put a cell of a dead owner back, if its lease is still the one that was seen; its unrecorded work is lost."""
        seen = (cells.c.owner == cell.owner) & (cells.c.counter == cell.counter) & (cells.c.claims == cell.claims)
        with self.engine.begin() as connection:
            row = cell_rows.lock(connection, study_id, cell.plan.key, seen)
            if row is not None:
                attempt_rows.lose_unrecorded(connection, row, f"its driver was lost: {cell.owner}")
                cell_rows.put_back(connection, row, losses=row["losses"])
        return row is not None
