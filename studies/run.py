"""Starts a study, or goes on with it: the same call. Everything is checked before anything is written."""

from __future__ import annotations

import platform
import shutil
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage.datasets import prepare
from storage.engine import normalise_url
from storage.errors import InputError, StorageError
from storage.ledger import Ledger, holds_studies
from storage.splits import group_numbers, split_cases

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from search.run_cells import Job
    from storage.datasets import Dataset
    from storage.files import FilesSpec
    from storage.records import CellPlan, StudyRecord
    from studies.spec import StudySpec

PACKAGES = ("dicecurve", "torch", "monai", "ray", "optuna", "sqlalchemy", "numpy")
BYTES_PER_PARAMETER_RUNNING = 16  # weights, two moments of Adam, best weights; float32
BYTES_PER_PARAMETER_KEPT = 4


@dataclass(frozen=True)
class PreparedStudy:
    """A study whose cells are laid out, ready to run.

    Attributes:
        ledger: Open; the caller closes it.
        study: Its record.
        job: What `run_cells` needs.
        added: Cells that this start added.
    """

    ledger: Ledger
    study: StudyRecord
    job: Job
    added: int


def prepare_study(
    spec: StudySpec, storage: str, *, wait_for_others: bool, progress: Callable[[int, int], None] | None = None
) -> PreparedStudy:
    """Check spec, storage and data, then make the study or take it up again.

    Raises:
        InputError: The first thing that a person has to put right; nothing was written for it.
    """
    url = normalise_url(storage)
    if holds_studies(url):
        _check_identity(spec, url)
    files = spec.files.resolved(url)
    assert files.cache is not None
    dataset = prepare(spec.data, spec.training.size, Path(files.cache), progress)
    groups = group_numbers(dataset.names, spec.data.together)
    split = split_cases(dataset.names, groups, spec.data.split, spec.data.split_seed)
    plans = _plans(spec, len(split["train"]), dataset)
    _check_disk(plans, files)
    ledger = Ledger.open(url, create=True)
    try:
        study = _take_up(ledger, spec, dataset, split, groups)
        added = ledger.layout(study.study_id, plans)
    except BaseException:
        ledger.close()
        raise
    return PreparedStudy(ledger, study, _job(spec, files, dataset, wait_for_others), added)


def _take_up(
    ledger: Ledger,
    spec: StudySpec,
    dataset: Dataset,
    split: Mapping[str, Sequence[str]],
    groups: Mapping[str, int],
) -> StudyRecord:
    study = ledger.find_study(spec.name) or ledger.create_study(
        spec.name,
        identity=spec.identity(),
        running=spec.running(),
        fingerprint=dataset.fingerprint,
        split=split,
        groups=groups,
        facts=_facts(dataset, split),
    )
    if study.fingerprint != dataset.fingerprint:
        raise StorageError(
            f"the data differ from those that study {spec.name!r} began with (fingerprint {dataset.fingerprint[:12]}, "
            f"not {study.fingerprint[:12]}); bring the old files back, or start another study with --name"
        )
    _note_changes(ledger, study, spec)
    return replace(study, identity=spec.identity(), running=spec.running())


def changed_identity(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What differs between two identities beyond axes that gained values, a line a field."""
    changes = []
    for section in ("data", "grid", "training"):
        for field in sorted(old[section].keys() | new[section].keys()):
            before, now = old[section].get(field), new[section].get(field)
            lost = section == "grid" and [v for v in before if v not in now]
            if lost or (section != "grid" and before != now):
                changes.append(f"{section}.{field}: was {before}, now {now}")
    return changes


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that results depend on."""
    return {"python": platform.python_version()} | {name: metadata.version(name) for name in PACKAGES}


def _check_identity(spec: StudySpec, url: str) -> None:
    with Ledger.open(url) as ledger:
        study = ledger.find_study(spec.name)
    changes = [] if study is None else changed_identity(study.identity, spec.identity())
    if changes:
        listed = "\n  ".join(changes)
        raise StorageError(
            f"study {spec.name!r} exists, and its results depend on what has changed (axes of the grid may only gain "
            f"values):\n  {listed}\nkeep these as they were, or start another study with --name"
        )


def _plans(spec: StudySpec, num_train: int, dataset: Dataset) -> list[CellPlan]:
    from models.unet import count_parameters
    from search.space import lay_out

    channels = dataset.images().shape[1]
    parameters = {depth: count_parameters(spec.training, depth, channels) for depth in spec.grid.depth}
    return lay_out(spec.grid, num_train, parameters)


def _check_disk(plans: Sequence[CellPlan], files: FilesSpec) -> None:
    """Refuse a study whose checkpoints will not fit on the local disk."""
    assert files.checkpoints is not None
    if "://" in files.checkpoints:
        return
    largest = max(plan.parameters for plan in plans)
    kept = 0 if files.keep == "none" else BYTES_PER_PARAMETER_KEPT * sum(plan.parameters for plan in plans)
    needed = kept + 3 * BYTES_PER_PARAMETER_RUNNING * largest  # two checkpoints kept, one being written
    place = next(p for p in [Path(files.checkpoints), *Path(files.checkpoints).parents] if p.exists())
    free = shutil.disk_usage(place).free
    if needed > free:
        raise InputError(
            f"checkpoints will need {needed / 1e9:.1f} GB in {place}, where {free / 1e9:.1f} GB are free; make room, "
            "or set checkpoints or keep in [files]"
        )


def _facts(dataset: Dataset, split: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    from models.metrics import everything_foreground_dsc

    validation = dataset.masks()[dataset.indices(split["validation"])]
    return {
        "d0": everything_foreground_dsc(validation),
        "channels": dataset.images().shape[1],
        "versions": versions(),
    }


def _note_changes(ledger: Ledger, study: StudyRecord, spec: StudySpec) -> None:
    identity, running = spec.identity(), spec.running()
    old, new = study.identity | study.running, identity | running
    changes = {key: {"was": old.get(key), "now": new[key]} for key in new if old.get(key) != new[key]}
    if changes:
        ledger.change_spec(study, identity=identity, running=running, changes=changes, versions=versions())


def _job(spec: StudySpec, files: FilesSpec, dataset: Dataset, wait_for_others: bool) -> Job:  # noqa: FBT001 - private
    from models.forecaster.parametric import ParametricForecaster
    from search.run_cells import Job

    assert files.checkpoints is not None
    return Job(
        dataset_folder=str(dataset.folder.absolute()),
        training=spec.training,
        checkpoints=files.checkpoints,
        keep=files.keep,
        policy=spec.policy,
        tolerance=spec.tolerance,
        stop=spec.stop,
        resources=spec.resources,
        forecaster=ParametricForecaster(),
        device_hours=spec.gpu_hours,
        wait_for_others=wait_for_others,
    )
