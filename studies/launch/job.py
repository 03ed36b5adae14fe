"""From a spec to what the driver runs: every value is turned into the driver's terms here, once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from search.policy.decision_spec import DecisionSpec
from search.prices import SECONDS_PER_HOUR
from search.tune.job import Job
from search.worker.assignment import Assignment
from studies.launch.data import image_size

if TYPE_CHECKING:
    from models.forecaster.interface import Forecaster
    from search.policy.stop_rule import StopSpec
    from storage.data.spec import DataSpec
    from storage.records import StudyRecord
    from studies.launch.data import PreparedData
    from studies.spec import StudySpec


def job_of(spec: StudySpec, study: StudyRecord, data: PreparedData, *, wait_for_others: bool) -> Job:
    """What the driver runs of a study; on which device, it finds out itself."""
    return Job(
        assignment=_assignment(spec, study, data),
        decision_spec=_decision_spec(spec, study),
        resources=spec.resources,
        keep=data.files.keep,
        wait_for_others=wait_for_others,
    )


def _assignment(spec: StudySpec, study: StudyRecord, data: PreparedData) -> Assignment:
    files = data.files
    assert files.checkpoints is not None
    return Assignment(
        study=study.name,
        dataset_folder=str(data.dataset.folder.absolute()),
        data=_with_absolute_path(spec.data),
        size=image_size(spec),
        fingerprint=study.fingerprint,
        split=study.split,
        groups=study.groups,
        training=spec.training,
        checkpoints=files.checkpoints,
        artifacts=files.artifacts if files.overlays else None,
        threads=spec.resources.cpus_per_trial,
    )


def _with_absolute_path(data: DataSpec) -> DataSpec:
    """For workers, whose current folder is another."""
    if data.path is None:
        return data
    return data.model_copy(update={"path": str(Path(data.path).expanduser().absolute())})


def _decision_spec(spec: StudySpec, study: StudyRecord) -> DecisionSpec:
    return DecisionSpec(
        policy=spec.policy,
        stop=spec.stop,
        forecaster=_forecaster(spec.stop),
        d0=study.facts["d0"],
        evaluations=spec.training.evaluations,
        total_steps=spec.training.total_steps,
        tolerance=spec.tolerance,
        target=spec.target_dsc,
        assurance=spec.assurance,
        num_train=len(study.split["train"]),
        held_out_cases=len(study.split["validation"]) + len(study.split["test"]),
        prices=spec.prices,
        device_name=spec.resources.accelerator_type,
        device_seconds=None if spec.gpu_hours is None else SECONDS_PER_HOUR * spec.gpu_hours,
    )


def _forecaster(stop: StopSpec) -> Forecaster:
    from models.forecaster.baselines.parametric import ParametricForecaster
    from models.forecaster.lstm.forecaster import load

    return load() if stop.forecaster == "lstm" else ParametricForecaster()
