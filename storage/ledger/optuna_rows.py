"""Writes Optuna's own rows through our connection, so that a cell and its trial change in one transaction.

Optuna's public API opens a transaction per call: a process killed between two calls leaves a trial that contradicts
its cell. The tables are those that `RDBStorage` creates and checks at opening (its schema revision included).
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from optuna.distributions import FloatDistribution, IntDistribution, distribution_to_json
from optuna.storages._rdb import models
from optuna.trial import TrialState

from storage.records import CellState
from storage.variants import axis_values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from storage.records import Artifact, CellPlan

studies = models.StudyModel.__table__
trials = models.TrialModel.__table__
params = models.TrialParamModel.__table__
user_attributes = models.TrialUserAttributeModel.__table__
system_attributes = models.TrialSystemAttributeModel.__table__
values = models.TrialValueModel.__table__
intermediate_values = models.TrialIntermediateValueModel.__table__

TOLD = {
    CellState.DONE: TrialState.COMPLETE,
    CellState.NOT_LEARNED: TrialState.COMPLETE,
    CellState.COLLAPSED: TrialState.COMPLETE,
    CellState.PRUNED: TrialState.PRUNED,
    CellState.FAILED: TrialState.FAIL,
}
"""How a cell's end is told to Optuna."""

# Optuna lets the range of a Float or an Int differ between trials of one study, so both axes may grow.
_RATIO = distribution_to_json(FloatDistribution(1e-6, 1.0))
_DEPTH = distribution_to_json(IntDistribution(2, 8))


def utc_now() -> datetime:
    """Naive UTC, as Optuna stores times."""
    return datetime.now(UTC).replace(tzinfo=None)


def add_waiting_trials(connection: sa.Connection, study_id: int, plans: Sequence[CellPlan]) -> list[tuple[int, int]]:
    """Insert one WAITING trial a plan; returns (trial_id, number) in the order of the plans."""
    last = connection.execute(sa.select(sa.func.max(trials.c.number)).where(trials.c.study_id == study_id)).scalar()
    first = 0 if last is None else last + 1
    numbers = range(first, first + len(plans))
    rows = [{"number": number, "study_id": study_id, "state": TrialState.WAITING} for number in numbers]
    returning = trials.insert().returning(trials.c.trial_id, sort_by_parameter_order=True)
    trial_ids = list(connection.execute(returning, rows).scalars())
    planned = list(zip(trial_ids, plans, strict=True))
    connection.execute(params.insert(), [row for trial_id, plan in planned for row in _params(trial_id, plan)])
    connection.execute(
        user_attributes.insert(),
        [row for trial_id, plan in planned for row in _attributes(trial_id, _plan_attributes(plan))],
    )
    return list(zip(trial_ids, numbers, strict=True))


def start(connection: sa.Connection, trial_id: int) -> None:
    """WAITING to RUNNING; the first start's time stays."""
    started = sa.func.coalesce(trials.c.datetime_start, utc_now())
    connection.execute(
        trials.update().where(trials.c.trial_id == trial_id).values(state=TrialState.RUNNING, datetime_start=started)
    )


def put_back(connection: sa.Connection, trial_id: int) -> None:
    """RUNNING to WAITING, with number, curve and attributes kept."""
    connection.execute(trials.update().where(trials.c.trial_id == trial_id).values(state=TrialState.WAITING))


def tell(
    connection: sa.Connection, trial_id: int, *, state: TrialState, value: float | None, facts: Mapping[str, Any]
) -> None:
    """End a trial, with its value and the facts that Optuna freezes from now on."""
    set_attributes(connection, trial_id, facts)
    if value is not None:
        finite = models.TrialValueModel.TrialValueType.FINITE
        connection.execute(values.insert().values(trial_id=trial_id, objective=0, value=value, value_type=finite))
    connection.execute(
        trials.update().where(trials.c.trial_id == trial_id).values(state=state, datetime_complete=utc_now())
    )


def add_intermediate_values(connection: sa.Connection, points: Sequence[tuple[int, int, float]]) -> None:
    """Training curves, as the dashboard draws them: (trial_id, step = evaluation, value = validation DSC)."""
    finite = models.TrialIntermediateValueModel.TrialIntermediateValueType.FINITE
    rows = [
        {"trial_id": trial_id, "step": step, "intermediate_value": value, "intermediate_value_type": finite}
        for trial_id, step, value in points
    ]
    connection.execute(intermediate_values.insert(), rows)


def set_attributes(connection: sa.Connection, trial_id: int, facts: Mapping[str, Any]) -> None:
    """Set user attributes, replacing those of the same name."""
    if not facts:
        return
    connection.execute(
        user_attributes.delete().where(user_attributes.c.trial_id == trial_id, user_attributes.c.key.in_(list(facts)))
    )
    connection.execute(user_attributes.insert(), _attributes(trial_id, facts))


def add_artifacts(connection: sa.Connection, trial_id: int, artifacts: Sequence[Artifact]) -> None:
    """Name a trial's artifacts, as `optuna.artifacts.upload_artifact` does."""
    if artifacts:
        from optuna.artifacts._upload import ARTIFACTS_ATTR_PREFIX, ArtifactMeta  # loads clients of clouds

        facts = {
            f"{ARTIFACTS_ATTR_PREFIX}{artifact.artifact_id}": json.dumps(
                asdict(ArtifactMeta(**vars(artifact), encoding=None))
            )
            for artifact in artifacts
        }
        connection.execute(system_attributes.insert(), _attributes(trial_id, facts))


def _params(trial_id: int, plan: CellPlan) -> list[dict[str, Any]]:
    return [
        {"trial_id": trial_id, "param_name": "ratio", "param_value": plan.ratio, "distribution_json": _RATIO},
        {"trial_id": trial_id, "param_name": "depth", "param_value": plan.depth, "distribution_json": _DEPTH},
    ]


def _plan_attributes(plan: CellPlan) -> dict[str, Any]:
    own = {"cell": plan.key, "seed": plan.seed, "num_cases": plan.num_cases, "parameters": plan.parameters}
    return own | axis_values(plan.variant)


def _attributes(trial_id: int, facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"trial_id": trial_id, "key": key, "value_json": json.dumps(value)} for key, value in facts.items()]
